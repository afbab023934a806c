"""The saga linter: what an order's table must hold so that no money and no goods are lost, doubled or stuck."""

from sagamart.blueprints.saga.reading import THE_SAGA, Saga
from sagamart.blueprints.saga.rules import RULES, Finding, lint

__all__ = ["RULES", "THE_SAGA", "Finding", "Saga", "lint"]
