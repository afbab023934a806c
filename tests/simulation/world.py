"""One run: a shop of real services over the twin, faults by the seed, then peace, rest, and an audit."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog

from sagamart.messaging.fold import Batch
from sagamart.messaging.limits import Limits
from sagamart.messaging.memory_store import Check, OutboxRow, Store, TimerRow
from sagamart.messaging.outbox import lines
from sagamart.messaging.service import Service
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.worker import Worker
from sagamart.shop.accounts.service import ACCOUNTS
from sagamart.shop.catalogue.service import CATALOGUE
from sagamart.shop.notifications.service import NOTIFICATIONS
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.messages import LateMoney
from sagamart.shop.orders.records import Order
from sagamart.shop.orders.service import ORDERS_SERVICE
from sagamart.shop.orders.stepping import DEADLINE
from sagamart.shop.payments.decide import PaymentRules
from sagamart.shop.payments.messages import Reconcile
from sagamart.shop.payments.outside import calls_to
from sagamart.shop.payments.service import payments_service
from sagamart.shop.promotions.records import CustomerUses, PromoCode
from sagamart.shop.promotions.service import PROMOTIONS
from sagamart.shop.shipping.service import SHIPPING
from sagamart.shop.stock.records import Reservation, Sku
from sagamart.shop.stock.service import STOCK
from sagamart.shop.wallet.records import Wallet
from sagamart.shop.wallet.service import WALLET
from simulation.audit import audit
from simulation.bank import SimulatedBank
from simulation.chaos import Chaos
from simulation.customers import UNPAID_MAX, Customers
from simulation.evidence import Evidence
from simulation.network import Network, Wire
from simulation.people import RECONCILE, People
from simulation.poison import RELEASED_AFTER_S_MAX, Poison, release
from simulation.processes import CLOCK_WRONG_S_MAX, Process, Surroundings
from simulation.staff import Staff
from simulation.virtual_loop import NothingWillHappenError, run_virtually
from stock_ways import looking_in

PAYMENTS = payments_service(PaymentRules(statement_settle_s=0))
SERVICES: Sequence[Service] = (
    ACCOUNTS,
    CATALOGUE,
    STOCK,
    ORDERS_SERVICE,
    WALLET,
    PAYMENTS,
    SHIPPING,
    PROMOTIONS,
    NOTIFICATIONS,
)
CHECKS: dict[type, Check] = {
    Sku: lambda sku: 0 <= sku.reserved <= sku.on_hand and sku.missing >= 0,
    Wallet: lambda wallet: 0 <= wallet.held_minor <= wallet.balance_minor,
    PromoCode: lambda code: code.used >= 0 and (code.uses_max is None or code.used <= code.uses_max),
    CustomerUses: lambda own: own.used >= 0 and (own.uses_max is None or own.used <= own.uses_max),
}
ORDERS = 18
BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CRASH_EVERY_S = 2.0
LOOK_EVERY_S = 5.0
TROUBLE_S_MAX = 600.0
REST_S_MAX = 900.0 + CLOCK_WRONG_S_MAX
"""An order that was placed by a clock that is ahead waits for as much longer."""

HASTE = (1.0, 0.3, 0.1, 0.02)
BANK_HAS_TIME = 0.5
"""In so many runs the bank's page stays open however soon an order is given up: its money comes late."""

BATCHES = (1, 3, 20, 500)
QUEUES = (3, 30, 20_000)
UNARRIVED = (10**9, 30, 3)


class Outcome(msgspec.Struct):
    """What a run came to."""

    seed: int
    orders: int
    trace: str
    fired: Counter[str]
    statuses: Counter[str]
    lasted_s: float
    violations: list[str]
    ends: set[str]
    """What orders knew when they had ended: the states that the run reached."""

    acts: Counter[str]
    """What people asked for and got, by the first word of its name, and what became of changes and of late money."""


class Emitted(dict[str, OutboxRow]):
    """An outbox that remembers every message that was ever committed to it."""

    def __init__(self, seen: dict[str, str]) -> None:
        super().__init__()
        self.seen = seen

    def update(self, *rows: Any, **named: Any) -> None:
        super().update(*rows, **named)
        for row in dict(*rows, **named).values():
            for raw in lines(row.messages):
                message = msgspec.json.decode(raw)
                self.seen[message["id"]] = message["type"]


