"""The demonstration: orders that place themselves, and services that are killed to see that nothing is lost."""

import asyncio
from typing import Any

from litestar import Response, get, post

from sagamart.web.console.acting import act, why
from sagamart.web.console.charts import pace_chart
from sagamart.web.console.entrance import shown_beside
from sagamart.web.forms import Form
from sagamart.web.visit import Visit

SECONDS = 60


@get("/console/demo")
async def demonstration(visit: Visit) -> Response[Any]:
    """What can be done in a demonstration, and what has been; for htmx again every second."""
    state, pace = await asyncio.gather(
        shown_beside(visit, "demo"), visit.api.get("/v1/operations/orders/pace", seconds=SECONDS)
    )
    if state is None:
        return visit.page("console/no_demo.html", status=404)
    template = "console/demo_now.html" if visit.is_fragment else "console/demo.html"
    return visit.page(template, state=state, pace=pace_chart(pace))


@post("/console/demo/traffic")
async def traffic(visit: Visit, form: Form) -> Response[Any]:
    """Have orders place themselves, or not."""
    on = form.text("on") == "true"
    told = "console.traffic_on" if on else "console.traffic_off"
    return await act(visit, form, "PUT", "/v1/operations/demo/traffic", {"on": on}, told=told)


@post("/console/demo/kills")
async def kill(visit: Visit, form: Form) -> Response[Any]:
    """Kill a service."""
    path = visit.path_of("/v1/operations/demo/kills", form.text("service"))
    return await act(visit, form, "POST", path, why(form), told="console.killed")


ROUTES = (demonstration, traffic, kill)
