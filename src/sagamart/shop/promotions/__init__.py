"""Promotions: codes that take something off an order, and how often each may be used."""
