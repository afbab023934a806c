"""The simulated bank's misbehaviour, where the pages know one beside the shop (`SAGAMART_WEB_BANK_URL`).

The bank knows no staff: who may do this is asked of the shop, which tells of reconciliation only to operators.
"""

from collections.abc import Sequence
from typing import Any

import httpx
from litestar import Response, get, post

from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.forms import Form
from sagamart.web.visit import Visit

ANSWER_S_MAX = 5.0
MISBEHAVIOURS = (
    "times_out",
    "answers_late",
    "lands_late",
    "refuses",
    "not_found",
    "answers_oversized",
    "answers_wrong_type",
    "answers_redirect",
    "down",
    "unreachable",
    "webhook_late",
    "webhook_twice",
    "webhook_out_of_order",
    "webhook_wrong_signature",
    "webhook_lost",
)
EXTENTS: dict[str, Json] = {"once": {"next": 1}, "sometimes": {"probability": 0.3}, "always": {}}


@get("/console/bank")
async def bank(visit: Visit) -> Response[Any]:
    """How the bank misbehaves now."""
    if not await _may(visit):
        return visit.page("console/no_demo.html", status=404, text_key="console.no_bank_text")
    found = await _asked(visit, "GET")
    now = {one["misbehaviour"]: _extent(one) for one in found["rules"] if one.get("next") != 0}
    return visit.page(
        "console/bank.html", names=MISBEHAVIOURS, extents=("never", *EXTENTS), now=now, fired=found["fired"]
    )


@post("/console/bank")
async def misbehave(visit: Visit, form: Form) -> Response[Any]:
    """Have the bank misbehave so from now on."""
    if not await _may(visit):
        raise ApiProblem(403, "forbidden")
    await _asked(visit, "PUT", {"rules": _rules(form)})
    return visit.go("/console/bank", told="console.done_bank")


async def _may(visit: Visit) -> bool:
    """Whether there is such a bank.  Raises ApiProblem for somebody who is no operator."""
    await visit.api.find("/v1/operations/reconciliation")
    return bool(visit.bank.url)


async def _asked(visit: Visit, method: str, body: Any = None) -> Json:
    headers = {"Authorization": f"Bearer {visit.bank.admin_key}"}
    url = f"{visit.bank.url}/admin/misbehaviour"
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S_MAX, trust_env=False) as http:
            answer = await http.request(method, url, json=body, headers=headers)
            found: Json = answer.raise_for_status().json()
    except httpx.HTTPError as error:
        raise ApiProblem(503, "unreachable") from error
    return found


def _rules(form: Form) -> Sequence[Json]:
    wanted = ((name, form.text(name)) for name in MISBEHAVIOURS)
    return [{"misbehaviour": name, **EXTENTS[extent]} for name, extent in wanted if extent in EXTENTS]


def _extent(rule: Json) -> str:
    if rule.get("next") is not None:
        return "once"
    return "sometimes" if rule.get("probability", 1) < 1 else "always"


ROUTES = (bank, misbehave)
