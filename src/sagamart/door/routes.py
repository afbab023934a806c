"""Which service a path belongs to: read off the services' own routes, so that it is written down once.

The audit is no service, and is in the table as if it were one: what is asked of it goes to the process that audits.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from litestar.handlers import HTTPRouteHandler

from sagamart.audit import AUDIT
from sagamart.platform.http.auditing import Auditor, ShownFinding, audit_routes
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES

_PARAMETER = re.compile(r"\{([^}:]+)(?::[^}]*)?\}")
_ANY = "{}"


class RouteTable:
    """Path templates such as `/v1/orders/{order_id:str}`, by service.

    Where two templates fit a path, the one with the earlier literal segment is meant.
    """

    def __init__(self, paths: Mapping[str, Iterable[str]]) -> None:
        """Raises ValueError where two services offer the same path."""
        self.paths = {
            service: sorted(_PARAMETER.sub(r"{\1}", path) for path in some) for service, some in paths.items()
        }
        self._root: dict[str, Any] = {}
        owners: dict[str, str] = {}
        for service, some in self.paths.items():
            for path in some:
                shape = _PARAMETER.sub(_ANY, path)
                if owners.setdefault(shape, service) != service:
                    raise ValueError(f"{path} is offered by {owners[shape]} and by {service}")
                self._add(shape, service)

    def service_of(self, path: str) -> str | None:
        """The service that offers this path; None where none does."""
        return _find(self._root, [segment for segment in path.split("/") if segment])

    def _add(self, shape: str, service: str) -> None:
        node = self._root
        for segment in shape.split("/"):
            if segment:
                node = node.setdefault(segment, {})
        node[""] = service


def _find(node: Mapping[str, Any], segments: list[str]) -> str | None:
    if not segments:
        return node.get("")
    head, *rest = segments
    for name in (head, _ANY):
        if name in node and (found := _find(node[name], rest)) is not None:
            return found
    return None


def route_table() -> RouteTable:
    """The routes of every service of the shop, and of the audit."""
    settings = ShopSettings()
    routes = {name: build(settings).routes for name, build in SLICES.items()} | {AUDIT: auditing_routes()}
    return RouteTable({name: {path for route in some for path in route.paths} for name, some in routes.items()})


def auditing_routes() -> Sequence[HTTPRouteHandler]:
    """The routes of the audit, as they are written down: nobody audits here."""
    return audit_routes(Auditor(_nothing, 0))


async def _nothing() -> Sequence[ShownFinding]:
    raise RuntimeError("the door hands requests on; it audits nothing")
