"""What only a demonstration has, over HTTP: orders that place themselves, and services that can be killed.

Without `--demo` these routes do not exist.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from litestar import get, post, put
from litestar.handlers import HTTPRouteHandler

from sagamart.platform.http.bodies import RequestBody
from sagamart.platform.http.callers import roles
from sagamart.platform.http.dead_letters import STAFF, Reason, ServiceName
from sagamart.platform.tokens import Caller


class Kill(msgspec.Struct, frozen=True):
    """A service that died and came back.

    `open_*` are the orders on their way just before, just before it came back, and some time after; `findings` what the
    audit found after that.  Null: not known yet.
    """

    service: str
    by: str
    why: str
    at: datetime
    open_before: int
    open_during: int | None = None
    revived_at: datetime | None = None
    open_after: int | None = None
    findings: int | None = None


class DemoState(msgspec.Struct, frozen=True):
    """The demonstration as it is: whether orders place themselves, how many have, and the latest kills."""

    traffic: bool
    placed: int
    ended: int
    refused: int
    trouble: str | None
    services: Sequence[str]
    kills: Sequence[Kill]


class Traffic(RequestBody, frozen=True):
    """Whether orders shall place themselves."""

    on: bool


class Stage(Protocol):
    """What a demonstration can do."""

    @property
    def state(self) -> DemoState:
        """The demonstration as it is."""

    async def turn(self, *, on: bool) -> None:
        """Have orders place themselves, or not."""

    async def kill(self, service: str, by: str, why: str) -> None:
        """Kill a service, and revive it some seconds later.  Raises Problem."""


def demo_routes(stage: Stage) -> list[HTTPRouteHandler]:
    """The routes of this demonstration."""

    @get("/v1/operations/demo", guards=[STAFF], tags=["operations"])
    async def demonstration() -> DemoState:
        """How the demonstration is."""
        return stage.state

    @put("/v1/operations/demo/traffic", guards=[STAFF], tags=["operations"])
    async def turn_traffic(data: Traffic) -> DemoState:
        """Have orders place themselves, or not."""
        await stage.turn(on=data.on)
        return stage.state

    @post("/v1/operations/demo/kills/{service:str}", guards=[roles("ADMIN")], tags=["operations"], status_code=202)
    async def kill_service(service: ServiceName, data: Reason, caller: Caller) -> DemoState:
        """Kill a service in the middle of whatever it does; some seconds later it begins its next life."""
        await stage.kill(service, caller.id, data.why)
        return stage.state

    return [demonstration, turn_traffic, kill_service]
