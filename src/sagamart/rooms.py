"""What operators of this process have beside what every process has: vitals, the audit, and a demonstration's stage."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

from litestar.handlers import HTTPRouteHandler

from sagamart.app import Shop
from sagamart.audit import INVARIANTS, audit, figures_of
from sagamart.platform.http.auditing import AUDIT_S_MAX, Auditor, ShownFinding, audit_routes
from sagamart.platform.http.demo import demo_routes
from sagamart.platform.http.vitals import vital_routes
from sagamart.platform.metrics import Metrics, Reading
from sagamart.slices import SLICES
from sagamart.stage import LiveStage

DEMO_AUDIT_EVERY_S = 60.0
"""How often the audit runs while orders place themselves."""


class Rooms:
    """The operators' further routes; `async with rooms.open(address)` while the process listens there.

    The audit needs all services' databases; the stage is there in a demonstration only.
    """

    def __init__(self, shop: Shop, dsns: Mapping[str, str], *, demo: bool = False) -> None:
        self.auditor = auditor_of(dsns, shop.metrics) if set(dsns) == set(SLICES) else None
        audits = None if self.auditor is None else partial(self.auditor.repeat, DEMO_AUDIT_EVERY_S)
        self.stage = LiveStage(shop, shown_audit(dsns), audits=audits) if demo else None
        self.routes: Sequence[HTTPRouteHandler] = (
            *vital_routes(shop.vitals),
            *(() if self.auditor is None else audit_routes(self.auditor)),
            *(() if self.stage is None else demo_routes(self.stage)),
        )

    @asynccontextmanager
    async def open(self, address: str) -> AsyncIterator[None]:
        """Let operators do these things; at the end, what is under way is given up."""
        if self.stage is not None:
            self.stage.address = address
        try:
            yield
        finally:
            if self.stage is not None:
                await self.stage.stop()
            if self.auditor is not None:
                await self.auditor.stop()


def auditor_of(dsns: Mapping[str, str], metrics: Metrics, audit_s_max: float = AUDIT_S_MAX) -> Auditor:
    """An auditor of these databases, whose figures are among those of its process."""
    known: list[Reading] = []

    def keep(findings: Sequence[ShownFinding], ended: datetime, took_s: float) -> None:
        known[:] = figures_of((one.invariant for one in findings), ended=ended, seconds=took_s)

    metrics.show(lambda: known)
    return Auditor(shown_audit(dsns), len(INVARIANTS), audit_s_max=audit_s_max, on_verdict=keep)


def shown_audit(dsns: Mapping[str, str]) -> Callable[[], Awaitable[Sequence[ShownFinding]]]:
    """An audit of these databases, as operators are shown what it finds."""

    async def run() -> Sequence[ShownFinding]:
        return [ShownFinding(one.invariant, one.name, one.subject, one.seen) for one in await audit(dsns)]

    return run
