"""Wallet: customers' money, what is held of it for orders, and the double-entry journal of every movement."""
