"""A slice's named queries, bound to its connections."""

from collections.abc import Callable
from functools import partial
from typing import Any


class Queries:
    """`await queries.stock_of(sku="…")`: each query of `queries.sql` under its name, on a connection of the pool."""

    def __init__(self, named: Any, pool: Any) -> None:
        self._named = named
        self._pool = pool

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The query of this name.  Raises AttributeError where the slice has none."""
        return partial(getattr(self._named, name), self._pool)
