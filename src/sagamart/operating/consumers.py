"""`sagamart operate consumers`, `pause` and `resume`: whether services take messages from one another."""

import asyncio
import time
from typing import Annotated

from cyclopts import Parameter, validators
from rich.table import Table

from sagamart.operating.commands import Why, operate
from sagamart.operating.shop import HERE, Access, OperatingError, Shop, ask
from sagamart.operating.telling import console

COLUMNS = ("service", "paused", "waiting_messages", "by", "why", "at")
LOOK_S = 0.5
DRAINED_S_MAX = 600.0
"""So long a paused service may take to finish what is in its queue."""


@operate.command
def consumers(*, access: Access = HERE) -> None:
    """List the services: which take no messages now, who said so, and how many wait in the queue of a replica."""

    async def shown(shop: Shop) -> None:
        table = Table(*COLUMNS)
        for one in await _all(shop):
            table.add_row(*("" if one[name] is None else str(one[name]) for name in COLUMNS))
        console().print(table)

    ask(access, shown)


@operate.command
def pause(
    *services: str,
    why: Why,
    quiet_s: Annotated[
        float,
        Parameter(
            help="How long nothing may wait in any queue before all count as at rest; at least as long as a transaction"
            " may take, where there are replicas.",
            validator=validators.Number(gte=0),
        ),
    ] = 30.0,
    access: Access = HERE,
) -> None:
    """Have these services (all, if none is named) take no messages from others, and wait until they are at rest.

    Requests are answered meanwhile; what they tell other services waits.  The pause holds until somebody resumes.
    """

    async def paused(shop: Shop) -> None:
        for one in await _chosen(shop, services):
            if not one["paused"]:
                await shop.post(f"/v1/operations/consumers/{one['service']}/pause", {"why": why})
        await _until_quiet(shop, services, quiet_s)
        console().print("They are paused, and at rest.")

    ask(access, paused)


@operate.command
def resume(*services: str, why: Why, access: Access = HERE) -> None:
    """Have these services (all, if none is named) take messages again, those first that have waited longest."""

    async def resumed(shop: Shop) -> None:
        for one in await _chosen(shop, services):
            if one["paused"]:
                await shop.post(f"/v1/operations/consumers/{one['service']}/resume", {"why": why})
        console().print("They take messages.")

    ask(access, resumed)


async def _all(shop: Shop) -> list[dict[str, object]]:
    return [one async for one in shop.all("/v1/operations/consumers")]


async def _chosen(shop: Shop, services: tuple[str, ...]) -> list[dict[str, object]]:
    """Those that are named, or all.  Raises OperatingError for one that there is not, or that does not answer."""
    known = {str(one["service"]): one for one in await _all(shop)}
    shop.check_whole()
    unknown = [name for name in services if name not in known]
    if unknown:
        raise OperatingError(f"there is no service {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in services or known]


async def _until_quiet(shop: Shop, services: tuple[str, ...], quiet_s: float) -> None:
    started = quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < quiet_s:
        if time.monotonic() - started > DRAINED_S_MAX:
            raise OperatingError(f"messages still wait after {DRAINED_S_MAX:g} s; all stay paused")
        if any(one["waiting_messages"] for one in await _chosen(shop, services)):
            quiet_since = time.monotonic()
        await asyncio.sleep(LOOK_S)
