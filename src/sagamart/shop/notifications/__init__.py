"""Notifications: what people were told, stored as facts and put into words when they are read."""
