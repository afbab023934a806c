"""The line between the bank and a merchant, on which answers come late, broken or not at all.

Rules:
- What the bank does and what the merchant hears of it are two things: a misbehaviour of the line changes only the
  latter, except where the request itself is swallowed or delayed.
- A request that lands late is done by the bank's own task; the caller's connection has been broken before.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from litestar import Response

from sagamart.bank.misbehaviour import Asked, Misbehaviours
from sagamart.platform.http import NotFound, Problem

TRANSPORT = "sagamart.bank.transport"
"""Under `extensions` of an ASGI scope: the connection's transport, to be broken."""

OVERSIZED_BYTES = 16 * 1024 * 1024
ELSEWHERE = "http://elsewhere.example/"

Act = Callable[[bool], Awaitable[bytes]]
"""What the bank does, given whether it is to refuse; its answer in JSON."""

log = structlog.get_logger("sagamart.bank")


class BrokenConnection(Response[Any]):
    """No answer at all: the connection is broken."""

    def __init__(self) -> None:
        self.status_code = 500

    def to_asgi_response(self, *_context: Any, **_layers: Any) -> Any:
        """Itself: no layer of the application adds anything to it."""
        return self

    async def __call__(self, scope: Any, receive: Any, _send: Any) -> None:
        """Break the connection and wait until the server has noticed.  Raises ConnectionAbortedError without one."""
        transport = scope.get("extensions", {}).get(TRANSPORT)
        if transport is None:
            raise ConnectionAbortedError("the bank breaks the connection")
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


class Line:
    """Carries what is asked to the bank, and its answers back."""

    def __init__(self, misbehaviours: Misbehaviours) -> None:
        self.misbehaviours = misbehaviours
        self.on_their_way = set[asyncio.Task[None]]()

    async def carry(self, asked: Asked, act: Act, *, status: int = 200) -> Response[Any]:
        """The answer to what is asked, or what comes in its place.  Raises Problem where the bank is down."""
        fires = self.misbehaviours.fires
        if fires("unreachable", asked):
            return BrokenConnection()
        if fires("down", asked):
            raise Problem(503, "down", "The bank is closed; come back later", headers={"Retry-After": "1"})
        if late := fires("lands_late", asked):
            self._send_later(asked, act, late.delay_s)
            return BrokenConnection()
        if asked.on == "query" and asked.key is not None and fires("not_found", asked):
            raise NotFound("Nothing has come under this key yet; it may still be on its way")
        return await self._answer(asked, await self._done(asked, act), status)

    async def close(self) -> None:
        """Lose what is still on its way."""
        for task in self.on_their_way:
            task.cancel()
        await asyncio.gather(*self.on_their_way, return_exceptions=True)

    async def _done(self, asked: Asked, act: Act) -> bytes:
        can_refuse = asked.on in ("hold", "charge", "capture", "refund")
        return await act(can_refuse and self.misbehaviours.fires("refuses", asked) is not None)

    async def _answer(self, asked: Asked, answer: bytes, status: int) -> Response[Any]:
        fires = self.misbehaviours.fires
        if rule := fires("times_out", asked):
            await asyncio.sleep(rule.delay_s)
            return BrokenConnection()
        if rule := fires("answers_late", asked):
            await asyncio.sleep(rule.delay_s)
        if fires("answers_oversized", asked):
            return Response(b" " * OVERSIZED_BYTES, media_type="application/json")
        if fires("answers_wrong_type", asked):
            return Response(b"<!doctype html><title>Maintenance</title>", media_type="text/html")
        if fires("answers_redirect", asked):
            return Response(b"", status_code=307, headers={"Location": ELSEWHERE})
        return Response(answer, status_code=status, media_type="application/json")

    def _send_later(self, asked: Asked, act: Act, delay_s: float) -> None:
        async def land() -> None:
            await asyncio.sleep(delay_s)
            try:
                await self._done(asked, act)
            except Problem as problem:
                log.info("a request that landed late was not done", key=asked.key, code=problem.code)

        task = asyncio.create_task(land(), name=f"lands late: {asked.key}")
        self.on_their_way.add(task)
        task.add_done_callback(self.on_their_way.discard)
