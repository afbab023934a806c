"""Orders: the choreographer.  It places orders and leads each of them to its end."""
