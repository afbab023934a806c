"""The bank's HTTP application: routes for merchants, customers and the administrator, and their document."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Litestar, Router

from sagamart.bank import admin_api, api, customer_api
from sagamart.bank.api import Ask, Desk
from sagamart.bank.callers import Doors, merchant_of
from sagamart.platform.http.application import VERSION
from sagamart.platform.http.binding import Provider, bind
from sagamart.platform.http.bodies import ShopRequest
from sagamart.platform.http.docs_pages import docs_routes
from sagamart.platform.http.documents import document
from sagamart.platform.http.languages import provide_language
from sagamart.platform.http.limits import Clients
from sagamart.platform.http.operations import Check, Info, operations_routes
from sagamart.platform.http.problems import HANDLERS
from sagamart.platform.http.shell import Shell
from sagamart.platform.metrics import Metrics

BODY_BYTES_MAX = 64 * 1024
NAME = "sagamart-bank"


def build_app(desk: Desk, *, admin_key: str, checks: Mapping[str, Check], node: str = NAME) -> Litestar:
    """The application of a bank."""
    providers: dict[str, Provider] = {
        "ask": partial(_ask, desk),
        "desk": lambda _request: desk,
        "merchant": merchant_of,
        "language": provide_language,
    }
    metrics = Metrics()
    own = operations_routes(lambda: Info(VERSION, node, ["bank"]), checks, metrics)
    shown = Router("/", route_handlers=[bind(route, providers) for route in (*api.ROUTES, *admin_api.ROUTES, *own)])
    pages = docs_routes([], lambda _name: document([shown], VERSION, NAME))
    app = Litestar(
        [shown, *(bind(page, providers) for page in (*customer_api.ROUTES, *pages))],
        before_request=Doors(desk.merchants, admin_key).check,
        exception_handlers=HANDLERS,
        request_class=ShopRequest,
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
    )
    metrics.about(VERSION, node)
    app.asgi_handler = Shell(app.asgi_handler, Clients(()), None, on_answer=(metrics.answered,))
    return app


def _ask(desk: Desk, request: Any) -> Ask:
    return Ask(request, desk)
