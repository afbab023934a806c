"""Over a real broker: each process has a transport of its own, each test topics of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from conformance.conversation import EMITS
from conformance.ways import Opened
from sagamart.messaging.transport.kafka import KafkaTransport
from sagamart.platform.kafka import KafkaSection, connection_of
from sagamart.platform.kafka_topics import apply


class KafkaWay:
    """Topics with a prefix that nobody else uses."""

    within_one_process = False
    keeps_messages = True

    def __init__(self, bootstrap: str, prefix: str, partitions: int = 3) -> None:
        self.section = KafkaSection(bootstrap_servers=(bootstrap,), prefix=prefix, partitions=partitions)
        self.connection = dict(connection_of(self.section))
        self.transports: list[KafkaTransport] = []
        self.overrides: dict[str, object] = {}
        apply(self.section, list(EMITS))

    @asynccontextmanager
    async def open(self, _names: Sequence[str]) -> AsyncIterator[Opened]:
        connection = {**self.connection, **self.overrides}
        async with KafkaTransport(connection, EMITS, prefix=self.section.prefix) as transport:
            self.transports.append(transport)
            yield Opened(transport, transport.receiving, lambda: crash(transport))

    def topic(self, service: str) -> str:
        """Where a service's messages go."""
        return self.section.prefix + service

    def forget(self, service: str) -> None:
        """Remove all that the service has said so far, as retention does."""
        places = [TopicPartition(self.topic(service), number, -1) for number in range(self.section.partitions)]
        admin = AdminClient(dict(self.connection))
        for deleted in admin.delete_records(places).values():
            deleted.result()


def crash(transport: KafkaTransport) -> None:
    """What is not acknowledged is lost, what is not committed stays so."""
    for consumer in transport.consumers.values():
        consumer._intake._progress.clear()
        consumer.state = "stopped"
    transport._outbound.producer.purge(blocking=False)
