"""Timeline: the flight recorder.  Every message about an order, kept as it was said, told as one story."""
