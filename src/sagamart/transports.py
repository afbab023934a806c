"""How the messages of this process travel, by its settings.

async with transport_of(settings, names) as travel:
    async with Shop(settings, dsns, node=node, transport=travel.transport, calls=travel.calls), travel.receiving():
        …
"""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path

import msgspec
from msgspec import structs

from sagamart.messaging.transport import Transport
from sagamart.messaging.transport.http import HttpTransport
from sagamart.messaging.transport.local import LocalTransport
from sagamart.platform import metric_families as known
from sagamart.platform.http.operations import Check
from sagamart.platform.http.server import Server
from sagamart.platform.internal.calls import ServiceCalls
from sagamart.platform.internal.listener import InternalListener
from sagamart.platform.internal.posting import Destinations, Posting
from sagamart.platform.internal.service_tokens import ServiceTokens, load_service_keys
from sagamart.platform.kafka import KafkaSection, TopicReport, connection_of
from sagamart.platform.metrics import Metrics
from sagamart.platform.settings import InternalSettings, SettingsError
from sagamart.settings import ShopSettings
from sagamart.shop.accounts.contacts_listener import ContactsListener
from sagamart.shop.notifications.known_contacts import KnownContacts
from sagamart.shop.notifications.remote_contacts import RemoteContacts
from sagamart.slices import SLICES, services_of, strangers
from sagamart.styles import READERS


class Travel(msgspec.Struct, frozen=True):
    """A transport, what lets messages in from elsewhere once the services are at work, and what it tells of itself.

    `contacts` asks accounts in another process, where it can.
    `calls`: how services call each other, where their style has them do so.
    """

    transport: Transport
    receiving: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    checks: Mapping[str, Check] = {}
    measure: Callable[[Metrics], None] = lambda _metrics: None
    contacts: KnownContacts = msgspec.field(default_factory=KnownContacts)
    calls: ServiceCalls | None = None


@asynccontextmanager
async def transport_of(settings: ShopSettings, names: Sequence[str]) -> AsyncIterator[Travel]:
    """The transport of a process that runs these services.  Raises SettingsError, ServiceKeyError."""
    check_style(settings)
    _check_receive(settings)
    match settings.transport:
        case "local":
            _check_company(settings, names)
            yield Travel(LocalTransport())
        case "http":
            async with http_travel(settings, names) as travel:
                yield travel
        case "kafka" if settings.style == "facts":
            async with kafka_travel(settings) as travel:
                yield _with_contacts(settings, names, travel)
        case "kafka":
            async with kafka_travel(settings) as travel, _calling(settings, names, travel) as calling:
                yield calling


@asynccontextmanager
async def http_travel(settings: ShopSettings, names: Sequence[str]) -> AsyncIterator[Travel]:
    """Posted to the other processes.  Raises SettingsError, ServiceKeyError."""
    tokens = service_tokens(settings, names)
    receives = settings.internal.receive
    destinations = _destinations(settings, [*strangers(settings, names), *(() if receives else names)])
    posting = Posting(destinations, tokens)
    contacts = _contacts(destinations, names, tokens)
    calls = None if settings.style == "facts" else _calls(settings, destinations, tokens)
    try:
        async with HttpTransport(consumers(settings), posting, takes_messages=receives) as transport:
            if not receives:
                yield Travel(transport, contacts=contacts, calls=calls)
                return
            messages = listener_of(settings, names, tokens, transport, calls)
            listener = _answering(messages, contacts, names, tokens)
            yield Travel(transport, partial(_listening, settings.internal, listener), contacts=contacts, calls=calls)
    finally:
        posting.close()
        if calls is not None:
            calls.close()


@asynccontextmanager
async def _calling(settings: ShopSettings, names: Sequence[str], travel: Travel) -> AsyncIterator[Travel]:
    """The same way of travel, and calls beside it.  Raises SettingsError, ServiceKeyError."""
    tokens = service_tokens(settings, names)
    destinations = _destinations(settings, strangers(settings, names))
    contacts = _contacts(destinations, names, tokens)
    calls = _calls(settings, destinations, tokens)
    listener = _answering(listener_of(settings, names, tokens, None, calls), contacts, names, tokens)
    try:
        yield structs.replace(
            travel, receiving=_both(travel, settings.internal, listener), contacts=contacts, calls=calls
        )
    finally:
        calls.close()


