"""What operators of this process have beside what every process has: vitals, the audit, and a demonstration's stage."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from litestar.handlers import HTTPRouteHandler

from sagamart.app import Shop
from sagamart.audit import INVARIANTS, audit
from sagamart.platform.http.auditing import Auditor, ShownFinding, audit_routes
from sagamart.platform.http.demo import demo_routes
from sagamart.platform.http.vitals import vital_routes
from sagamart.slices import SLICES
from sagamart.stage import LiveStage


class Rooms:
    """The operators' further routes; `async with rooms.open(address)` while the process listens there.

    The audit needs all services' databases; the stage is there in a demonstration only.
    """

    def __init__(self, shop: Shop, dsns: Mapping[str, str], *, demo: bool = False) -> None:
        self._dsns = dsns
        self.auditor = Auditor(self._audit, len(INVARIANTS)) if set(dsns) == set(SLICES) else None
        self.stage = LiveStage(shop, self._audit) if demo else None
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

    async def _audit(self) -> Sequence[ShownFinding]:
        return [ShownFinding(one.invariant, one.name, one.subject, one.seen) for one in await audit(self._dsns)]
