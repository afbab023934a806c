"""Which services run in this process, and how their messages travel.

Rules:
- Everything here may be started and stopped at any moment: what matters is in the databases.
- Stopping: take no requests, finish the batch at hand, answer the callers, close.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Annotated, Literal, Self

import asyncpg
import msgspec
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from sagamart.contracts.accounts import Contacts
from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.message import Body, Message, new_id
from sagamart.messaging.operations import DeadLetters
from sagamart.messaging.operator_actions import OperatorActions
from sagamart.messaging.outside import Outside, OutsideCalls
from sagamart.messaging.pausing import Consumer
from sagamart.messaging.postgres import PostgresDatabase
from sagamart.messaging.records import Record
from sagamart.messaging.service import Service
from sagamart.messaging.sweep import Sweep
from sagamart.messaging.transport import Transport
from sagamart.messaging.transport.local import LocalTransport
from sagamart.messaging.worker import Limits, Node, Worker
from sagamart.platform.http import Mounted, Queries, queries_of
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.metrics import Metrics
from sagamart.platform.settings import Section, Settings, SettingsError
from sagamart.platform.tokens import Tokens
from sagamart.shop.accounts import api as accounts_api
from sagamart.shop.accounts.contacts import AccountContacts
from sagamart.shop.accounts.service import ACCOUNTS
from sagamart.shop.catalogue import api as catalogue_api
from sagamart.shop.catalogue.service import CATALOGUE
from sagamart.shop.notifications import api as notifications_api
from sagamart.shop.notifications import webhooks_api
from sagamart.shop.notifications.emailing import email
from sagamart.shop.notifications.known_contacts import KnownContacts
from sagamart.shop.notifications.posting import webhooks
from sagamart.shop.notifications.records import Channel
from sagamart.shop.notifications.service import NotificationRules, notifications_service
from sagamart.shop.notifications.settings import EmailSection, SmsSection, WebhookSection
from sagamart.shop.notifications.texting import sms
from sagamart.shop.orders import api as orders_api
from sagamart.shop.orders import operations_api as orders_operations
from sagamart.shop.orders.records import Terms
from sagamart.shop.orders.service import ORDERS_SERVICE
from sagamart.shop.orders.waiting import Waiters
from sagamart.shop.payments import api as payments_api
from sagamart.shop.payments.decide import PaymentRules
from sagamart.shop.payments.http_bank import HttpBank
from sagamart.shop.payments.messages import BeginReconciling
from sagamart.shop.payments.outside import calls_to
from sagamart.shop.payments.service import payments_service
from sagamart.shop.promotions import api as promotions_api
from sagamart.shop.promotions.service import PROMOTIONS
from sagamart.shop.shipping import api as shipping_api
from sagamart.shop.shipping.service import SHIPPING
from sagamart.shop.stock import api as stock_api
from sagamart.shop.stock.service import STOCK
from sagamart.shop.timeline import api as timeline_api
from sagamart.shop.timeline.service import TimelineRules, timeline_service
from sagamart.shop.wallet import api as wallet_api
from sagamart.shop.wallet.service import WalletSettings, wallet_service

LANES = {"orders": 2}
"""Workers' lanes, where one is not enough: orders handles every other message, and its records are not shared."""

READERS_MAX = 4
"""Connections per service for reads; writes have one of their own."""


class OrdersSection(Section, frozen=True):
    """What may be ordered, and how it may be paid."""

    custom_lines: Annotated[
        Literal["off", "staff", "all"], Meta(description="Who may order lines with a title and price of their own")
    ] = "all"
    unpaid_orders_max: Annotated[
        int, Meta(ge=1, le=100, description="Orders that one customer may have unpaid at the same time")
    ] = 1
    booking: Annotated[
        Literal["at_order", "at_payment"],
        Meta(
            description="When the goods of an order that is paid later are reserved: when it is placed, or when a"
            " payment starts, and only checked before"
        ),
    ] = "at_order"
    payment_window_s: Annotated[
        int, Meta(ge=1, le=2_592_000, description="Seconds that an order waits for a payment to be started")
    ] = 300
    payment_attempt_s: Annotated[
        int, Meta(ge=1, le=86_400, description="Seconds that one payment may take, the bank's page included")
    ] = 900
    late_money: Annotated[
        Literal["refund", "revive"],
        Meta(
            description="What becomes of money that comes for an order which was not paid in time: it is refunded, or"
            " it revives the order, if it pays all of it"
        ),
    ] = "refund"


