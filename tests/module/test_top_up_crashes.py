"""A top-up, and the process dies at every step of it, one after the other: the bank is paid once, and credited once.

Payments and the wallet run over the twin, in virtual time.  The bank is a stand-in that keeps to the bank's rules.
"""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Literal

import structlog

from sagamart.messaging.memory import MemoryDatabase
from sagamart.messaging.memory_store import Store
from sagamart.messaging.message import Message, new_id
from sagamart.messaging.outside import OutsideCalls
from sagamart.messaging.requests import Overloaded, StoredReply, request_of
from sagamart.messaging.sweep import Sweep
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.worker import Node, Worker
from sagamart.shop.payments.messages import Answer, BankView, OpenTopUp, StatementEntry
from sagamart.shop.payments.outside import BankSilentError, calls_to
from sagamart.shop.payments.records import Payment
from sagamart.shop.payments.service import PAYMENTS_SERVICE
from sagamart.shop.wallet.records import Clearing, Wallet
from sagamart.shop.wallet.service import WALLET
from simulation.virtual_loop import run_virtually

AT = datetime.fromisoformat("2026-11-21T12:00:00+00:00")
CUSTOMER_PAYS_AFTER_S = 5.0
LASTS_S_MAX = 3600
STEPS_MIN = 40
SWEEPS_SLOWED = 8


class StandIn:
    """A bank that charges once a key, when the customer has confirmed."""

    def __init__(self) -> None:
        self.opened: dict[str, float] = {}
        self.charged_minor = 0

    async def open(self, key: str, kind: Literal["hold", "charge"], amount_minor: int, _currency: str) -> Answer:
        assert kind == "charge"
        if key not in self.opened:
            self.opened[key] = asyncio.get_running_loop().time() + CUSTOMER_PAYS_AFTER_S
            self.charged_minor += amount_minor
        return await self.state(key)

    async def state(self, key: str) -> Answer:
        if key not in self.opened:
            raise BankSilentError("404")
        if asyncio.get_running_loop().time() < self.opened[key]:
            return Answer("pending", "", BankView(key, "needs_confirmation", 1, 0, 0, "https://bank.example/1"))
        return Answer("succeeded", "", BankView(key, "captured", 2, 500, 0))

    async def capture(self, key: str, bank_id: str, amount_minor: int, currency: str) -> Answer:
        raise NotImplementedError(key, bank_id, amount_minor, currency)

    async def refund(self, key: str, bank_id: str, amount_minor: int, currency: str) -> Answer:
        raise NotImplementedError(key, bank_id, amount_minor, currency)

    async def cancel(self, key: str) -> Answer:
        raise NotImplementedError(key)

    async def statement(
        self, since: datetime, until: datetime, cursor: str | None
    ) -> tuple[tuple[StatementEntry, ...], str | None]:
        raise NotImplementedError(since, until, cursor)

    async def close(self) -> None:
        pass


class Mortal(StandIn):
    """The same bank behind a line that ends with the process: it may die before the call, or before the answer."""

    def __init__(self, life: "Life") -> None:
        super().__init__()
        self.life = life

    async def open(self, key: str, kind: Literal["hold", "charge"], amount_minor: int, currency: str) -> Answer:
        await self.life.step("before the bank is called")
        answer = await super().open(key, kind, amount_minor, currency)
        await self.life.step("before the bank's answer is heard")
        return answer


