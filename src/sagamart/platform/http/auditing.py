"""The audit over HTTP, for operators: run it on the shop as it works, one at a time, and see what it found last.

A process that is there for it alone audits again and again by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec
import structlog
from litestar import get, post
from litestar.handlers import HTTPRouteHandler

from sagamart.platform.http.dead_letters import STAFF
from sagamart.platform.http.problems import Problem

AUDIT_S_MAX = 120.0
AGAIN_S = 60.0
"""After one that failed, the next is not put off for longer."""

SHOWN_MAX = 100
"""Findings that are named; the rest is counted."""

log = structlog.get_logger("sagamart.http")


class ShownFinding(msgspec.Struct, frozen=True):
    """An invariant that does not hold: its number and name, the id of what it is about, and what was seen."""

    invariant: int
    name: str
    subject: str
    seen: str


class AuditView(msgspec.Struct, frozen=True):
    """The audit: whether it runs now, and how the last one ended; null where there was none since the start.

    `invariants` are checked; `found` counts what does not hold, of which `findings` are the first.
    """

    running: bool
    invariants: int
    outcome: Literal["holds", "found", "failed"] | None = None
    ended_at: datetime | None = None
    took_s: float | None = None
    found: int = 0
    findings: Sequence[ShownFinding] = ()


Run = Callable[[], Awaitable[Sequence[ShownFinding]]]
OnVerdict = Callable[[Sequence[ShownFinding], datetime, float], None]
"""Is told what an audit found, when it ended, and how many seconds it took; not of one that failed."""


class Auditor:
    """Runs audits, one at a time, each for `audit_s_max` at most."""

    def __init__(
        self,
        run: Run,
        invariants: int,
        *,
        audit_s_max: float = AUDIT_S_MAX,
        on_verdict: OnVerdict = lambda *_verdict: None,
    ) -> None:
        self._run = run
        self._audit_s_max = audit_s_max
        self._on_verdict = on_verdict
        self._task: asyncio.Task[None] | None = None
        self.last = AuditView(running=False, invariants=invariants)

    @property
    def view(self) -> AuditView:
        """What is known now."""
        return msgspec.structs.replace(self.last, running=self.is_running)

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return self._task is not None and not self._task.done()

    def start(self) -> AuditView:
        """Begin an audit.  Raises Problem where one is under way."""
        if self.is_running:
            raise Problem(409, "audit_running", "An audit is under way")
        self._task = asyncio.create_task(self._audit(), name="audit")
        return self.view

    async def repeat(self, every_s: float) -> None:
        """Audit at once, and again `every_s` after each end, sooner after one that failed; until cancelled."""
        while True:
            if not self.is_running:
                self.start()
            if self._task is not None:
                await asyncio.wait([self._task])
            await asyncio.sleep(min(every_s, AGAIN_S) if self.last.outcome == "failed" else every_s)

    async def stop(self) -> None:
        """Give up what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _audit(self) -> None:
        began = datetime.now(UTC)
        findings: Sequence[ShownFinding] = ()
        outcome: Literal["holds", "found", "failed"] = "failed"
        try:
            async with asyncio.timeout(self._audit_s_max):
                findings = await self._run()
            outcome = "found" if findings else "holds"
        except Exception as error:  # whatever went wrong: there is no verdict, and the log says why
            log.warning("audit failed", exc_info=error)
        ended = datetime.now(UTC)
        took_s = (ended - began).total_seconds()
        if outcome != "failed":
            self._on_verdict(findings, ended, took_s)
        self.last = msgspec.structs.replace(
            self.last,
            outcome=outcome,
            ended_at=ended,
            took_s=took_s,
            found=len(findings),
            findings=tuple(findings[:SHOWN_MAX]),
        )


def audit_routes(auditor: Auditor) -> list[HTTPRouteHandler]:
    """The routes over this auditor."""

    @get("/v1/operations/audit", guards=[STAFF], tags=["operations"])
    async def last_audit() -> AuditView:
        """What the last audit found, and whether one is under way."""
        return auditor.view

    @post("/v1/operations/audit", guards=[STAFF], tags=["operations"], status_code=202, opt={"also": (409,)})
    async def run_audit() -> AuditView:
        """Check that no money and no goods are lost, doubled or stuck, in the shop as it works.  Reads only."""
        return auditor.start()

    return [last_audit, run_audit]