class WalletSection(Section, frozen=True):
    """Who may put money in."""

    customers_may_deposit: Annotated[
        bool, Meta(description="Whether customers deposit into their own wallets, as in a demonstration")
    ] = False


class BankSection(Section, frozen=True):
    """The bank that takes cards."""

    url: Annotated[
        str, Meta(description="Where the bank is; empty: no cards are taken", examples=["http://127.0.0.1:8090"])
    ] = ""
    api_key: Annotated[str, Meta(description="What the bank knows the shop by", extra={"secret": True})] = ""
    webhook_secrets: Annotated[
        tuple[str, ...],
        Meta(
            max_length=2,
            description="What the bank signs its webhooks with (whsec_…); two while one is being replaced",
            extra={"secret": True},
        ),
    ] = ()
    page_hosts: Annotated[
        tuple[str, ...], Meta(description="Hosts of the bank's pages, beside that of its address")
    ] = ()
    return_url: Annotated[str, Meta(description="Where the bank's page sends the customer back to")] = ""
    top_up_minor_max: Annotated[
        int, Meta(ge=1, le=10**12, description="The most that one top-up brings, in minor units")
    ] = 100_000_000


class DatabaseSection(Section, frozen=True):
    """Where the services' databases are, for `serve` and `migrate`; `up` embeds its own."""

    dsn: Annotated[
        str,
        Meta(
            description="DSN of a service's database, {service} in place of its name",
            examples=["postgresql://sagamart_{service}:secret@db/sagamart_{service}"],
            extra={"secret": True},
        ),
    ] = ""
    owner_dsn: Annotated[
        str, Meta(description="The same with the role that owns the tables, for `migrate`", extra={"secret": True})
    ] = ""


class ShopSettings(Settings, frozen=True):
    """All settings of the shop."""

    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="Currency of wallets and custom lines")] = "RUB"
    transport: Annotated[
        Literal["local", "http", "kafka"],
        Meta(description="How messages travel between services: within one process, posted to each other, over Kafka"),
    ] = "local"
    timeline: Annotated[
        Literal["on", "off"],
        Meta(description="Whether all that is said about an order is kept for its timeline; the same in all processes"),
    ] = "on"
    timeline_days: Annotated[int, Meta(ge=1, le=3650, description="Days for which a message is kept in a timeline")] = (
        90
    )
    bank: BankSection = BankSection()
    database: DatabaseSection = DatabaseSection()
    email: EmailSection = EmailSection()
    sms: SmsSection = SmsSection()
    kafka: KafkaSection = KafkaSection()
    orders: OrdersSection = OrdersSection()
    wallet: WalletSection = WalletSection()
    webhooks: WebhookSection = WebhookSection()


class Slice(msgspec.Struct, frozen=True):
    """A service with its routes, what wants to know of every commit, and how its intents reach the world outside.

    `begins` are said to it whenever a process with it starts.
    `reaching` makes adapters that read: of the service's own database, and how to write to people.
    """

    service: Service
    routes: Sequence[HTTPRouteHandler]
    on_commit: Callable[[Sequence[Record]], None] | None = None
    outside: Sequence[Outside] = ()
    begins: Sequence[Body] = ()
    reaching: Callable[[Queries, Contacts], Sequence[Outside]] | None = None


def _orders(settings: ShopSettings) -> Slice:
    waiters = Waiters()
    chosen = settings.orders
    terms = Terms(
        at_payment=chosen.booking == "at_payment",
        window_s=chosen.payment_window_s,
        attempt_s=chosen.payment_attempt_s,
        revive=chosen.late_money == "revive",
    )
    rules = orders_api.OrderSettings(chosen.custom_lines, chosen.unpaid_orders_max, settings.currency, terms)
    routes = (*orders_api.routes(rules, waiters), *orders_operations.ROUTES)
    return Slice(ORDERS_SERVICE, routes, waiters.on_committed)


def _wallet(settings: ShopSettings) -> Slice:
    rules = WalletSettings(settings.currency, settings.wallet.customers_may_deposit)
    return Slice(wallet_service(rules), wallet_api.routes(rules))


