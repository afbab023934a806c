"""`docs/reference/api.md`: every route of every service on a page; the OpenAPI document has each in full."""

import inspect
from collections.abc import Iterator

from litestar.handlers import HTTPRouteHandler

from sagamart.platform.http.callers import ROLES
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES

HEAD = """# API

Written by `make docs` from the services' routes; a test compares. A running shop has the whole of it, with every
field, as OpenAPI 3.1 at `/openapi.json`, and to be tried at `/docs`.

- What is not the answer that was asked for is a [problem](problems.md).
- Whatever changes something takes an `Idempotency-Key`: asked again under the same key, it has its effect once.
- Lists come page by page: `limit`, and `cursor` from `next_cursor`.
- Money is in minor units with its currency; times are UTC.
"""


def api_reference() -> str:
    """The document."""
    return HEAD + "".join(_service(name) for name in SLICES)


def _service(name: str) -> str:
    rows = sorted(row for route in SLICES[name](ShopSettings()).routes for row in _rows(route))
    head = ["", f"## {name.capitalize()}", "", "| route | what | who |", "|---|---|---|"]
    lines = [f"| `{method} {path}` | {what} | {who} |" for path, method, what, who in rows]
    return "\n".join([*head, *lines, ""])


def _rows(route: HTTPRouteHandler) -> Iterator[tuple[str, str, str, str]]:
    told = " ".join((route.fn.__doc__ or "").strip().split("\n\n")[0].split())
    for path in route.paths:
        for method in sorted(route.http_methods - {"OPTIONS", "HEAD"}):
            shown = "/".join(part.partition(":")[0] + "}" if part.startswith("{") else part for part in path.split("/"))
            yield shown, method, told, _who(route)


def _who(route: HTTPRouteHandler) -> str:
    """Who may ask: what its guards let pass; where it only looks at who asks, whoever is logged in."""
    wanted = [getattr(guard, ROLES) for guard in route.guards or () if hasattr(guard, ROLES)]
    named = sorted({role for roles in wanted for role in roles})
    if named:
        return ", ".join(role.lower() for role in named)
    looks = "caller" in inspect.signature(route.fn).parameters
    return "whoever is logged in" if wanted or looks else "everybody"
