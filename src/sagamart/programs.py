"""The programs behind the commands: services over given databases, migrations, and what they have in common."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from sagamart.app import Shop
from sagamart.audit import Finding, audit, leave_figures
from sagamart.messaging.message import Message, new_id, new_trace
from sagamart.messaging.requests import StoredReply, request_of
from sagamart.messaging.transport.outbox_only import OutboxOnly
from sagamart.messaging.worker import Node, Worker
from sagamart.platform import logs
from sagamart.platform.collector import spare_batches
from sagamart.platform.databases import provision
from sagamart.platform.embedded import EmbeddedPostgres, FolderInUseError, running_dsn
from sagamart.platform.http.application import VERSION, Process, build_app, build_metrics_app
from sagamart.platform.http.operations import Check
from sagamart.platform.http.server import Server
from sagamart.platform.keys import accepted_tokens
from sagamart.platform.metrics import Metrics
from sagamart.platform.migrations import at_head, history_of, migrate
from sagamart.platform.traces import Traces, traced
from sagamart.rooms import Rooms
from sagamart.settings import ShopSettings
from sagamart.shop.accounts.passwords import Passwords
from sagamart.shop.accounts.registration import NewCustomer, staff_registration
from sagamart.shop.payments.comparing import reconcile
from sagamart.slices import SLICES
from sagamart.transports import transport_of
from sagamart.web import InProcess, Site, build_pages

DSN, OWNER_DSN = "SAGAMART_DATABASE_DSN", "SAGAMART_DATABASE_OWNER_DSN"
DSN_EXAMPLE = "postgresql://sagamart_{service}:secret@db/sagamart_{service}"
REACH_S_MAX = 10.0
"""How long a database may take to open before a command gives up."""

CONNECTIONS_A_REPLICA = 12
"""Of a replica of a service to its database at most: lanes, sweeps, readers, and some in between."""

CONNECTIONS_SPARE = 40
Say = Callable[[str], None]


class CannotStartError(Exception):
    """The program cannot start; the message says why and what to do."""


async def prepared(postgres_dsn: str, names: Sequence[str], say: Say) -> dict[str, str]:
    """Every service's database at its newest revision; the DSNs of their runtime roles."""
    dsns = {}
    for name in names:
        database = await provision(postgres_dsn, name)
        if await migrate(database.owner_dsn, histories(name)):
            say(f"The database of {name} is up to date now")
        dsns[name] = database.runtime_dsn
    return dsns


def connections_for(replicas: int) -> str:
    """How many connections a PostgreSQL needs for so many replicas of services."""
    return str(replicas * CONNECTIONS_A_REPLICA + CONNECTIONS_SPARE)


def histories(name: str) -> list[Path]:
    """The migrations of a service: the core's first, then its own."""
    return [history_of("sagamart.messaging"), history_of(f"sagamart.shop.{name}")]


@asynccontextmanager
async def embedded(settings: ShopSettings, say: Say, *, processes: int = 1) -> AsyncIterator[dict[str, str]]:
    """An embedded PostgreSQL with every service's database, for so many processes of all services; gives their DSNs."""
    needed = {"max_connections": connections_for(processes * len(SLICES))}
    async with EmbeddedPostgres(Path(settings.data), progress=say, settings=needed) as postgres:
        yield await prepared(postgres.dsn(), list(SLICES), say)


@asynccontextmanager
async def serving(
    settings: ShopSettings, dsns: Mapping[str, str], *, node: str, demo: bool = False
) -> AsyncIterator[tuple[Shop, str]]:
    """Services at work behind their front door; gives the shop and its address.  Raises CannotStartError."""
    logs.configure(node, VERSION, settings.logs.level, settings.logs.format)
    tokens = accepted_tokens(settings)
    at = Node(node)
    async with (
        traced(settings.traces, node, VERSION) as traces,
        transport_of(settings, list(dsns)) as travel,
        Shop(settings, dsns, node=at, transport=travel.transport, calls=travel.calls, traces=traces) as shop,
        travel.receiving(),
    ):
        shop.write_letters(tokens, travel.contacts)
        travel.measure(shop.metrics)
        checks = {**checks_of(shop, dsns), **travel.checks}
        operators = (shop.dead_letters, shop.consumers, shop.operator_actions)
        rooms = Rooms(shop, dsns, demo=demo)
        process = Process(settings.http, node, checks, shop.metrics, *operators, traces, rooms.routes)
        app = with_pages(build_app(shop.mounted, tokens=tokens, process=process), settings, dsns, shop.metrics, traces)
        async with listening(app, settings, shop.metrics) as address, rooms.open(address):
            spare_batches()
            yield shop, address


