"""Payments: orders' payments and customers' top-ups through the bank, and that nobody pays twice or in vain."""
