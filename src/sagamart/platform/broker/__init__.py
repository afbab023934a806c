"""A Kafka broker of our own, where none is at hand: its jars, and the process."""
