"""Services in processes of their own, over Kafka: produced straight after the commit, consumed in batches.

Rules:
- A topic per producing service, a group per consuming service, both named with `prefix`.  A message has arrived when
  the brokers have acknowledged it; from then on Kafka keeps it for its consumers.
- A service consumes the topics of those who send what it handles.  What it finds there and does not handle is finished
  at once; a type that nobody knows goes to its dead letters.
- Offsets are committed after the database, and only the finished beginning of a partition.  Everything may come twice.
- A consumer that would have to jump over lost messages stops, and readiness says so.

async with KafkaTransport(connection, emits) as transport:
    …                                        # workers connect
    async with transport.receiving():
        …                                    # messages come in
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException

from sagamart.messaging.message import Body, Message
from sagamart.messaging.transport import Endpoint
from sagamart.messaging.transport.kafka_client import SESSION_S, Properties
from sagamart.messaging.transport.kafka_consumer import Inbound
from sagamart.messaging.transport.kafka_producer import Outbound

PREFIX = "sagamart."
FLUSH_S_MAX = 1.0
CHECK_S_MAX = 1.5


def senders(consumes: Collection[str], emits: Mapping[str, Collection[str]]) -> list[str]:
    """The services whose topics one reads that handles these types."""
    return sorted(name for name, kinds in emits.items() if not set(consumes).isdisjoint(kinds))


class KafkaNotReadyError(Exception):
    """The brokers do not answer, a topic is missing, or a consumer stopped.  The message says which and what to do."""


class KafkaTransport:
    """Between the services here and everywhere.  `emits` says what each service of the shop sends, here or not."""

    def __init__(
        self,
        connection: Properties,
        emits: Mapping[str, Collection[str]],
        *,
        prefix: str = PREFIX,
        session_s: int = SESSION_S,
    ) -> None:
        self.consumers: dict[str, Inbound] = {}
        self._connection = connection
        self._emits = emits
        self._prefix = prefix
        self._session_s = session_s
        self._endpoints: dict[str, Endpoint] = {}

    async def __aenter__(self) -> Self:
        self._outbound = Outbound(self._connection, self._prefix, self._endpoints)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._outbound.close(FLUSH_S_MAX)

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """Let messages in for all who are connected; at the end, commit what is finished."""
        for consumer in self.consumers.values():
            consumer.start()
        try:
            yield
        finally:
            await asyncio.gather(*(consumer.stop() for consumer in self.consumers.values()))

    def connect(self, endpoint: Endpoint) -> None:
        """Let a service send and receive."""
        self._endpoints[endpoint.name] = endpoint
        topics = [self.topic_of(name) for name in senders(endpoint.consumes, self._emits)]
        if topics:
            known = {kind for kinds in self._emits.values() for kind in kinds}
            group = self._prefix + endpoint.name
            connection = {"session.timeout.ms": self._session_s * 1000, **self._connection}
            self.consumers[endpoint.name] = Inbound(endpoint, connection, group, topics, known)

    def hand_over(self, producer: str, messages: Sequence[Message[Body]]) -> None:
        """Produce; what does not fit the buffer is refused."""
        self._outbound.send(producer, messages)

    def handled(self, consumer: str, messages: Sequence[Message[Body]]) -> None:
        """The consumer's transaction has committed these (handled, parked or dead)."""
        inbound = self.consumers.get(consumer)
        if inbound is not None:
            inbound.handled(messages)

    def topic_of(self, service: str) -> str:
        """Where a service's messages go."""
        return self._prefix + service

    @property
    def under_way(self) -> int:
        """Messages that wait for the brokers."""
        return self._outbound.under_way

    async def check(self) -> None:
        """Raise KafkaNotReadyError where messages cannot travel."""
        failed = [f"{name}: {one.failure}" for name, one in self.consumers.items() if one.failure]
        if failed:
            raise KafkaNotReadyError("; ".join(failed))
        forbidden = [f"{name}: {one.forbidden}" for name, one in self.consumers.items() if one.forbidden]
        if forbidden:
            raise KafkaNotReadyError(f"{'; '.join(forbidden)}; what must be allowed says: sagamart topics acls")
        trouble = self._outbound.trouble
        try:
            found = await asyncio.to_thread(self._outbound.producer.list_topics, timeout=CHECK_S_MAX)
        except KafkaException as error:
            self._outbound.producer.poll(0)  # why, is told then
            raise KafkaNotReadyError(f"the brokers do not answer: {trouble.advice()}") from error
        trouble.is_over()
        missing = sorted(self._wanted_topics().difference(found.topics))
        if missing:
            raise KafkaNotReadyError(
                f"no such topics: {', '.join(missing)}; create them: sagamart topics apply. Topics that are there and"
                " not to be seen must be allowed: sagamart topics acls"
            )

    def _wanted_topics(self) -> set[str]:
        written = {self.topic_of(name) for name in self._endpoints if self._emits.get(name)}
        return written.union(*(one.topics for one in self.consumers.values()))
