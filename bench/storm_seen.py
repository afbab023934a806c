"""What `make load` agrees on: the shop's goods, its phases, and what the customers saw."""

import msgspec

PRODUCTS = 20
PASSWORD = "otter counts nine reeds"  # noqa: S105  of people who do not exist
SPIKE = 3
"""In a spike there are so many times the customers of the other phases."""


class Seen(msgspec.Struct):
    """All that was seen: milliseconds by phase and request; refusals, wrong answers and orders by their names."""

    latencies_ms: dict[str, dict[str, list[float]]] = {}
    refusals: dict[str, int] = {}
    wrong: dict[str, int] = {}
    orders: dict[str, int] = {}


def sku(number: int) -> str:
    """A product, 0 to PRODUCTS - 1."""
    return f"load-{number:02d}"
