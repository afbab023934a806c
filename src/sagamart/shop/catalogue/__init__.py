"""Catalogue: what the shop sells, and at which price."""
