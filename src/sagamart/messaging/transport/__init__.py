"""Three ways a message travels, one interface."""
