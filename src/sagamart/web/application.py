"""The pages as one application."""

from collections.abc import Mapping
from typing import Any

import httpx
from litestar import Litestar
from litestar.datastructures import State

from sagamart.platform.http.binding import Provider, bind
from sagamart.platform.http.limits import Clients, buckets_of
from sagamart.platform.http.shell import Shell
from sagamart.platform.http.tracing import begin_trace
from sagamart.platform.metrics import Metrics
from sagamart.platform.settings import HttpSettings
from sagamart.platform.traces import Traces
from sagamart.web.answering import Answering
from sagamart.web.api_client import ANSWER_S_MAX
from sagamart.web.forms import FORM_BYTES_MAX, form_of, read_form
from sagamart.web.pages import ROUTES
from sagamart.web.problem_pages import HANDLERS
from sagamart.web.settings import WebSection
from sagamart.web.visit import Pages, visit_of

API_ADDRESS = "http://sagamart"
"""The address of an API in this process; nobody looks it up."""

PROVIDED: Mapping[str, Provider] = {"visit": visit_of, "form": form_of}


def build_pages(
    settings: WebSection,
    http: HttpSettings,
    *,
    api: httpx.AsyncBaseTransport | None = None,
    metrics: Metrics | None = None,
    traces: Traces | None = None,
) -> Litestar:
    """The pages over an API in this process, or else over the one at `settings.api_url`.

    With `metrics` each page is counted there; with `traces` it is a span, and what it asks of the API lies below it.
    """
    client = httpx.AsyncClient(
        transport=api,
        base_url=API_ADDRESS if api is not None else settings.api_url,
        timeout=ANSWER_S_MAX,
        trust_env=False,
        follow_redirects=False,
    )
    app = Litestar(
        [bind(route, PROVIDED) for route in ROUTES],
        before_request=read_form,
        exception_handlers=HANDLERS,
        request_max_body_size=FORM_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
        state=State({"pages": Pages(client, settings.https, traced=traces is not None)}),
    )
    on_answer = [one.answered for one in (metrics, traces) if one is not None]
    inner: Any = Answering(app.asgi_handler, https=settings.https)
    app.asgi_handler = Shell(
        inner,
        Clients(http.trusted_proxies),
        buckets_of(http),
        begin=begin_trace if traces is None else traces.begin,
        on_answer=on_answer,
    )
    return app
