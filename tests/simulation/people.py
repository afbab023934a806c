"""Whoever asks the shop for something in a run, and how: under a key, again and again until there is an answer.

Every answer is remembered, as a client would remember it.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from sagamart.messaging.memory_store import Store
from sagamart.messaging.message import Body, Message, new_id
from sagamart.messaging.requests import Overloaded, StoredReply, request_of
from sagamart.shop.payments.messages import BankNotified
from simulation.chaos import Chaos
from simulation.processes import Process

ANSWER_S_MAX = 4.0
WEBHOOK_LATE_S_MAX = 20.0

RECONCILE = "reconcile"
"""The timer of every night: it always stands."""

Wish = Body | Callable[[str], Body]
"""What is asked for; an order takes its id from its message."""


class Asked(msgspec.Struct):
    """A request under one key, and all answers that came back."""

    service: str
    body: Body
    answers: list[StoredReply] = []

    @property
    def granted(self) -> bool:
        """Whether it was done."""
        return bool(self.answers) and self.answers[0].status < 300 and not self.answers[0].refused


class People:
    """What all clients of a run have in common."""

    def __init__(
        self,
        chaos: Chaos,
        clock: Callable[[], datetime],
        processes: Mapping[str, Process],
        stores: Mapping[str, Store],
    ) -> None:
        self.chaos = chaos
        self.clock = clock
        self.processes = processes
        self.stores = stores
        self.asked: dict[str, Asked] = {}
        self.on_the_way: set[asyncio.Task[None]] = set()
        """Webhooks that nobody has answered yet."""

    def rows(self, service: str, kind: type[Any]) -> Mapping[str, Any]:
        """What a service would show of its rows of this kind."""
        return self.stores[service].rows[kind]

    async def ask(self, service: str, key: str, make: Wish) -> StoredReply:
        """Ask under this key until there is an answer; sometimes twice at the same time."""
        asked = self.asked.setdefault(key, Asked(service, _body(make, "")))
        if self.chaos.strikes("request doubled"):
            await asyncio.gather(self._until_answered(asked, key, make), self._until_answered(asked, key, make))
        else:
            await self._until_answered(asked, key, make)
        return asked.answers[0]

    def webhook(self, payment_id: str, bank_version: int) -> None:
        """Let the bank tell that a payment has changed, if its word gets through."""
        event = f"event {payment_id} {bank_version}"
        if self.chaos.strikes("webhook lost"):
            return
        for _ in range(2 if self.chaos.strikes("webhook doubled") else 1):
            late_s = self.chaos.random.uniform(0, WEBHOOK_LATE_S_MAX) if self.chaos.strikes("webhook late") else 0.0
            task = asyncio.create_task(self._bring(event, late_s, BankNotified(payment_id, bank_version)))
            self.on_the_way.add(task)
            task.add_done_callback(self.on_the_way.discard)

    async def _bring(self, event: str, late_s: float, news: BankNotified) -> None:
        await asyncio.sleep(late_s)
        await self.ask("payments", event, news)

    async def _until_answered(self, asked: Asked, key: str, make: Wish) -> None:
        while True:
            reply = await self._try(asked, key, make)
            if reply is not None:
                asked.answers.append(reply)
                if not self.chaos.strikes("reply lost"):
                    return
            await asyncio.sleep(self.chaos.random.uniform(0.1, 1.0))

    async def _try(self, asked: Asked, key: str, make: Wish) -> StoredReply | None:
        service = asked.service
        alive = [process for process in self.processes.values() if service in process.workers]
        if not alive:
            return None
        worker = self.chaos.random.choice(alive).workers[service]
        message = self._message(make)
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return await worker.ask(message, request_of("someone", service, key, key))
        except (Overloaded, TimeoutError):
            return None

    def _message(self, make: Wish) -> Message[Any]:
        now = self.clock()
        message_id = new_id(now, self.chaos.random.randbytes(10))
        body = _body(make, message_id)
        return Message(
            id=message_id,
            type=type(body).__name__,
            key=body.key,
            source="client",
            at=now,
            correlation=message_id,
            body=body,
        )


def _body(wish: Wish, message_id: str) -> Body:
    return wish if isinstance(wish, Body) else wish(message_id)
