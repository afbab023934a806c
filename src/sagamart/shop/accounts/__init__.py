"""Accounts: who people are, what they may do, and how long they stay logged in."""
