"""A slice's named queries, bound to its connections."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from inspect import isasyncgen
from typing import Any

import aiosql


class Queries:
    """`await queries.stock_of(sku="…")`: each query of `queries.sql` under its name, on a connection of the pool."""

    def __init__(self, named: Any, pool: Any) -> None:
        self._named = named
        self._pool = pool

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """The query of this name; one for many rows gives a list.  Raises AttributeError where the slice has none."""
        query = getattr(self._named, name)

        async def read(**parameters: Any) -> Any:
            found = query(self._pool, **parameters)
            return [row async for row in found] if isasyncgen(found) else await found

        return read


def queries_of(package: str, pool: Any) -> Queries:
    """The queries of a slice's package, such as sagamart.shop.stock."""
    text = files(package).joinpath("queries.sql").read_text(encoding="utf-8")
    return Queries(aiosql.from_str(text, "asyncpg", mandatory_parameters=False), pool)
