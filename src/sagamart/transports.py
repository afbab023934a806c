"""How the messages of this process travel, by its settings.

async with transport_of(settings, names) as travel, Shop(settings, dsns, node=node, transport=travel.transport):
    async with travel.receiving():
        …
"""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import msgspec

from sagamart.app import SLICES, ShopSettings, strangers
from sagamart.messaging.service import Service
from sagamart.messaging.transport import Transport
from sagamart.messaging.transport.local import LocalTransport
from sagamart.platform.http.operations import Check
from sagamart.platform.kafka import KafkaSection, TopicReport, connection_of
from sagamart.platform.metrics import Metrics
from sagamart.platform.settings import SettingsError


class Travel(msgspec.Struct, frozen=True):
    """A transport, what lets messages in from elsewhere once the services are at work, and what it tells of itself."""

    transport: Transport
    receiving: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    checks: Mapping[str, Check] = {}
    measure: Callable[[Metrics], None] = lambda _metrics: None


@asynccontextmanager
async def transport_of(settings: ShopSettings, names: Sequence[str]) -> AsyncIterator[Travel]:
    """The transport of a process that runs these services.  Raises SettingsError."""
    match settings.transport:
        case "local":
            _check_company(names)
            yield Travel(LocalTransport())
        case "kafka":
            async with kafka_travel(settings.kafka) as travel:
                yield travel


@asynccontextmanager
async def kafka_travel(section: KafkaSection) -> AsyncIterator[Travel]:
    """Over the brokers of these settings.  Raises SettingsError."""
    connection = connection_of(section)
    check_extra()
    from sagamart.messaging.transport.kafka import KafkaTransport  # noqa: PLC0415  an extra that need not be there

    emits = {name: service.emits for name, service in every_service().items()}
    async with KafkaTransport(connection, emits, prefix=section.prefix) as transport:

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


def every_service() -> dict[str, Service]:
    """All services of the shop, as far as messages go."""
    return {name: build(ShopSettings()).service for name, build in SLICES.items()}


def _check_company(names: Sequence[str]) -> None:
    """Raise SettingsError where messages would go to services that are not here."""
    missing = strangers(names)
    if missing:
        needed = "; ".join(f"{name} ({', '.join(sorted(kinds))})" for name, kinds in sorted(missing.items()))
        raise SettingsError(
            "SAGAMART_TRANSPORT=local: messages travel within one process, and nobody here would take what these"
            f" services send to: {needed}. Serve them together: sagamart serve {' '.join([*names, *sorted(missing)])},"
            " or set SAGAMART_TRANSPORT=kafka"
        )
