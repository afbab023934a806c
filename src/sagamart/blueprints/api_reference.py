"""`docs/reference/api.md`: every route of every service and process on a page; OpenAPI has each in full."""

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from litestar.handlers import HTTPRouteHandler

from sagamart.platform.http import Process
from sagamart.platform.http.application import process_routes
from sagamart.platform.http.auditing import audit_routes
from sagamart.platform.http.callers import ROLES
from sagamart.platform.http.demo import demo_routes
from sagamart.platform.http.vitals import vital_routes
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

EVERY_PROCESS = """
Where services are processes of their own, the front door asks all of them and makes one answer of the lists; what names
a service goes to it. `/info` and `/metrics` are for staff only where [`SAGAMART_HTTP_MONITORING`](settings.md) says so.
"""
WHOLE_SHOP = """
A process that has every service's database, as `sagamart up` has, audits the shop; elsewhere `sagamart audit` does.
"""
DEMONSTRATION = """
With `sagamart up --demo` only.
"""


def api_reference() -> str:
    """The document."""
    nobody: Any = None  # the routes are read, never asked
    services = [_table(name.capitalize(), SLICES[name](ShopSettings()).routes) for name in SLICES]
    processes = [
        _table("Every process", [*process_routes(Process(), ()), *vital_routes({})], EVERY_PROCESS),
        _table("The whole shop", audit_routes(nobody), WHOLE_SHOP),
        _table("A demonstration", demo_routes(nobody), DEMONSTRATION),
    ]
    return HEAD + "".join([*services, *processes])


def _table(title: str, routes: Iterable[HTTPRouteHandler], about: str = "") -> str:
    rows = sorted(row for route in routes for row in _rows(route))
    head = ["", f"## {title}", about, "| route | what | who |", "|---|---|---|"]
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
