"""The thread of one consuming service: takes records from the brokers in batches and commits what is finished.

Rules:
- Only this thread touches the consumer.  It shares numbers and flags with the event loop, each written by one side.
- A batch is handed to the event loop, and the next is taken when the loop has it; what is fetched ahead waits in the
  client, within its bounds.
- A partition without a commit begins at its earliest record, and that beginning is committed at once.  From then on a
  committed offset that the log no longer has means lost messages: an error that stops this consumer, never a jump.
- Positions are committed every `COMMIT_S`, and at once before a partition goes away.
- While it holds, all partitions are paused; the thread keeps asking, so the group keeps this member.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import structlog
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Record

from sagamart.messaging.transport.kafka_client import COMPLAINT_S, Properties, consumer_properties
from sagamart.messaging.transport.kafka_offsets import Progress

TAKEN_MAX = 500
"""Records handed to the event loop at once."""

ASK_S = 0.1
COMMIT_S = 0.25
LAG_WHILE_HOLDING_S = 2.0
CALL_S_MAX = 5.0
"""How long one question to the brokers may take before it is asked again."""

STOP_S_MAX = 10.0

T = TypeVar("T")

log = structlog.get_logger()

_FORBIDDEN = (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED)
_LOST = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)  # noqa: SLF001  librdkafka's own names


class Taken(NamedTuple):
    """A record and the partition that it is a step of."""

    progress: Progress
    record: Record


class LostMessagesError(Exception):
    """Messages were removed before they were read, or the topic was made anew."""


class Receiver(Protocol):
    """The other side, in the event loop."""

    def deliver(self, taken: Sequence[Taken]) -> None:
        """Take these, in order, and then say `go_on`."""

    def nothing_comes(self) -> None:
        """The intake holds: what was delivered before was the last.  Said again and again."""

    def fail(self, why: str) -> None:
        """The intake has stopped."""


class Intake:
    """Runs from `start` to `stop`."""

    def __init__(self, connection: Properties, group: str, topics: Sequence[str], receiver: Receiver) -> None:
        self.group = group
        self.topics = list(topics)
        self.holding = False
        self.lag = 0
        self.partitions = 0
        self.forbidden: str | None = None
        """What the brokers do not let this group do, since it was last given partitions."""
        self._noted_at = float("-inf")
        self._properties = {**consumer_properties(connection, group), "error_cb": self._note, "on_commit": self._noted}
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self._delivered = threading.Event()
        self._is_stopping = threading.Event()
        self._is_paused = False
        self._progress: dict[tuple[str, int], Progress] = {}
        self._look_again_at = 0.0
        self._commit_again_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"kafka {group}", daemon=True)

    def start(self) -> None:
        """Begin to take records."""
        self._thread.start()

    def end(self) -> None:
        """Commit what is finished and leave the group, soon."""
        self._is_stopping.set()

    async def stop(self) -> None:
        """The same, and wait for it."""
        self._is_stopping.set()
        self._delivered.set()
        await asyncio.to_thread(self._thread.join, STOP_S_MAX)

    def go_on(self) -> None:
        """The event loop has what was delivered."""
        self._delivered.set()

    # -- in the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            consumer = Consumer(self._properties)
            try:
                consumer.subscribe(
                    self.topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._forgotten
                )
                while not self._is_stopping.is_set():
                    self._obey(consumer)
                    self._hand_on(self._take(consumer))
                    self._commit_now_and_then(consumer)
                self._commit(consumer, asynchronous=False)
            finally:
                consumer.close()
        except Exception as error:
            if self._is_stopping.is_set():
                log.warning("consumer stopped while it waited for the brokers", group=self.group, error=str(error))
                return
            log.critical("consumer stopped", group=self.group, exc_info=error)
            self._tell(self._receiver.fail, f"{type(error).__name__}: {error}")

    def _take(self, consumer: Consumer) -> list[Taken]:
        """Wait for the first record, then take what is there: asking for many at once would wait for all of them."""
        records = consumer.consume(1, ASK_S)
        if records:
            records += consumer.consume(TAKEN_MAX - 1, 0)
        taken = []
        for record in records:
            error = record.error()
            if error is not None:
                self._judge(error, record)
                continue
            progress = self._progress.get((record.topic() or "", record.partition() or 0))
            if progress is not None:  # otherwise the partition went away between the two questions
                taken.append(Taken(progress, record))
        return taken

    def _hand_on(self, taken: list[Taken]) -> None:
        if not taken:
            return
        self._delivered.clear()
        self._tell(self._receiver.deliver, taken)
        self._delivered.wait()

    def _judge(self, error: KafkaError, record: Record) -> None:
        """Raise for what does not pass by itself."""
        if error.code() in _LOST:
            raise LostMessagesError(
                f"{record.topic()}/{record.partition()}: the next message for {self.group} is no longer there"
                " (retention removed it, or the topic was made anew). Find out what was lost, set the group's offset"
                " by hand, and start again"
            )
        if error.fatal():
            raise KafkaException(error)
        if error.code() in _FORBIDDEN:
            self.forbidden = error.str()
        self._note(error)

    def _note(self, error: KafkaError) -> None:
        """Say what the trouble is, not more often than once in `COMPLAINT_S`."""
        now = time.monotonic()
        if now - self._noted_at >= COMPLAINT_S:
            self._noted_at = now
            log.warning("trouble with Kafka", group=self.group, error=error.str())

    def _obey(self, consumer: Consumer) -> None:
        """Pause or go on, as the event loop wants it."""
        wanted = self.holding
        if wanted != self._is_paused:
            (consumer.pause if wanted else consumer.resume)(consumer.assignment())
            self._is_paused = wanted
        if wanted:
            self._tell(self._receiver.nothing_comes)

    def _tell(self, what: Callable[..., None], *about: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *about)

    # -- partitions come and go ---------------------------------------------------------------------------------------

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Begin where the group stands."""
        known = self._ask(lambda: consumer.committed(partitions, CALL_S_MAX))
        new = [place for place in known if place.offset == OFFSET_INVALID]
        for place in new:
            place.offset = self._ask(partial(_earliest, consumer, place))
        if new:
            self._ask(lambda: consumer.commit(offsets=new, asynchronous=False))
        for place in known:
            self._progress[place.topic, place.partition] = Progress(place.offset)
        consumer.incremental_assign(known)
        self._is_paused = False
        self.forbidden = None
        self.partitions = len(self._progress)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Commit what is finished of them; what is under way will be handled again elsewhere, without effect."""
        self._commit(consumer, asynchronous=False)
        self._forgotten(consumer, partitions)

    def _forgotten(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Somebody else has them."""
        for place in partitions:
            self._progress.pop((place.topic, place.partition), None)
        self.partitions = len(self._progress)

    def _ask(self, question: Callable[[], T]) -> T:
        """Until the brokers answer."""
        while True:
            try:
                return question()
            except KafkaException as error:
                self._note(error.args[0])
                if self._is_stopping.wait(ASK_S):
                    raise

    # -- commits ------------------------------------------------------------------------------------------------------

    def _commit_now_and_then(self, consumer: Consumer) -> None:
        now = time.monotonic()
        if now >= self._commit_again_at:
            self._commit_again_at = now + COMMIT_S
            self._commit(consumer, asynchronous=True)
            self._measure(consumer, now)

    def _commit(self, consumer: Consumer, *, asynchronous: bool) -> None:
        places = []
        for (topic, partition), progress in self._progress.items():
            position = progress.position
            if position != progress.committed:
                progress.committed = position
                places.append(TopicPartition(topic, partition, position))
        if not places:
            return
        try:
            if asynchronous:
                consumer.commit(offsets=places, asynchronous=True)
            else:
                consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            self._noted(error.args[0], places)

    def _noted(self, error: KafkaError | None, places: Sequence[TopicPartition]) -> None:
        """A commit that failed is made again with the next one."""
        if error is None:
            return
        self._note(error)
        for place in places:
            progress = self._progress.get((place.topic, place.partition))
            if progress is not None and progress.committed == place.offset:
                progress.committed = -1

    def _measure(self, consumer: Consumer, now: float) -> None:
        """How many records wait in these partitions: the end of the log as last heard of, less the position."""
        if self._is_paused:
            if now < self._look_again_at:
                return
            self._look_again_at = now + LAG_WHILE_HOLDING_S
        lag = 0
        for (topic, partition), progress in self._progress.items():
            place = TopicPartition(topic, partition)
            try:
                marks = consumer.get_watermark_offsets(place, CALL_S_MAX, cached=not self._is_paused)
            except KafkaException as error:
                self._note(error.args[0])
                return
            if marks:  # None after a time-out
                lag += max(0, marks[1] - progress.position)
        self.lag = lag


def _earliest(consumer: Consumer, place: TopicPartition) -> int:
    """The first offset that is still there.  Raises KafkaException."""
    marks = consumer.get_watermark_offsets(place, CALL_S_MAX)
    if not marks:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  librdkafka's own name
    return marks[0]