class Timers(dict[tuple[str, str], TimerRow]):
    """Timers that fire sooner than they should, so that deadlines meet what they wait for."""

    def __init__(self, clock: Callable[[], datetime], haste: float) -> None:
        super().__init__()
        self._clock = clock
        self._haste = haste

    def update(self, *rows: Any, **named: Any) -> None:
        now = self._clock()
        for place, row in dict(*rows, **named).items():
            self[place] = msgspec.structs.replace(row, due_at=now + (row.due_at - now) * self._haste)


class World:
    """The shop of one run."""

    def __init__(self, seed: int, without: Collection[str] = ()) -> None:
        self.chaos = Chaos(seed, without)
        self.poison = Poison(self.chaos)
        self.services = [self.poison.within(service) for service in SERVICES]
        random = self.chaos.random
        self.haste = random.choice(HASTE)
        self.bank_has_time = random.random() < BANK_HAS_TIME
        self.emitted: dict[str, str] = {}
        self.violations: list[str] = []
        self.searches: Counter[str] = Counter()
        self.workers: list[Worker] = []
        self.stores = {service.name: self._store(service) for service in self.services}
        self.consumers: dict[str, list[str]] = {}
        for service in self.services:
            for kind in sorted(service.consumes):
                self.consumers.setdefault(kind, []).append(service.name)
        self.network = Network(self.chaos, self.consumers)
        self.bank = SimulatedBank(self.chaos, self.clock)
        self.processes = self._processes()
        self.people = People(self.chaos, self.clock, self.processes, self.stores)
        self.bank.tell = self.people.webhook
        self.staff = Staff(self.people)
        self.customers = Customers(self.people)

    def clock(self) -> datetime:
        """Give the time, as databases and people have it."""
        return BEGIN + timedelta(seconds=asyncio.get_running_loop().time())

    async def run(self, orders: int) -> None:
        """Trouble, then peace, then rest, then a last look at the bank's statement."""
        for process in self.processes.values():
            process.start()
        crashes = asyncio.create_task(self._crash_somebody())
        shipping = asyncio.create_task(self.staff.ship())
        try:
            async with asyncio.timeout(TROUBLE_S_MAX):
                await self.staff.fill_the_shop()
                await asyncio.gather(self.customers.order(orders), self.staff.meddle())
        except TimeoutError:
            self.violations.append("somebody still waits for an answer")
        except LookupError as lost:
            self.violations.append(f"somebody looks for what they were promised: {lost}")
        crashes.cancel()
        self.chaos.heal()
        try:
            async with asyncio.timeout(REST_S_MAX):
                await asyncio.sleep(self.chaos.random.uniform(0, RELEASED_AFTER_S_MAX))
                for store in self.stores.values():
                    release(store)
                await self._rest()
                await self.people.ask("payments", "reconcile", Reconcile())
                await self._rest()
        except TimeoutError:
            self.violations.append("the shop does not come to rest")
        shipping.cancel()
        self.violations += [f"{worker.name}: {worker.failed}" for worker in self.workers if worker.failed]
        self.violations += self.poison.surprises
        self.violations += audit(Evidence(self.stores, self.people.asked, self.emitted, self.consumers, self.bank))

    @property
    def statuses(self) -> Counter[str]:
        """How the orders ended."""
        orders = self.stores["orders"].rows[Order].values()
        return Counter(order.reason or order.status for order in orders)

    @property
    def ends(self) -> set[str]:
        """How orders ended, and what they had learned by then."""
        orders = self.stores["orders"].rows[Order].values()
        return {f"{order.status} {order.attempt} {sorted(map(str, order.known))}" for order in orders}

    @property
    def acts(self) -> Counter[str]:
        """What was done, and what became of it."""
        orders = self.stores["orders"].rows[Order].values()
        done = Counter(key.split()[0] for key, asked in self.people.asked.items() if asked.granted)
        done["change undone"] = sum(order.plan.unmet is not None for order in orders)
        done["address kept"] = sum(order.plan.kept is not None for order in orders)
        done["address changed"] = sum(fact.name == "shipment_changed" for order in orders for fact in order.known)
        return +(done + self.searches)

    def _store(self, service: Service) -> Store:
        store = Store(service, clock=self.clock, checks=CHECKS)
        store.outbox = Emitted(self.emitted)
        waits_longer = self.bank_has_time and service.name == PAYMENTS.name
        store.timers = Timers(self.clock, 1.0 if waits_longer else self.haste)
        store.letters = self.poison.letters_of(service.name)
        return store

    def _processes(self) -> dict[str, Process]:
        """Two replicas of each service, each in a process of its own; or two processes of all services."""
        random = self.chaos.random
        together = random.random() < 0.3
        around = Surroundings(
            self.chaos,
            self.clock,
            self.stores,
            transport=LocalTransport if together else lambda: Wire(self.network),
            limits=Limits(
                batch_max=random.choice(BATCHES),
                messages_max=random.choice(QUEUES),
                unarrived_max=random.choice(UNARRIVED),
            ),
            outside={PAYMENTS.name: [calls_to(self.bank)], STOCK.name: [looking_in(self._reservations)]},
            on_start=self._watch,
            crashes={},
        )
        if together:
            return {name: Process(name, self.services, around) for name in ("shop-1", "shop-2")}
        named = [(f"{service.name}-{number}", service) for service in self.services for number in (1, 2)]
        return {name: Process(name, [service], around) for name, service in named}

    def _reservations(self) -> Iterable[Reservation]:
        found: Iterable[Reservation] = list(self.stores[STOCK.name].rows[Reservation].values())
        return found

    def _watch(self, worker: Worker) -> None:
        self.workers.append(worker)
        if worker.name == "orders":
            worker.on_batch += [self._check_orders, self._note_searches]

    def _note_searches(self, batch: Batch, _seconds: float) -> None:
        """How often late money looked for a free slot."""
        for arrival in batch.arrivals:
            if isinstance(arrival.message.body, LateMoney):
                self.searches["slot sought"] += 1

    def _check_orders(self, _batch: Batch, _seconds: float) -> None:
        """At no moment has a customer too many unpaid orders, or an order nothing that wakes it."""
        store = self.stores["orders"]
        parked = {letter.key for letter in store.letters.values()}
        unpaid: Counter[str] = Counter()
        for order in store.rows[Order].values():
            state = LIFECYCLE[order.status]
            unpaid[order.customer_id] += state.unpaid
            waits = not state.final and order.order_id not in parked
            if waits and (order.order_id, DEADLINE) not in store.timers:
                self.violations.append(f"{order.order_id} is {order.status} without a deadline")
        self.violations += [f"{who} has {n} unpaid orders" for who, n in unpaid.items() if n > UNPAID_MAX[who]]

    async def _crash_somebody(self) -> None:
        while True:
            await asyncio.sleep(self.chaos.random.uniform(0, CRASH_EVERY_S))
            process = self.chaos.random.choice(list(self.processes.values()))
            if process.may_crash and self.chaos.strikes("crash"):
                process.crash()

    async def _rest(self) -> None:
        while not (self.violations or self._is_at_rest()):  # noqa: ASYNC110  nothing tells when a shop is at rest
            await asyncio.sleep(LOOK_EVERY_S)

    def _is_at_rest(self) -> bool:
        waiting = any(any(worker.waiting) for process in self.processes.values() for worker in process.workers.values())
        outside = self.bank.landing or self.people.on_the_way or not self.staff.has_nothing_to_do
        return not (waiting or outside or any(_has_something_to_do(store) for store in self.stores.values()))


def _has_something_to_do(store: Store) -> bool:
    return bool(store.outbox) or bool(store.letters) or any(row.name != RECONCILE for row in store.timers.values())


def simulate(seed: int, orders: int = ORDERS, without: Collection[str] = ()) -> Outcome:
    """Run one seed to its end, `without` these kinds of faults."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[_swallow])
    try:
        return run_virtually(_simulated(seed, orders, without))
    finally:
        structlog.reset_defaults()


async def _simulated(seed: int, orders: int, without: Collection[str]) -> Outcome:
    world = World(seed, without)
    try:
        await world.run(orders)
    except NothingWillHappenError:
        world.violations.append("everybody waits for somebody")
    for name, store in world.stores.items():
        world.chaos.note(name, sorted(store.inbox), store.rows)
    lasted_s = asyncio.get_running_loop().time()
    return Outcome(
        seed,
        orders,
        world.chaos.trace,
        world.chaos.fired,
        world.statuses,
        lasted_s,
        world.violations,
        world.ends,
        world.acts,
    )


def _swallow(_logger: Any, _name: str, _event: Any) -> Any:
    raise structlog.DropEvent