@asynccontextmanager
async def listening(app: Any, settings: ShopSettings, metrics: Metrics) -> AsyncIterator[str]:
    """The public listener with this application, and one for the monitoring where the settings have it.

    Gives the public address.  Raises CannotStartError.
    """
    http, inner = settings.http, settings.metrics
    public = Server(app, host=http.host, port=http.port, share_port=http.share_port)
    servers = {"SAGAMART_HTTP_PORT (up: --port)": public}
    if inner.port:
        servers["SAGAMART_METRICS_PORT"] = Server(build_metrics_app(metrics), host=inner.host, port=inner.port)
    async with AsyncExitStack() as closing:
        for setting, server in servers.items():
            try:
                await closing.enter_async_context(server)
            except OSError as error:
                place = f"{server.config.host}:{server.config.port} ({error.strerror})"
                raise CannotStartError(f"cannot listen on {place}; choose another: {setting}") from error
        yield f"http://{http.host}:{public.port}"


def with_pages(api: Any, settings: ShopSettings, here: Collection[str], metrics: Metrics, traces: Traces | None) -> Any:
    """The API and the pages for people, where all of the API is here and the settings want pages."""
    if settings.web.pages == "off" or not set(SLICES) <= set(here):
        return api
    return Site(api, build_pages(settings.web, settings.http, api=InProcess(api), metrics=metrics, traces=traces))


def checks_of(shop: Shop, dsns: Mapping[str, str]) -> dict[str, Check]:
    """What makes this process ready: every database answers, is migrated, and its worker works."""

    async def databases() -> None:
        await asyncio.gather(*(running.readers.fetchval("select 1") for running in shop.services.values()))

    async def migrations() -> None:
        behind = [name for name, dsn in dsns.items() if not await at_head(dsn, histories(name))]
        if behind:
            raise CannotStartError(f"to be migrated: {', '.join(behind)}")

    async def workers() -> None:
        found = {name: running.worker.trouble for name, running in shop.services.items()}
        troubles = [f"{name}: {trouble}" for name, trouble in found.items() if trouble]
        if troubles:
            raise CannotStartError("; ".join(troubles))

    return {"databases": databases, "migrations": migrations, "workers": workers}


