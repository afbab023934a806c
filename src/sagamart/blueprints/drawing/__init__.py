"""Drawings as SVG, in plain Python: the same input gives the same bytes, and no other program is needed."""
