"""The front door: the routes of the services that run in this process, as one application.

Each service's routes get their own `ask` and `queries`; everything else is the same for all.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

import msgspec
from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from sagamart.platform.http.asking import Admit, Ask
from sagamart.platform.http.binding import Provider, bind, check_first
from sagamart.platform.http.bodies import BODY_BYTES_MAX, ShopRequest, loose_fields
from sagamart.platform.http.callers import caller_of
from sagamart.platform.http.languages import provide_language
from sagamart.platform.http.limits import Clients, admission_of, buckets_of
from sagamart.platform.http.problems import HANDLERS
from sagamart.platform.http.shell import Shell
from sagamart.platform.http.versions import provide_expected_version
from sagamart.platform.settings import HttpSettings
from sagamart.platform.tokens import Tokens


class Mounted(msgspec.Struct, frozen=True):
    """A service as the front door sees it: its routes, how to ask its worker, and its reads."""

    name: str
    routes: Sequence[HTTPRouteHandler]
    ask: Admit
    queries: Any


COMMON: Mapping[str, Provider] = {
    "caller": caller_of,
    "language": provide_language,
    "expected_version": provide_expected_version,
}


def build_app(
    services: Sequence[Mounted],
    *,
    tokens: Tokens,
    settings: HttpSettings | None = None,
    node: str = "",
) -> Litestar:
    """The application of these services.  Raises TypeError for a request body that lets anything in."""
    settings = settings or HttpSettings()
    for service in services:
        _check_bodies(service)
    app = Litestar(
        [_router(service, node) for service in services],
        before_request=check_first,
        exception_handlers=HANDLERS,
        request_class=ShopRequest,
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
        state=State({"tokens": tokens, "account_admission": admission_of(buckets_of(settings))}),
    )
    app.asgi_handler = Shell(app.asgi_handler, Clients(settings.trusted_proxies), buckets_of(settings))
    return app


def _router(service: Mounted, node: str) -> Router:
    providers: dict[str, Provider] = {
        **COMMON,
        "ask": lambda request: Ask(request, service.ask, node),
        "queries": lambda _request: service.queries,
    }
    return Router("/", route_handlers=[bind(route, providers) for route in service.routes], tags=[service.name])


def _check_bodies(service: Mounted) -> None:
    for route in service.routes:
        sent = get_type_hints(route.fn, include_extras=True).get("data")
        loose = [] if sent in (None, bytes) else list(loose_fields(sent))
        if loose:
            raise TypeError(f"{service.name}: {', '.join(sorted(route.paths))}: {'; '.join(loose)}")