def _payments(settings: ShopSettings) -> Slice:
    bank = settings.bank
    rules = PaymentRules(bool(bank.url), settings.currency, bank.top_up_minor_max)
    client = HttpBank(bank.url, bank.api_key, return_url=bank.return_url, page_hosts=frozenset(bank.page_hosts))
    begins = (BeginReconciling(),) if bank.url else ()
    try:
        routes = payments_api.routes(bank.webhook_secrets)
    except ValueError as error:
        raise SettingsError(f"SAGAMART_BANK_WEBHOOK_SECRETS: {error}") from error
    return Slice(payments_service(rules), routes, outside=(calls_to(client),), begins=begins)


def _notifications(settings: ShopSettings) -> Slice:
    configured: dict[Channel, str] = {"email": settings.email.host, "sms": settings.sms.url}
    channels = tuple(channel for channel, place in configured.items() if place)
    rules = NotificationRules(channels, settings.email.repeat_s, settings.webhooks.retry_s)

    def reaching(queries: Queries, contacts: Contacts) -> Sequence[Outside]:
        return (
            email(settings.email, contacts),
            sms(settings.sms, queries, contacts),
            webhooks(settings.webhooks, queries),
        )

    routes = (*notifications_api.ROUTES, *webhooks_api.routes(settings.webhooks))
    return Slice(notifications_service(rules), routes, reaching=reaching)


def _timeline(settings: ShopSettings) -> Slice:
    rules = TimelineRules(settings.timeline == "on", settings.timeline_days)
    return Slice(timeline_service(rules), timeline_api.routes(_hearers(settings)))


def _hearers(settings: ShopSettings) -> Mapping[str, Sequence[str]]:
    """The services that act on each type of message; the timeline only writes it down."""
    found: dict[str, list[str]] = {}
    for service in services_of(settings, [name for name in SLICES if name != "timeline"]).values():
        for kind in service.consumes:
            found.setdefault(kind, []).append(service.name)
    return found


SLICES: Mapping[str, Callable[[ShopSettings], Slice]] = {
    "accounts": lambda _: Slice(ACCOUNTS, accounts_api.ROUTES),
    "catalogue": lambda _: Slice(CATALOGUE, catalogue_api.ROUTES),
    "stock": lambda _: Slice(STOCK, stock_api.ROUTES),
    "orders": _orders,
    "wallet": _wallet,
    "payments": _payments,
    "shipping": lambda _: Slice(SHIPPING, shipping_api.ROUTES),
    "promotions": lambda _: Slice(PROMOTIONS, promotions_api.ROUTES),
    "notifications": _notifications,
    "timeline": _timeline,
}
"""Every service of the shop."""


def services_of(settings: ShopSettings, names: Iterable[str] = SLICES) -> dict[str, Service]:
    """These services of a shop with these settings, as far as messages go."""
    return {name: SLICES[name](settings).service for name in names}


def strangers(settings: ShopSettings, names: Sequence[str]) -> dict[str, set[str]]:
    """Services that are not among these but consume what these send, each with the message types."""
    services = services_of(settings)
    sent = set[str]().union(*(services[name].emits for name in names))
    wanted = {name: set(service.consumes & sent) for name, service in services.items() if name not in names}
    return {name: kinds for name, kinds in wanted.items() if kinds}


def said(body: Body, node: Node) -> Message[Body]:
    """What a process says to its own service."""
    now = node.clock()
    message_id = new_id(now, os.urandom(10))
    return Message(
        id=message_id,
        type=type(body).__name__,
        key=body.key,
        source=node.name,
        at=now,
        correlation=message_id,
        body=body,
        node=node.name,
    )


class Running(msgspec.Struct, frozen=True):
    """One service at work in this process."""

    slice: Slice
    worker: Worker
    calls: OutsideCalls
    consumer: Consumer
    database: PostgresDatabase
    readers: asyncpg.Pool

    @property
    def mounted(self) -> Mounted:
        """The service as the front door sees it."""
        return Mounted(self.slice.service.name, self.slice.routes, self.worker.ask, self.queries)

    @property
    def queries(self) -> Queries:
        """The named queries of its slice."""
        return queries_of(f"sagamart.shop.{self.slice.service.name}", self.readers)


