"""The front door: the routes of the services that run in this process, as one application.

Each service's routes get their own `ask` and `queries`; everything else is the same for all.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Litestar, Request, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler

from sagamart.platform.http.asking import Admit, Ask
from sagamart.platform.http.bodies import BODY_BYTES_MAX, ShopRequest, loose_fields
from sagamart.platform.http.callers import provide_caller
from sagamart.platform.http.languages import provide_language
from sagamart.platform.http.problems import HANDLERS
from sagamart.platform.http.versions import provide_expected_version
from sagamart.platform.tokens import Tokens


class Mounted(msgspec.Struct, frozen=True):
    """A service as the front door sees it: its routes, how to ask its worker, and its reads."""

    name: str
    routes: Sequence[HTTPRouteHandler]
    ask: Admit
    queries: Any


def build_app(
    services: Sequence[Mounted],
    *,
    tokens: Tokens,
    node: str = "",
) -> Litestar:
    """The application of these services.  Raises TypeError for a request body that lets anything in."""
    for service in services:
        _check_bodies(service)
    return Litestar(
        [_router(service, node) for service in services],
        dependencies={
            "caller": Provide(provide_caller, sync_to_thread=False),
            "language": Provide(provide_language, sync_to_thread=False),
            "expected_version": Provide(provide_expected_version, sync_to_thread=False),
        },
        exception_handlers=HANDLERS,
        request_class=ShopRequest,
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
        state=State({"tokens": tokens, "account_admission": lambda _caller: None}),
    )


def _router(service: Mounted, node: str) -> Router:
    def provide_ask(request: Request[Any, Any, Any]) -> Ask:
        return Ask(request, service.ask, node)

    return Router(
        "/",
        route_handlers=list(service.routes),
        dependencies={
            "ask": Provide(provide_ask, sync_to_thread=False),
            "queries": Provide(lambda: service.queries, sync_to_thread=False),
        },
        tags=[service.name],
    )


def _check_bodies(service: Mounted) -> None:
    for route in service.routes:
        sent = route.fn.__annotations__.get("data")
        loose = [] if sent in (None, bytes) else list(loose_fields(sent))
        if loose:
            raise TypeError(f"{service.name}: {', '.join(sorted(route.paths))}: {'; '.join(loose)}")