def _with_contacts(settings: ShopSettings, names: Sequence[str], travel: Travel) -> Travel:
    """The same way of travel; accounts answers notifications in another process, and is asked by it.

    Topics hold no personal data: an address is asked for over HTTP, letter by letter.  Raises SettingsError,
    ServiceKeyError.
    """
    here = {"accounts", "notifications"}.intersection(names)
    is_needed = bool(settings.email.host or settings.sms.url) and len(here) == 1
    if not here or not (is_needed or settings.internal.keys):
        return travel
    tokens = service_tokens(settings, names)
    if "accounts" not in here:
        return structs.replace(travel, contacts=_contacts(_destinations(settings, ["accounts"]), names, tokens))
    contacts = KnownContacts()
    listener = _answering(listener_of(settings, names, tokens, None, None), contacts, names, tokens)
    return structs.replace(travel, receiving=_both(travel, settings.internal, listener), contacts=contacts)


def _both(
    travel: Travel, internal: InternalSettings, listener: ContactsListener | InternalListener
) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Receive by this way of travel, and listen."""

    @asynccontextmanager
    async def receiving() -> AsyncIterator[None]:
        async with travel.receiving(), _listening(internal, listener):
            yield

    return receiving


def _calls(settings: ShopSettings, destinations: Destinations, tokens: ServiceTokens) -> ServiceCalls:
    return ServiceCalls(services_of(settings), destinations, tokens, READERS)


def _contacts(destinations: Destinations, names: Sequence[str], tokens: ServiceTokens) -> KnownContacts:
    """Contacts that notifications, where it is here, asks of accounts."""
    contacts = KnownContacts()
    if "notifications" in names:
        contacts.answering = RemoteContacts(
            destinations.of("accounts"), lambda: tokens.sign("notifications", "accounts")
        )
    return contacts


@asynccontextmanager
async def kafka_travel(settings: ShopSettings) -> AsyncIterator[Travel]:
    """Over the brokers of these settings.  Raises SettingsError."""
    section = settings.kafka
    connection = connection_of(section)
    check_extra()
    from sagamart.messaging.transport.kafka import KafkaTransport  # noqa: PLC0415  an extra that need not be there

    emits = {name: service.emits for name, service in services_of(settings).items()}
    kafka = KafkaTransport(connection, emits, prefix=section.prefix, session_s=section.session_s)
    async with kafka as transport:

        def measure(metrics: Metrics) -> None:
            for name, one in transport.consumers.items():
                metrics.read(known.LAG, name, lambda one=one: one.lag)  # type: ignore[misc]  # the loop's own
                metrics.read(known.PARTITIONS, name, lambda one=one: one.partitions)  # type: ignore[misc]  # as above

        yield Travel(transport, transport.receiving, {"kafka": transport.check}, measure)


async def topics(section: KafkaSection, *, create: bool) -> list[TopicReport]:
    """How the shop's topics stand, after creating the missing ones or not.  Raises SettingsError, KafkaAdminError."""
    check_extra()
    from sagamart.platform.kafka_topics import apply, compare  # noqa: PLC0415  an extra that need not be there

    return await asyncio.to_thread(apply if create else compare, section, list(SLICES))


class TopicRights(msgspec.Struct, frozen=True):
    """What a service's principal needs of the brokers, and no more: a topic to write, topics to read, and a group."""

    service: str
    writes: str | None
    reads: Sequence[str]
    group: str


def topic_rights(settings: ShopSettings) -> list[TopicRights]:
    """Of each service of a shop with these settings.  Raises SettingsError without the client of Kafka."""
    check_extra()
    from sagamart.messaging.transport.kafka import senders  # noqa: PLC0415  an extra that need not be there

    services, prefix = services_of(settings), settings.kafka.prefix
    emits = {name: service.emits for name, service in services.items()}
    return [
        TopicRights(
            name,
            prefix + name if service.emits else None,
            [prefix + sender for sender in senders(service.consumes, emits)],
            prefix + name,
        )
        for name, service in services.items()
    ]


def acl_commands(rights: TopicRights) -> list[str]:
    """The same in the words of the brokers' own tool; the principal is called as the service."""
    tool = f"kafka-acls.sh --bootstrap-server … --add --allow-principal User:{rights.service}"
    # Who writes nothing has a producer all the same, which asks for an id as every idempotent one does.
    writing = "IdempotentWrite --cluster" if rights.writes is None else f"Write --topic {rights.writes}"
    commands = [f"{tool} --operation {writing}"]
    if rights.reads:
        topics = " ".join(f"--topic {topic}" for topic in rights.reads)
        commands.append(f"{tool} --operation Read {topics} --group {rights.group}")
    return commands


def check_extra() -> None:
    """Raise SettingsError where the client of Kafka is not installed."""
    if importlib.util.find_spec("confluent_kafka") is None:
        raise SettingsError(
            "SAGAMART_TRANSPORT=kafka needs the client of Kafka; install it: pip install 'sagamart[kafka]'"
        )