class Shop:
    """Services at work together: `async with Shop(settings, {"stock": dsn}, node=Node("a")) as shop`."""

    def __init__(
        self,
        settings: ShopSettings,
        dsns: Mapping[str, str],
        *,
        node: Node,
        transport: Transport | None = None,
        limits: Limits = Limits(),  # noqa: B008  immutable
    ) -> None:
        self.settings = settings
        self.node = node
        self.transport = transport or LocalTransport()
        self.metrics = Metrics()
        self.services: dict[str, Running] = {}
        self._dsns = dsns
        self._limits = limits
        self._contacts = KnownContacts()
        self._lanes: list[asyncio.Task[None]] = []
        self._sweeps: list[asyncio.Task[None]] = []
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for name, dsn in self._dsns.items():
            self.services[name] = await self._open(SLICES[name](self.settings), dsn)
        for running in self.services.values():
            await self._start(running)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(running.calls.finish() for running in self.services.values()))
        for running in self.services.values():
            running.worker.stop()
        await asyncio.gather(*self._lanes)
        for sweep in self._sweeps:
            sweep.cancel()
        await asyncio.gather(*self._sweeps, return_exceptions=True)
        for running in self.services.values():
            await running.database.end_life(self.node.name)
        await self._closing.aclose()

    def write_letters(self, tokens: Tokens, contacts: KnownContacts) -> None:
        """From now on letters find their addresses, and the links under this seal, through `contacts`.

        Accounts answers there, where it is among the services.  Until then, letters wait in the outbox.
        """
        if "accounts" in self.services:
            contacts.answering = AccountContacts(self.services["accounts"].queries, tokens)
        self._contacts.answering = contacts

    @property
    def mounted(self) -> list[Mounted]:
        """All services as the front door sees them."""
        return [running.mounted for running in self.services.values()]

    @property
    def dead_letters(self) -> dict[str, DeadLetters]:
        """What the services could not handle."""
        return {name: DeadLetters(name, running.readers) for name, running in self.services.items()}

    @property
    def operator_actions(self) -> dict[str, OperatorActions]:
        """What operators did in the services."""
        return {name: OperatorActions(running.readers) for name, running in self.services.items()}

    @property
    def consumers(self) -> dict[str, Consumer]:
        """The services as takers of messages."""
        return {name: running.consumer for name, running in self.services.items()}

    async def _open(self, found: Slice, dsn: str) -> Running:
        database = PostgresDatabase(found.service, dsn, node=self.node.name)
        self._closing.push_async_callback(database.close)
        readers = await asyncpg.create_pool(dsn, min_size=1, max_size=READERS_MAX)
        self._closing.push_async_callback(readers.close)
        worker = Worker(found.service, database, self.transport, node=self.node, limits=self._limits)
        reading = queries_of(f"sagamart.shop.{worker.name}", readers)
        reached = () if found.reaching is None else found.reaching(reading, self._contacts)
        calls = OutsideCalls(worker, [*found.outside, *reached])
        self._closing.push_async_callback(calls.close)
        if found.on_commit is not None:
            worker.on_commit.append(found.on_commit)
        self._measure(worker)
        self.metrics.outside_calls(worker.name, calls)
        return Running(found, worker, calls, Consumer(worker, readers), database, readers)

    async def _start(self, running: Running) -> None:
        """Begin where the last life ended; carefully where it did not end by itself."""
        worker = running.worker
        await running.consumer.heed()
        if not await running.database.begin_life(self.node.name):
            worker.be_careful()
        for lane in range(LANES.get(worker.name, 1)):
            self._lanes.append(asyncio.create_task(worker.run(), name=f"{worker.name} lane {lane}"))
        self._sweeps.append(asyncio.create_task(Sweep(worker).run(), name=f"{worker.name} sweep"))
        self._sweeps.append(asyncio.create_task(running.calls.run(), name=f"{worker.name} outside calls"))
        self._sweeps.append(asyncio.create_task(running.consumer.run(), name=f"{worker.name} pauses"))
        worker.offer_own([Arrival(said(body, self.node)) for body in running.slice.begins])

    def _measure(self, worker: Worker) -> None:
        """Count by batch; read depths when somebody asks."""
        metrics, name = self.metrics, worker.name

        def count(batch: Batch, seconds: float) -> None:
            metrics.batch(name, len(batch.arrivals), seconds)
            metrics.messages(name, "handled", len(batch.changes.handled))
            metrics.messages(name, "duplicate", batch.duplicates)
            metrics.messages(name, "dead", len(batch.changes.dead))

        worker.on_batch.append(count)
        metrics.gauge("queue_messages", "Messages that wait for the worker", name, lambda: worker.waiting[0])
        metrics.gauge("queue_requests", "Requests that wait for the worker", name, lambda: worker.waiting[1])
        metrics.count("admission_refused", "Requests refused for lack of room", name, lambda: worker.turned_away)
        metrics.gauge("under_way_messages", "Messages sent and not arrived", name, lambda: len(worker.in_flight))
