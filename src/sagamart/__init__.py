"""sagamart: the order engine of an online store, as services that work together by events."""
