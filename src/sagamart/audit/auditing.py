"""An audit: look, wait, look again at the suspects only.

What is seen at different moments in different databases need not fit, so a first look only raises suspicion.  It is a
finding if it looks the same at the same versions `settle_s` later, and no message about it was under way by then: such
a message is on its way to mend it, and one that never arrives is a finding of its own.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from sagamart.audit import across, one_database
from sagamart.audit.findings import Finding, Suspect
from sagamart.audit.snapshots import Only, Snapshots, snapshots

SETTLE_S = 5.0

Check = one_database.Check | across.Check


async def audit(
    dsns: Mapping[str, str], *, settle_s: float = SETTLE_S, progress: Callable[[str], None] = lambda _: None
) -> list[Finding]:
    """Check the invariants that concern these services, in a shop that runs or rests; `dsns` are by service.

    Reads only.  Takes at least `settle_s` where anything looks wrong.  Raises asyncpg's errors for a database that
    cannot be read.
    """
    checks: Sequence[Check] = [*one_database.checks(frozenset(dsns)), *across.checks(frozenset(dsns))]
    suspected: list[tuple[Check, set[Suspect]]] = []
    async with snapshots(dsns) as look:
        for check in checks:
            progress(str(check))
            suspects = await _suspects(check, look, None)
            if suspects:
                suspected.append((check, suspects))
    if not suspected:
        return []

    progress(f"{sum(len(suspects) for _, suspects in suspected)} suspects: looking again in {settle_s:g} s")
    await asyncio.sleep(settle_s)
    found = await _look_again(dsns, suspected)
    return sorted({Finding(one.invariant, one.subject, one.seen) for one in found})


async def _look_again(dsns: Mapping[str, str], suspected: Sequence[tuple[Check, set[Suspect]]]) -> set[Suspect]:
    keys = sorted({suspect.subject for check, found in suspected if _crosses(check) for suspect in found})
    # Asked before the second look: a message that had arrived by now has had its effect by then.
    async with snapshots(dsns) as look:
        moving = {
            row["key"]
            for service in look.services
            for row in await look.rows(service, "messaging", "keys_under_way", keys)
        }
    found: set[Suspect] = set()
    async with snapshots(dsns) as look:
        for check, before in suspected:
            same = before & await _suspects(check, look, sorted({suspect.subject for suspect in before}))
            found |= {suspect for suspect in same if not (_crosses(check) and suspect.subject in moving)}
    return found


async def _suspects(check: Check, look: Snapshots, only: Only) -> set[Suspect]:
    return {suspect async for suspect in check.suspects(look, only)}


def _crosses(check: Check) -> bool:
    return isinstance(check, across.Check)
