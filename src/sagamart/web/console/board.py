"""The board: how the shop is doing now, and whether everything adds up."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post

from sagamart.web.console.acting import act
from sagamart.web.console.charts import depth_chart, pace_chart, step_chart
from sagamart.web.console.durations import duration
from sagamart.web.console.trouble import missing_from
from sagamart.web.forms import Form
from sagamart.web.visit import Visit

SECONDS = 60


@get("/console/board")
async def board(visit: Visit) -> Response[Any]:
    """Orders, steps, services and the audit, as far as they answer; for htmx again every other second."""
    pace, steps, vitals, audit = await asyncio.gather(
        visit.api.reach("/v1/operations/orders/pace", seconds=SECONDS),
        visit.api.reach("/v1/operations/steps"),
        visit.api.get("/v1/operations/vitals", past_s=SECONDS),
        visit.api.reach("/v1/operations/audit"),
    )
    now = datetime.now(UTC).isoformat() if pace is None else pace["now"]
    template = "console/board_now.html" if visit.is_fragment else "console/board.html"
    return visit.page(
        template,
        pace=None if pace is None else pace_chart(pace),
        steps=step_chart([] if steps is None else steps["items"]),
        services=vitals["items"],
        missing=missing_from(vitals),
        outbox=sum(one["outbox"] or 0 for one in vitals["items"]),
        queued=sum(one["queue_messages"] + one["queue_requests"] for one in vitals["items"]),
        dead=sum(one["dead_letters"] or 0 for one in vitals["items"]),
        depths=depth_chart(vitals["items"], now),
        audit=audit,
        audited_s=None if audit is None else _seconds(audit["ended_at"], now),
        duration=duration,
    )


def _seconds(begin: str | None, end: str) -> float | None:
    return None if begin is None else (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


@post("/console/board/audit")
async def run_audit(visit: Visit, form: Form) -> Response[Any]:
    """Have the audit run now."""
    return await act(visit, form, "POST", "/v1/operations/audit", told="console.audit_begun")


ROUTES = (board, run_audit)
