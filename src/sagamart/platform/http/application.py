"""The front door: the routes of the services that run in this process, as one application.

Each service's routes get their own `ask` and `queries`; everything else is the same for all.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, get_type_hints

import msgspec
from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from sagamart.messaging.operations import DeadLetters
from sagamart.messaging.operator_actions import OperatorActions
from sagamart.messaging.pausing import Consumer
from sagamart.platform.http.asking import Admit, Ask
from sagamart.platform.http.binding import Provider, bind, check_first
from sagamart.platform.http.bodies import BODY_BYTES_MAX, ShopRequest, loose_fields
from sagamart.platform.http.callers import caller_of
from sagamart.platform.http.consumers import consumer_routes
from sagamart.platform.http.dead_letters import STAFF, dead_letter_routes
from sagamart.platform.http.docs_pages import docs_routes
from sagamart.platform.http.documents import TITLE, document
from sagamart.platform.http.languages import provide_language
from sagamart.platform.http.limits import Clients, admission_of, buckets_of
from sagamart.platform.http.operations import Check, Info, metrics_route, operations_routes
from sagamart.platform.http.operator_actions import operator_action_routes
from sagamart.platform.http.problems import HANDLERS
from sagamart.platform.http.shell import OnAnswer, Shell
from sagamart.platform.http.tracing import begin_trace
from sagamart.platform.http.versions import provide_expected_version
from sagamart.platform.metrics import Metrics
from sagamart.platform.settings import HttpSettings
from sagamart.platform.tokens import Tokens
from sagamart.platform.traces import Traces


class Mounted(msgspec.Struct, frozen=True):
    """A service as the front door sees it: its routes, how to ask its worker, and its reads."""

    name: str
    routes: Sequence[HTTPRouteHandler]
    ask: Admit
    queries: Any


VERSION = version("sagamart")

COMMON: Mapping[str, Provider] = {
    "caller": caller_of,
    "language": provide_language,
    "expected_version": provide_expected_version,
}


class Process(msgspec.Struct, frozen=True):
    """The process around the services: settings, name, needs to be ready, measures, and what operators see to."""

    settings: HttpSettings = HttpSettings()
    node: str = ""
    checks: Mapping[str, Check] = {}
    metrics: Metrics = msgspec.field(default_factory=Metrics)
    letters: Mapping[str, DeadLetters] = {}
    consumers: Mapping[str, Consumer] = {}
    actions: Mapping[str, OperatorActions] = {}
    traces: Traces | None = None
    routes: Sequence[HTTPRouteHandler] = ()
    """Further routes of this process."""

    @property
    def on_answer(self) -> Sequence[OnAnswer]:
        """Who is told of every answer."""
        return (self.metrics.answered, *(() if self.traces is None else (self.traces.answered,)))

    @property
    def begin(self) -> Callable[[Any], str]:
        """What gives each request its trace."""
        return begin_trace if self.traces is None else self.traces.begin


def build_app(
    services: Sequence[Mounted],
    *,
    tokens: Tokens,
    process: Process | None = None,
    pages: Sequence[HTTPRouteHandler] = (),
) -> Litestar:
    """The application of these services.  `pages` are routes of no service, which are in no API document.

    Raises TypeError for a request body that lets anything in.
    """
    for service in services:
        _check_bodies(service)
    process = process or Process()
    settings = process.settings
    names = [service.name for service in services]
    routers = {service.name: _router(service, process.node) for service in services}
    others = Router("/", route_handlers=[bind(route, COMMON) for route in process_routes(process, names)])
    documents = docs_routes(names, lambda name: _document(name, routers, others))
    clients = Clients(settings.trusted_proxies)
    app = Litestar(
        [*routers.values(), others, *(bind(page, COMMON) for page in (*documents, *pages))],
        before_request=check_first,
        exception_handlers=HANDLERS,
        request_class=ShopRequest,
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
        state=State({"tokens": tokens, "account_admission": admission_of(buckets_of(settings)), "clients": clients}),
    )
    process.metrics.about(VERSION, process.node)
    app.asgi_handler = Shell(
        app.asgi_handler,
        clients,
        buckets_of(settings),
        settings.bodies_bytes_max,
        begin=process.begin,
        on_answer=process.on_answer,
    )
    return app


def process_routes(process: Process, names: Sequence[str]) -> list[HTTPRouteHandler]:
    """What a process with these services offers beside them."""
    guards = [STAFF] if process.settings.monitoring == "staff" else []
    return [
        *operations_routes(lambda: _info(process, names), process.checks, process.metrics, guards),
        *dead_letter_routes(process.letters),
        *consumer_routes(process.consumers),
        *operator_action_routes(process.actions),
        *process.routes,
    ]


def build_metrics_app(metrics: Metrics) -> Litestar:
    """An application that answers /metrics to whoever reaches it, and nothing else."""
    return Litestar([metrics_route(metrics)], openapi_config=None, logging_config=None)


def _info(process: Process, names: Sequence[str]) -> Info:
    paused = [name for name, consumer in process.consumers.items() if consumer.worker.paused]
    return Info(VERSION, process.node, names, paused)


def _document(name: str | None, routers: Mapping[str, Router], others: Router) -> bytes:
    if name is None:
        return document([*routers.values(), others], VERSION)
    return document([routers[name]], VERSION, f"{TITLE}: {name}")


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
