"""The story of an order as a table to read."""

from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from sagamart.operating.shop import HERE, Access, Shop, ask

PLAIN_COLUMNS = 200
"""How wide a table is where it does not go to a terminal."""


def order(order_id: str, *, access: Access = HERE) -> None:
    """Print the story of an order: who said what to whom, when, and because of which message before.

    Its owner and operators may hear it.  `#` counts the messages; `why` names the one that each follows from, `-` where
    that is a request, a deadline or an answer of the bank.

    Try it:  sagamart order ord_0193… --email operator@sagamart.example
    """

    async def told(shop: Shop) -> None:
        entries = [entry async for entry in shop.all(f"/v1/orders/{order_id}/timeline")]
        console().print(story(order_id, entries))

    ask(access, told)


def console() -> Console:
    """Standard output: as wide as the terminal, or wide enough for a table."""
    standard = Console(highlight=False)
    return standard if standard.is_terminal else Console(highlight=False, width=PLAIN_COLUMNS)


def story(order_id: str, entries: list[dict[str, Any]]) -> Table:
    """Messages as a table, one a row; times count from the first."""
    began = entries[0]["at"] if entries else ""
    drawn = Table(title=f"{order_id}, from {began}")
    for name in ("#", "why", "ms"):
        drawn.add_column(name, justify="right", no_wrap=True)
    for name in ("from", "to", "message", "says", "order is", "v", "node", "body"):
        drawn.add_column(name, overflow="fold")
    for entry in entries:
        drawn.add_row(
            str(entry["number"]),
            str(entry["because_of"] or "-"),
            str(_ms(began, entry["at"])),
            entry["source"],
            ", ".join(entry["to"]),
            entry["type"],
            entry["text"],
            entry["status"] or "",
            str(entry["order_version"] or ""),
            entry["node"],
            _facts(entry["body"]),
        )
    return drawn


def _ms(began: str, at: str) -> int:
    return round((datetime.fromisoformat(at) - datetime.fromisoformat(began)).total_seconds() * 1000)


def _facts(body: dict[str, Any]) -> str:
    return " ".join(f"{name}={value if isinstance(value, str) else _json(value)}" for name, value in body.items())


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
