"""An auditor that audits again and again: one at a time, sooner after one that failed, and it tells verdicts only."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from sagamart.platform.http.auditing import Auditor, ShownFinding

WITHIN_S = 60.0
LOST = ShownFinding(5, "stock is its movements and covers what is reserved", "MUG", "two pieces too many")


class Shop:
    """A shop that is audited: first its databases are away, then a mug is lost, then all is well."""

    def __init__(self) -> None:
        self.audits = 0
        self.verdicts: list[list[str]] = []
        self.seen = asyncio.Event()

    async def audit(self) -> Sequence[ShownFinding]:
        self.audits += 1
        if self.audits == 1:
            raise ConnectionError("the database is away")
        return [LOST] if self.audits == 2 else []

    def keep(self, findings: Sequence[ShownFinding], _ended: datetime, _took_s: float) -> None:
        self.verdicts.append([one.subject for one in findings])
        if len(self.verdicts) == 2:
            self.seen.set()


async def test_an_audit_follows_the_other_and_one_that_failed_gives_no_verdict() -> None:
    shop = Shop()
    auditor = Auditor(shop.audit, 16, on_verdict=shop.keep)
    repeating = asyncio.create_task(auditor.repeat(0.01))
    async with asyncio.timeout(WITHIN_S):
        await shop.seen.wait()
    repeating.cancel()
    await auditor.stop()

    assert shop.verdicts[:2] == [["MUG"], []]
    assert shop.audits >= 3
    assert (auditor.last.outcome, auditor.last.found) == ("holds", 0)


async def test_the_first_audit_is_at_once_and_one_that_is_asked_for_meanwhile_is_not_a_second() -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def audit() -> Sequence[ShownFinding]:
        begun.set()
        await done.wait()
        return []

    auditor = Auditor(audit, 16)
    auditor.start()
    repeating = asyncio.create_task(auditor.repeat(3600))
    async with asyncio.timeout(WITHIN_S):
        await begun.wait()
        done.set()
        while auditor.last.outcome is None:  # noqa: ASYNC110  what an auditor saw last is no event
            await asyncio.sleep(0.01)
    repeating.cancel()
    await auditor.stop()

    assert (auditor.last.outcome, auditor.is_running) == ("holds", False)
