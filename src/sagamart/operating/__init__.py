"""What operators do from a terminal: the story of an order, and the acts of `sagamart operate`, over the public API."""

from sagamart.operating import consumers
from sagamart.operating.commands import operate
from sagamart.operating.shop import VARIABLES
from sagamart.operating.telling import order

__all__ = ["VARIABLES", "consumers", "operate", "order"]
