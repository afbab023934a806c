"""The simulated bank's misbehaviour, where the shop has such a bank beside it."""

from collections.abc import Sequence
from typing import Any

from litestar import Response, get, post

from sagamart.web.console.acting import act, why
from sagamart.web.console.entrance import SHOWN_BY, shown_beside
from sagamart.web.forms import Form
from sagamart.web.visit import Visit

EXTENTS: Sequence[str] = ("never", "once", "sometimes", "always")


@get("/console/bank")
async def bank(visit: Visit) -> Response[Any]:
    """How the bank misbehaves now."""
    found = await shown_beside(visit, "bank")
    if found is None:
        return visit.page("console/no_demo.html", status=404, text_key="console.no_bank_text")
    return visit.page("console/bank.html", extents=EXTENTS, **found)


@post("/console/bank")
async def misbehave(visit: Visit, form: Form) -> Response[Any]:
    """Have the bank misbehave so from now on."""
    found = await visit.api.get(SHOWN_BY["bank"])
    switches = {name: form.text(name) for name in found["switches"] if form.text(name) in EXTENTS}
    body = {"switches": switches, **why(form)}
    return await act(visit, form, "PUT", SHOWN_BY["bank"], body, told="console.done_bank")


ROUTES = (bank, misbehave)