class Life:
    """A process with payments and the wallet, that dies at one step and begins again."""

    def __init__(self, dies_at: int) -> None:
        self.dies_at = dies_at
        self.steps: list[str] = []
        self.bank = Mortal(self)
        self.stores = {one.name: Store(one, clock=self.clock) for one in (PAYMENTS_SERVICE, WALLET)}
        self.died = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def clock(self) -> datetime:
        return AT + timedelta(seconds=asyncio.get_running_loop().time())

    async def step(self, point: str) -> None:
        """One of the moments between which something is done."""
        self.steps.append(point)
        if len(self.steps) == self.dies_at:
            self.died.set()
            await asyncio.get_running_loop().create_future()  # the end comes in here

    async def begin(self) -> None:
        node = Node("n", self.clock, lambda: 0.5)
        transport = LocalTransport()
        self.workers: dict[str, Worker] = {}
        for service in (PAYMENTS_SERVICE, WALLET):
            database = MemoryDatabase(self.stores[service.name], node="n", pause=self.step)
            worker = self.workers[service.name] = Worker(service, database, transport, node=node)
            if not await database.begin_life("n"):
                worker.be_careful()
        calls = OutsideCalls(self.workers["payments"], [calls_to(self.bank)])
        runs = [calls.run(), *(worker.run() for worker in self.workers.values())]
        self.tasks = [asyncio.create_task(run) for run in (*runs, *map(sweeping, self.workers.values()))]

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def ask(self, number: int) -> StoredReply:
        """The customer's request; each attempt is a message of its own, under the same key."""
        message_id = new_id(self.clock(), number.to_bytes(10))
        body = OpenTopUp(f"top_{number}", "cus_1", 500, "RUB")
        message = Message(
            id=message_id,
            type="OpenTopUp",
            key=body.key,
            source="http",
            at=self.clock(),
            correlation=message_id,
            body=body,
        )
        return await self.workers["payments"].ask(message, request_of("cus_1", "top-ups", "key-1", {}))

    @property
    def settled(self) -> bool:
        """Whether the customer has an answer, and all that followed has come to rest."""
        payments = self.stores["payments"].rows[Payment].values()
        return any(one.credited for one in payments) and not any(store.outbox for store in self.stores.values())


def sweeping(worker: Worker) -> Coroutine[None, None, None]:
    """Sweeps as rare as they may be: each look for nothing would be a step."""
    sweep = Sweep(worker)
    sweep._jobs = [(every_s * SWEEPS_SLOWED, job) for every_s, job in sweep._jobs]
    return sweep.run()


async def lived(dies_at: int) -> Life:
    """A top-up from the customer's wish to the credit."""
    life = Life(dies_at)
    attempt = 0
    reply: StoredReply | None = None
    begun = asyncio.create_task(life.begin())
    async with asyncio.timeout(LASTS_S_MAX):
        while reply is None or not life.settled:
            await asyncio.sleep(0.25)
            if life.died.is_set():
                life.died.clear()
                begun.cancel()
                await asyncio.gather(begun, return_exceptions=True)
                await life.end()
                await life.begin()
            if reply is None and begun.done() and not life.died.is_set():
                attempt += 1
                reply = await answer_or_none(life, attempt)
    await life.end()
    return life


async def answer_or_none(life: Life, attempt: int) -> StoredReply | None:
    """The reply, or none where the process dies meanwhile: the customer asks again under the same key."""
    asked = asyncio.create_task(life.ask(attempt))
    dead = asyncio.create_task(life.died.wait())
    await asyncio.wait({asked, dead}, return_when=asyncio.FIRST_COMPLETED)
    dead.cancel()
    if not asked.done():
        asked.cancel()
    try:
        return await asked
    except (asyncio.CancelledError, Overloaded):
        return None


def test_wherever_the_process_dies_the_bank_charges_once_and_the_wallet_is_credited_once() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[lambda *_: ""])
    points: set[str] = set()
    try:
        dies_at = 1
        while True:
            life = run_virtually(lived(dies_at))
            if len(life.steps) < dies_at:
                break
            points.add(life.steps[dies_at - 1])
            where = f"died at step {dies_at}, {life.steps[dies_at - 1]}"
            (wallet,) = life.stores["wallet"].rows[Wallet].values()
            assert (life.bank.charged_minor, wallet.balance_minor) == (500, 500), where
            assert len(life.stores["payments"].rows[Payment]) == 1, where
            assert len(life.stores["wallet"].rows[Clearing]) == 1, where
            assert not any(store.letters for store in life.stores.values()), where
            dies_at += 1
    finally:
        structlog.reset_defaults()
    assert dies_at > STEPS_MIN
    assert {"before the bank is called", "before the bank's answer is heard", "commit", "committed"} <= points