async def until_stopped() -> None:
    """Wait for SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def check_names(names: Sequence[str]) -> None:
    """Raise CannotStartError for services that there are not."""
    unknown = [name for name in names if name not in SLICES]
    if unknown:
        raise CannotStartError(f"there is no service {', '.join(unknown)}; there are {', '.join(SLICES)}")


@asynccontextmanager
async def running_or_embedded(settings: ShopSettings, say: Say) -> AsyncIterator[dict[str, str]]:
    """The databases of the shop that runs on this data folder, or of one started for the moment."""
    try:
        async with embedded(settings, say) as dsns:
            yield dsns
    except FolderInUseError:
        yield await prepared(running_dsn(Path(settings.data)), list(SLICES), say)


async def create_admin(worker: Worker, newcomer: NewCustomer) -> StoredReply:
    """Ask accounts for an administrator, as everything is asked.  Raises Problem for a guessable password."""
    command = await staff_registration(newcomer, ["ADMIN"], Passwords())
    now = datetime.now(UTC)
    message_id = new_id(now, os.urandom(10))
    body = command(message_id)
    message = Message(
        id=message_id,
        type=type(body).__name__,
        key=body.key,
        source="cli",
        at=now,
        correlation=message_id,
        body=body,
        node=worker.node.name,
        trace=new_trace(os.urandom(24)),
    )
    return await worker.ask(message, request_of("cli", "admin create", message_id, newcomer.email))


async def serve(settings: ShopSettings, names: Sequence[str], say: Say) -> None:
    """Services over given databases.  Raises CannotStartError."""
    check_names(names)
    dsns = await reached(dsns_of(settings.database.dsn, names, DSN), DSN)
    behind = [name for name, dsn in dsns.items() if not await at_head(dsn, histories(name))]
    if behind:
        raise CannotStartError(f"the databases of {', '.join(behind)} are older than this version: sagamart migrate")
    node = settings.node or f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}"
    async with serving(settings, dsns, node=node) as (_shop, address):
        say(f"{', '.join(names)} at {address}")
        await until_stopped()
        say("Stopping: the batch at hand is finished first.")


async def migrate_all(settings: ShopSettings, names: Sequence[str], say: Say) -> None:
    """The services' databases at this version's revisions.  Raises CannotStartError, MigrationError."""
    check_names(names)
    dsns = await reached(dsns_of(settings.database.owner_dsn, names, OWNER_DSN), OWNER_DSN)
    for name, dsn in dsns.items():
        applied = await migrate(dsn, histories(name))
        say(f"{name}: {', '.join(applied) or 'nothing to do'}")


async def admin_created(settings: ShopSettings, newcomer: NewCustomer, say: Say) -> StoredReply:
    """An administrator of the shop on the data folder, or of the one whose databases are given.

    What this tells other services stays in the outbox, for the program that runs them.
    """
    async with databases_of(settings, say) as dsns:
        node = Node(f"cli-{os.getpid()}")
        accounts = {"accounts": dsns["accounts"]}
        async with Shop(settings, accounts, node=node, transport=OutboxOnly()) as shop:
            reply = await create_admin(shop.services["accounts"].worker, newcomer)
            await shop.services["accounts"].database.take_back(node.name)
            return reply


async def audited(settings: ShopSettings, *, settle_s: float, metrics: Path | None = None, say: Say) -> list[Finding]:
    """What the audit finds in the shop on the data folder, or in the one whose databases are given.

    Raises CannotStartError where the file for its `metrics` cannot be written.
    """
    async with databases_of(settings, say) as dsns:
        began = datetime.now(UTC)
        findings = await audit(dsns, settle_s=settle_s, progress=say)
    if metrics is not None:
        ended = datetime.now(UTC)
        try:
            leave_figures(metrics, findings, ended=ended, seconds=(ended - began).total_seconds())
        except OSError as error:
            raise CannotStartError(f"cannot write {metrics} ({error.strerror})") from error
    return findings


async def reconciled(settings: ShopSettings, say: Say) -> list[str]:
    """What does not fit between the bank's statement and the payments, and asking the bank could not mend.

    The shop is that on the data folder, or the one whose databases are given; it may be running.  Raises
    CannotStartError where there is no bank, or it does not tell.
    """
    if not settings.bank.url:
        raise CannotStartError("there is no bank to compare with; set SAGAMART_BANK_URL")
    async with databases_of(settings, say) as dsns:
        node = Node(f"cli-{os.getpid()}")
        only = {"payments": dsns["payments"]}
        async with Shop(settings, only, node=node, transport=OutboxOnly()) as shop:
            running = shop.services["payments"]
            try:
                return await reconcile(running.worker, running.mounted.queries, node)
            except TimeoutError as error:
                raise CannotStartError("the bank does not tell; the shop asks on, look again later") from error
            finally:
                await running.database.take_back(node.name)


@asynccontextmanager
async def databases_of(settings: ShopSettings, say: Say) -> AsyncIterator[Mapping[str, str]]:
    """The databases of the settings; without any, those of the shop on the data folder."""
    if settings.database.dsn:
        yield await reached(dsns_of(settings.database.dsn, list(SLICES), DSN), DSN)
        return
    async with running_or_embedded(settings, say) as dsns:
        yield dsns


async def reached(dsns: Mapping[str, str], setting: str) -> Mapping[str, str]:
    """The same, each having been opened.  Raises CannotStartError, which holds no password."""

    async def reach(name: str, dsn: str) -> None:
        try:
            connection = await asyncpg.connect(dsn, timeout=REACH_S_MAX)
        except (ValueError, asyncpg.InterfaceError) as error:  # its words may hold a piece of the password
            raise CannotStartError(f"{setting} is no DSN of PostgreSQL; set it to one as {DSN_EXAMPLE}") from error
        except (OSError, asyncpg.PostgresError) as error:
            why = str(error) or f"no answer within {REACH_S_MAX:.0f} s"
            raise CannotStartError(f"the database of {name} cannot be opened: {why}; see {setting}") from error
        await connection.close()

    await asyncio.gather(*(reach(name, dsn) for name, dsn in dsns.items()))
    return dsns


def dsns_of(template: str, names: Sequence[str], setting: str) -> dict[str, str]:
    """Each service's DSN.  Raises CannotStartError where the setting is missing."""
    if "{service}" not in template:
        raise CannotStartError(
            f"set {setting} to a DSN with {{service}} in place of the service's name, as {DSN_EXAMPLE}"
        )
    return {name: template.replace("{service}", name) for name in names}
