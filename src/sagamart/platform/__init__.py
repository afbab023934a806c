"""What a process needs around its services: database, settings, HTTP conventions, identity, logs, metrics."""
