"""The outside bank, simulated: a program, a database and an API of its own, as README.md describes it."""
