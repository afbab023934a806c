"""`sagamart cluster`: databases, keys, processes, door; then watch until asked to stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from msgspec.structs import replace
from rich.console import Console

from sagamart.app import Shop
from sagamart.cluster.plan import addresses_of, planned
from sagamart.cluster.processes import Kept, alive, until_ready
from sagamart.cluster.status import shown
from sagamart.demo import ADMIN, log_ins, seed
from sagamart.demo_bank import demo_bank, hear_from, webhook_secret, with_bank
from sagamart.door import Replicas, front_door
from sagamart.messaging.transport.outbox_only import OutboxOnly
from sagamart.messaging.worker import Node
from sagamart.platform import logs
from sagamart.platform.broker.jars import cached, fetch
from sagamart.platform.embedded import EmbeddedPostgres
from sagamart.platform.http.application import VERSION
from sagamart.platform.internal.service_tokens import make_service_keys
from sagamart.platform.keys import accepted_tokens
from sagamart.platform.metrics import Metrics
from sagamart.platform.ports import Ports
from sagamart.programs import connections_for, create_admin, listening, prepared, until_stopped, with_pages
from sagamart.settings import ShopSettings
from sagamart.shop.accounts.registration import NewCustomer
from sagamart.slices import SLICES
from sagamart.transports import check_extra, check_style, service_key_folder, topics


async def cluster(settings: ShopSettings, *, replicas: int, demo: bool, console: Console) -> None:
    """Run the cluster until SIGTERM or SIGINT.

    Raises CannotStartError, SettingsError, FolderInUseError, EmbeddedPostgresError, KafkaAdminError,
    NoBrokerError.
    """

    def say(text: str) -> None:
        console.print(text, style="dim", soft_wrap=True)

    check_style(settings)
    services = list(SLICES)
    connections = connections_for(len(services) * replicas)
    make_service_keys(service_key_folder(settings), services)
    async with AsyncExitStack() as closing:
        if settings.transport == "kafka":
            settings = await closing.enter_async_context(brokers(settings, say))
            await _topics(settings, say)
        postgres = EmbeddedPostgres(Path(settings.data), progress=say, settings={"max_connections": connections})
        await closing.enter_async_context(postgres)
        dsns = await prepared(postgres.dsn(), services, say)
        logs.configure("cluster", VERSION, settings.logs.level, settings.logs.format)
        bank, secret = "", webhook_secret()
        if demo:
            await _administrator(settings, dsns)
            bank = await closing.enter_async_context(demo_bank(settings))
            settings = with_bank(settings, bank, secret)
        ports = closing.enter_context(Ports())
        members = planned(settings, services, replicas=replicas, postgres_dsn=postgres.dsn(), ports=ports)
        folder = Path(settings.data) / "logs"
        folder.mkdir(exist_ok=True)
        known = await closing.enter_async_context(Replicas(addresses_of(members)))
        processes = [Kept(member, folder, say, known.tell) for member in members]
        address = await closing.enter_async_context(_door(settings, known))
        await closing.enter_async_context(alive(processes))

        async def fill() -> None:
            people = await seed(address, currency=settings.currency)
            await hear_from(bank, address, secret)
            console.print(log_ins(people))
            say(f"A bank to try payments with is open at {bank}")

        await _watched(processes, address, Path(settings.data), fill if demo else None, console)
        say("Stopping: each process finishes the batch at hand.")


Fill = Callable[[], Awaitable[None]]


async def _watched(processes: Sequence[Kept], address: str, data: Path, fill: Fill | None, console: Console) -> None:
    """Until asked to stop.  Raises what goes wrong while the shop is being filled."""
    stopped = asyncio.create_task(until_stopped())
    showing = asyncio.create_task(shown(console, processes, address))
    opening = asyncio.create_task(_open(processes, address, data, fill, console))
    try:
        await asyncio.wait([stopped, opening], return_when=asyncio.FIRST_COMPLETED)
        if opening.done():
            opening.result()
            await stopped
    finally:
        for task in (opening, showing, stopped):
            task.cancel()
        await asyncio.gather(opening, showing, stopped, return_exceptions=True)


async def _open(processes: Sequence[Kept], address: str, data: Path, fill: Fill | None, console: Console) -> None:
    await until_ready(processes)
    if fill is not None:
        await fill()
    console.print(f"The shop is open at {address}", soft_wrap=True)
    console.print(f"Its API to try: {address}/docs   What the processes say: {data}/logs", soft_wrap=True)


@asynccontextmanager
async def _door(settings: ShopSettings, replicas: Replicas) -> AsyncIterator[str]:
    tokens = accepted_tokens(settings)
    metrics = Metrics()
    door = front_door(settings, replicas, tokens, metrics)
    app = with_pages(door, settings, replicas.services, metrics, None)
    async with listening(app, settings, metrics) as address:
        yield address


@asynccontextmanager
async def brokers(settings: ShopSettings, say: Callable[[str], None]) -> AsyncIterator[ShopSettings]:
    """The settings with brokers: those that they name, else one of our own, which keeps its log in the data folder."""
    if settings.kafka.bootstrap_servers:
        yield settings
        return
    check_extra()
    from sagamart.platform.broker.embedded import EmbeddedBroker  # noqa: PLC0415  an extra that need not be there

    folder = Path(settings.data) / "kafka"
    folder.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(fetch, cached(), say)
    broker = EmbeddedBroker(folder, cached())
    try:
        await asyncio.to_thread(broker.start)
        say(f"Kafka listens on {broker.bootstrap}; its data is in {folder}")
        yield replace(settings, kafka=replace(settings.kafka, bootstrap_servers=(broker.bootstrap,)))
    finally:
        await asyncio.to_thread(broker.stop)


async def _topics(settings: ShopSettings, say: Callable[[str], None]) -> None:
    """Create what is missing; tell what is not as the settings have it."""
    for topic in await topics(settings.kafka, create=True):
        if topic.differences:
            say(f"The topic {topic.name} differs from the settings: {'; '.join(topic.differences)}")


async def _administrator(settings: ShopSettings, dsns: Mapping[str, str]) -> None:
    """The demo's administrator, made before any process runs; what follows from it waits in the outbox."""
    newcomer = NewCustomer(email=ADMIN.email, password=ADMIN.password, name=ADMIN.name)
    node = Node("cluster")
    async with Shop(settings, {"accounts": dsns["accounts"]}, node=node, transport=OutboxOnly()) as shop:
        await create_admin(shop.services["accounts"].worker, newcomer)
        await shop.services["accounts"].database.take_back(node.name)
