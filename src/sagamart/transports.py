"""How the messages of this process travel, by its settings.

async with transport_of(settings, names) as travel, Shop(settings, dsns, node=node, transport=travel.transport):
    async with travel.receiving():
        …
"""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path

import msgspec

from sagamart.contracts.accounts import Contacts
from sagamart.messaging.transport import Transport
from sagamart.messaging.transport.http import HttpTransport
from sagamart.messaging.transport.local import LocalTransport
from sagamart.platform.http.operations import Check
from sagamart.platform.http.server import Server
from sagamart.platform.internal.listener import InternalListener
from sagamart.platform.internal.posting import Destinations, Posting
from sagamart.platform.internal.service_tokens import ServiceTokens, load_service_keys
from sagamart.platform.kafka import KafkaSection, TopicReport, connection_of
from sagamart.platform.metrics import Metrics
from sagamart.platform.settings import SettingsError
from sagamart.settings import ShopSettings
from sagamart.shop.accounts.contacts_listener import ContactsListener
from sagamart.shop.notifications.known_contacts import KnownContacts
from sagamart.shop.notifications.remote_contacts import RemoteContacts
from sagamart.slices import SLICES, services_of, strangers


class Travel(msgspec.Struct, frozen=True):
    """A transport, what lets messages in from elsewhere once the services are at work, and what it tells of itself.

    `contacts` asks accounts in another process, where it can.
    """

    transport: Transport
    receiving: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    checks: Mapping[str, Check] = {}
    measure: Callable[[Metrics], None] = lambda _metrics: None
    contacts: KnownContacts = msgspec.field(default_factory=KnownContacts)


@asynccontextmanager
async def transport_of(settings: ShopSettings, names: Sequence[str]) -> AsyncIterator[Travel]:
    """The transport of a process that runs these services.  Raises SettingsError, ServiceKeyError."""
    match settings.transport:
        case "local":
            _check_company(settings, names)
            yield Travel(LocalTransport())
        case "http":
            async with http_travel(settings, names) as travel:
                yield travel
        case "kafka":
            async with kafka_travel(settings) as travel:
                yield travel


@asynccontextmanager
async def http_travel(settings: ShopSettings, names: Sequence[str]) -> AsyncIterator[Travel]:
    """Posted to the other processes.  Raises SettingsError, ServiceKeyError."""
    tokens = service_tokens(settings, names)
    destinations = _destinations(settings, names)
    posting = Posting(destinations, tokens)
    contacts = KnownContacts()
    if "notifications" in names:
        contacts.answering = RemoteContacts(
            destinations.of("accounts"), lambda: tokens.sign("notifications", "accounts")
        )
    try:
        async with HttpTransport(consumers(settings), posting) as transport:
            receiving = partial(_listening, settings, names, transport, tokens, contacts)
            yield Travel(transport, receiving, contacts=contacts)
    finally:
        posting.close()


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
                meaning = "Messages not finished in the partitions of this process"
                metrics.gauge("consumer_lag_messages", meaning, name, lambda one=one: one.lag)  # type: ignore[misc]  # the loop's own
                metrics.gauge("consumer_partitions", "Partitions of this process", name, lambda one=one: one.partitions)  # type: ignore[misc]  # as above

        yield Travel(transport, transport.receiving, {"kafka": transport.check}, measure)


async def topics(section: KafkaSection, *, create: bool) -> list[TopicReport]:
    """How the shop's topics stand, after creating the missing ones or not.  Raises SettingsError, KafkaAdminError."""
    check_extra()
    from sagamart.platform.kafka_topics import apply, compare  # noqa: PLC0415  an extra that need not be there

    return await asyncio.to_thread(apply if create else compare, section, list(SLICES))


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


@asynccontextmanager
async def _listening(
    settings: ShopSettings,
    names: Sequence[str],
    transport: HttpTransport,
    tokens: ServiceTokens,
    contacts: Contacts,
) -> AsyncIterator[None]:
    services, internal = services_of(settings), settings.internal
    emits = {name: service.emits for name, service in services.items()}
    here = {name: service for name, service in services.items() if name in names}
    messages = InternalListener(transport, here, emits, tokens)
    listener = ContactsListener(messages, contacts, tokens) if "accounts" in names else messages
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


def _destinations(settings: ShopSettings, names: Sequence[str]) -> Destinations:
    given = settings.internal.destinations
    shown = ",".join(given)
    try:
        destinations = Destinations(given)
    except ValueError as error:
        raise SettingsError(f"SAGAMART_INTERNAL_DESTINATIONS={shown}: {error}") from error
    missing = [name for name in strangers(settings, names) if not destinations.of(name)]
    if missing:
        raise SettingsError(
            f"SAGAMART_INTERNAL_DESTINATIONS={shown}: does not say where {', '.join(missing)} is;"
            f" add {missing[0]}=http://HOST:PORT, or http://{{service}}:9000 for all"
        )
    return destinations


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
