"""Between the shop's own processes: the internal listener, who may call it, and the client of the others' listeners.

It has a port of its own.  What is here is never reachable from the public listener.
"""
