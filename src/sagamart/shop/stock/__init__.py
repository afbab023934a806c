"""Stock: what is on hand, what is reserved, and for which attempt of which order."""