def consumers(settings: ShopSettings) -> dict[str, list[str]]:
    """The services that handle each message type."""
    found: dict[str, list[str]] = {}
    for name, service in services_of(settings).items():
        for kind in service.consumes:
            found.setdefault(kind, []).append(name)
    return found


def service_key_folder(settings: ShopSettings) -> Path:
    """Where the keys are with which services know each other."""
    return Path(settings.internal.keys or Path(settings.data) / "service-keys")


def service_tokens(settings: ShopSettings, names: Sequence[str]) -> ServiceTokens:
    """What these services sign and verify with.  Raises ServiceKeyError."""
    return ServiceTokens(load_service_keys(service_key_folder(settings), names, SLICES))


def listener_of(
    settings: ShopSettings,
    names: Collection[str],
    tokens: ServiceTokens,
    transport: HttpTransport | None,
    calls: ServiceCalls | None,
) -> InternalListener:
    """What other processes reach these services by."""
    services = services_of(settings)
    emits = {name: service.emits for name, service in services.items()}
    here = {name: service for name, service in services.items() if name in names}
    return InternalListener(transport, here, emits, tokens, calls)


def _answering(
    listener: InternalListener, contacts: KnownContacts, names: Collection[str], tokens: ServiceTokens
) -> ContactsListener | InternalListener:
    """The same, and contacts, where accounts is here."""
    return ContactsListener(listener, contacts, tokens) if "accounts" in names else listener


@asynccontextmanager
async def _listening(internal: InternalSettings, listener: ContactsListener | InternalListener) -> AsyncIterator[None]:
    server = Server(listener, host=internal.host, port=internal.port, share_port=internal.share_port)
    try:
        await server.start()
    except OSError as error:
        raise SettingsError(
            f"SAGAMART_INTERNAL_PORT={internal.port}: cannot listen on {internal.host}:{internal.port}"
            f" ({error.strerror}); choose another port"
        ) from error
    try:
        yield
    finally:
        await server.stop()


def _destinations(settings: ShopSettings, wanted: Iterable[str]) -> Destinations:
    """Where the other services are, these at least.  Raises SettingsError."""
    given = settings.internal.destinations
    shown = ",".join(given)
    try:
        destinations = Destinations(given)
    except ValueError as error:
        raise SettingsError(f"SAGAMART_INTERNAL_DESTINATIONS={shown}: {error}") from error
    missing = [name for name in wanted if not destinations.of(name)]
    if missing:
        raise SettingsError(
            f"SAGAMART_INTERNAL_DESTINATIONS={shown}: does not say where {', '.join(missing)} is;"
            f" add {missing[0]}=http://HOST:PORT, or http://{{service}}:9000 for all"
        )
    return destinations


def check_style(settings: ShopSettings) -> None:
    """Whether the transport fits the style.  Raises SettingsError."""
    needed = _TRANSPORTS[settings.style]
    if settings.transport in needed:
        return
    why = {
        "http": "its services run in processes of their own and call each other",
        "http-events": "its services run in processes of their own, and its events need a broker",
    }[settings.style]
    raise SettingsError(
        f"SAGAMART_STYLE={settings.style} does not go with SAGAMART_TRANSPORT={settings.transport}: {why}; set"
        f" SAGAMART_TRANSPORT={needed[0]} for `sagamart serve` and `sagamart cluster`, or leave SAGAMART_STYLE at facts"
    )


_TRANSPORTS: Mapping[str, Sequence[str]] = {
    "facts": ("local", "http", "kafka"),
    "http-events": ("kafka",),
    "http": ("http",),
}


def _check_receive(settings: ShopSettings) -> None:
    """Raise SettingsError where there would be nobody to take messages."""
    if not settings.internal.receive and settings.transport != "http":
        raise SettingsError(
            f"SAGAMART_INTERNAL_RECEIVE=false does not go with SAGAMART_TRANSPORT={settings.transport}: what a process"
            " that only takes requests leads to is posted to others; set SAGAMART_TRANSPORT=http"
        )


def _check_company(settings: ShopSettings, names: Sequence[str]) -> None:
    """Raise SettingsError where messages would go to services that are not here."""
    missing = strangers(settings, names)
    if missing:
        needed = "; ".join(f"{name} ({', '.join(sorted(kinds))})" for name, kinds in sorted(missing.items()))
        raise SettingsError(
            "SAGAMART_TRANSPORT=local: messages travel within one process, and nobody here would take what these"
            f" services send to: {needed}. Serve them together: sagamart serve {' '.join([*names, *sorted(missing)])},"
            " or set SAGAMART_TRANSPORT=http or kafka"
        )
