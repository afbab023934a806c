"""The core: batches of messages, handled exactly once.  It knows no shop.

Start with `worker.py` (the one loop), then `fold.py` (what a batch means), then `database.py` (what is kept).
"""
