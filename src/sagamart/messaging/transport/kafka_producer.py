"""What goes out to Kafka: produced from memory straight after the commit, arrived on the delivery report.

Rules:
- The delivery report is the only truth: without one a message is under way, with a bad one it goes back to the outbox.
- Nothing blocks: what the bounded buffer cannot take goes back to the outbox.
- A message that is too large stays in the outbox, is tried once in `TOO_LARGE_RETRY_S` and logged each time: raising
  the brokers' limit lets it go.  As a dead letter of its producer it could not be released: nobody there handles it.
- Reports are fetched by the event loop itself, every `REPORTS_S` while any are due: each takes the interpreter's lock,
  and in a thread of their own they would fight for it one by one.
- A producer that failed for good is replaced; what it had goes back to the outbox.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Record

from sagamart.messaging.message import Body, Message
from sagamart.messaging.transport import Endpoint
from sagamart.messaging.transport.kafka_client import COMPLAINT_S, Properties, producer_properties
from sagamart.messaging.transport.kafka_envelope import headers_of, value_of
from sagamart.messaging.transport.kafka_trouble import Trouble

REPORTS_S = 0.01
IDLE_REPORTS_S = 1.0
"""What the client has to say while nothing is under way: that a broker is gone, or back."""

TOO_LARGE_RETRY_S = 60.0
log = structlog.get_logger()


class Outbound:
    """All services of this process share one producer."""

    def __init__(self, connection: Properties, prefix: str, endpoints: Mapping[str, Endpoint]) -> None:
        self.under_way = 0
        self.trouble = Trouble(connection)
        self._properties = {**producer_properties(connection), "error_cb": self._complain}
        self._prefix = prefix
        self._endpoints = endpoints
        self._arrived: dict[str, list[str]] = defaultdict(list)
        self._refused: dict[str, list[str]] = defaultdict(list)
        self._is_idle = True
        self._too_large: dict[str, list[str]] = defaultdict(list)
        self._complained_at = float("-inf")
        self._loop = asyncio.get_running_loop()
        self._is_broken = False
        self.producer = Producer(self._properties)
        self._fetching = self._loop.call_later(IDLE_REPORTS_S, self._fetch)

    def send(self, service: str, messages: Sequence[Message[Body]]) -> None:
        """Produce as many as the buffer takes; the others go back."""
        topic = self._prefix + service
        for place, message in enumerate(messages):
            try:
                self.producer.produce(
                    topic,
                    value_of(message),
                    message.key,
                    headers=headers_of(message.type),
                    on_delivery=partial(self._delivered, service, message.id),
                )
            except BufferError:
                self._refused[service] += [one.id for one in messages[place:]]
                self._complain_of("the buffer for the brokers is full", service)
                break
            except KafkaException as error:
                self._not_delivered(service, message.id, error.args[0])
            else:
                self.under_way += 1
        self._tell()
        self._fetch_soon()

    async def close(self, within_s: float) -> None:
        """Wait at most so long for reports, and tell what came."""
        self._fetching.cancel()
        with suppress(KafkaException):  # broken for good; what it had is sent again from the outbox
            await asyncio.to_thread(self.producer.flush, within_s)
        self._tell()

    def _fetch_soon(self) -> None:
        if self._is_idle and (self.under_way or self._is_broken):
            self._is_idle = False
            self._fetching.cancel()
            self._fetching = self._loop.call_later(REPORTS_S, self._fetch)

    def _fetch(self) -> None:
        self.producer.poll(0)
        if self._is_broken:
            self._replace()
        self._tell()
        self._is_idle = not self.under_way
        self._fetching = self._loop.call_later(IDLE_REPORTS_S if self._is_idle else REPORTS_S, self._fetch)

    def _replace(self) -> None:
        """Begin anew after a fatal error."""
        self._is_broken = False
        broken, self.producer = self.producer, Producer(self._properties)
        broken.purge()
        broken.poll(0)

    def _tell(self) -> None:
        for service in list(self._arrived):
            self._endpoints[service].arrived(self._arrived.pop(service))
        for service in list(self._refused):
            self._endpoints[service].refused(self._refused.pop(service))
        for service in list(self._too_large):
            self._endpoints[service].refused(self._too_large.pop(service), TOO_LARGE_RETRY_S)

    def _delivered(self, service: str, message_id: str, error: KafkaError | None, _record: Record) -> None:
        self.under_way -= 1
        if error is None:
            self._arrived[service].append(message_id)
        else:
            self._not_delivered(service, message_id, error)

    def _not_delivered(self, service: str, message_id: str, error: KafkaError) -> None:
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            log.error("message too large for Kafka", service=service, id=message_id, again_in_s=TOO_LARGE_RETRY_S)
            self._too_large[service].append(message_id)
            return
        self._is_broken = self._is_broken or error.fatal()
        self._refused[service].append(message_id)
        self._complain_of(error.str(), service)

    def _complain(self, error: KafkaError) -> None:
        self.trouble.note(error)
        self._is_broken = self._is_broken or error.fatal()
        self._complain_of(error.str(), "all")

    def _complain_of(self, trouble: str, service: str) -> None:
        now = self._loop.time()
        if now - self._complained_at >= COMPLAINT_S:
            self._complained_at = now
            log.warning("cannot send to Kafka, trying again", service=service, error=trouble)
