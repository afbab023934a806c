"""Consumers over HTTP, for operators: which services take messages from others, pause one, resume one.

To pause what is paused, or resume what is not, is refused with 409, so a repeated click does no harm.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import datetime

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler

from sagamart.messaging.pausing import Consumer, Pause
from sagamart.platform.http.dead_letters import STAFF, Reason, ServiceName
from sagamart.platform.http.paging import JoinedPage
from sagamart.platform.http.problems import NotFound, Problem
from sagamart.platform.tokens import Caller


class ShownConsumer(msgspec.Struct, frozen=True):
    """A service that takes messages.  `waiting_messages` are in the queue of the replica that answers."""

    service: str
    paused: bool
    by: str | None
    why: str | None
    at: datetime | None
    waiting_messages: int


def consumer_routes(consumers: Mapping[str, Consumer]) -> list[HTTPRouteHandler]:
    """The routes over these consumers."""

    def known(service: str) -> Consumer:
        if service not in consumers:
            raise NotFound("There is no such service here")
        return consumers[service]

    @get("/v1/operations/consumers", guards=[STAFF], tags=["operations"])
    async def list_consumers() -> JoinedPage[ShownConsumer]:
        """Every service, and whether it takes messages from the others."""
        states = await asyncio.gather(*(one.state() for one in consumers.values()))
        return JoinedPage([_shown(one, state) for one, state in zip(consumers.values(), states, strict=True)])

    @post(
        "/v1/operations/consumers/{service:str}/pause",
        guards=[STAFF],
        tags=["operations"],
        status_code=200,
        opt={"also": (409,)},
    )
    async def pause(service: ServiceName, data: Reason, caller: Caller) -> ShownConsumer:
        """Take no more messages from other services.  Requests go on; what is in the queue is finished."""
        consumer = known(service)
        return await _acted(consumer, consumer.pause(caller.id, data.why), "already_paused", "It is paused already")

    @post(
        "/v1/operations/consumers/{service:str}/resume",
        guards=[STAFF],
        tags=["operations"],
        status_code=200,
        opt={"also": (409,)},
    )
    async def resume(service: ServiceName, data: Reason, caller: Caller) -> ShownConsumer:
        """Take messages again, those first that have waited longest."""
        consumer = known(service)
        return await _acted(consumer, consumer.resume(caller.id, data.why), "not_paused", "It is not paused")

    return [list_consumers, pause, resume]


async def _acted(consumer: Consumer, act: Awaitable[Pause | None], code: str, title: str) -> ShownConsumer:
    state = await act
    if state is None:
        raise Problem(409, code, title)
    return _shown(consumer, state)


def _shown(consumer: Consumer, state: Pause) -> ShownConsumer:
    worker = consumer.worker
    return ShownConsumer(worker.name, state.paused, state.by, state.why, state.at, worker.waiting[0])
