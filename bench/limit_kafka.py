"""The hand-written saga with a process a service and Kafka between them: the yardstick of the Kafka part.

The hops and their SQL are those of the other limit; only the way of a message differs.  A station is one loop: take
what is there, a transaction for each type of message, produce what follows, commit the offsets.  It keeps what Kafka
needs to lose nothing (idempotent, acknowledged by all, an outbox row goes after the delivery reports, offsets after the
database) and has nothing generic: a topic for each station, so that none reads what is not for it, no headers, and a
message is one piece of JSON.

As a program it is one station.  It reads a `Line` as JSON from its standard input and says `ready`; the station of
orders then places the number of orders of each further line, and says `done` when all are complete.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

import asyncpg
import msgspec
import uvloop
from confluent_kafka import Consumer, KafkaException, Producer

from limit_loop import SESSION, Envelope, Station, encoder
from limit_orders import Placed, Told, ToldPayment
from limit_others import Booked, Money, saga
from sagamart.platform.collector import spare_batches
from wishes import wishes

PREFIX = "limit."
TAKEN_MAX = 1_000
BATCH_MAX = 500
ASK_S = 0.02
IN_FLIGHT_MAX = 2_000
BODIES: dict[str, type] = {
    "BookingRequested": Told,
    "OrderPaid": Told,
    "OrderCompleted": Told,
    "HoldRequested": ToldPayment,
    "CaptureRequested": ToldPayment,
    "StockBooked": Booked,
    "MoneyHeld": Money,
    "MoneyCaptured": Money,
}
LAST = "OrderCompleted"


class Line(msgspec.Struct):
    """What a station is told: its name, its database, and where the brokers are."""

    station: str
    dsn: str
    brokers: str


class Order(msgspec.Struct):
    """How many orders to place, and from which seed."""

    orders: int
    seed: int


class _Torn(msgspec.Struct):
    type: str


class Post:
    """A station's way to the brokers and back."""

    def __init__(self, line: Line, station: Station) -> None:
        self._station = station
        self._producer = Producer(
            {
                "bootstrap.servers": line.brokers,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 1,
                "compression.type": "lz4",
            }
        )
        self._consumer = Consumer(
            {
                "bootstrap.servers": line.brokers,
                "group.id": PREFIX + line.station,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        self._consumer.subscribe([PREFIX + line.station])
        self._topics = {kind: PREFIX + one.name for one in station.saga.stations.values() for kind in one.hops}
        self._readers: dict[str, msgspec.json.Decoder[Envelope]] = {
            kind: msgspec.json.Decoder(_whole(body)) for kind, body in BODIES.items()
        }
        self._kind = msgspec.json.Decoder(_Torn)
        self._left: dict[str, int] = {}

    def send(self, messages: Sequence[Envelope]) -> None:
        """Produce a batch's messages; when all are acknowledged, its outbox row may go."""
        if not messages:
            return
        parcel = messages[0].id
        self._left[parcel] = len(messages)
        reported = partial(self._reported, parcel)
        for message in messages:
            self._producer.produce(
                self._topics[message.type], encoder.encode(message), message.key, on_delivery=reported
            )

    def take(self, wait_s: float) -> dict[str, list[Envelope]]:
        """What has come, by type."""
        self._producer.poll(0)
        records = self._consumer.consume(1, wait_s)
        if records:
            records += self._consumer.consume(TAKEN_MAX - 1, 0)
        found: dict[str, list[Envelope]] = defaultdict(list)
        for record in records:
            error, value = record.error(), record.value()
            if error is not None:
                raise KafkaException(error)
            kind = self._kind.decode(value or b"").type
            found[kind].append(self._readers[kind].decode(value or b""))
        return found

    def handled(self) -> None:
        """All that was taken is in the database."""
        self._consumer.commit(asynchronous=True)

    @property
    def assigned(self) -> bool:
        """Whether partitions have come."""
        return bool(self._consumer.assignment())

    def close(self) -> None:
        """Leave the group, so that the next one need not wait."""
        self._producer.flush(5)
        self._consumer.close()

    def _reported(self, parcel: str, error: object, _record: object) -> None:
        if error is not None:
            raise RuntimeError(f"not delivered: {error}")
        self._left[parcel] -= 1
        if not self._left[parcel]:
            del self._left[parcel]
            self._station.arrived.append(parcel)


def _whole(body: type) -> type:
    return msgspec.defstruct(
        "Whole", [(one.name, body if one.name == "body" else one.type) for one in msgspec.structs.fields(Envelope)]
    )


async def work(station: Station, post: Post, more: Callable[[], list[Envelope]]) -> int:
    """One turn; says how many orders it completed."""
    placing = more()
    came = post.take(0 if placing else ASK_S)
    if placing:
        came["PlaceOrder"] = placing
    for kind, messages in came.items():
        for start in range(0, len(messages), BATCH_MAX):
            batch = messages[start : start + BATCH_MAX]
            post.send(await station.hops[kind](station, batch))
    if came:
        post.handled()
    return len(came.get("MoneyCaptured", ()))


class Placing:
    """Orders still to be placed, so many on their way at once."""

    def __init__(self, order: Order) -> None:
        made = wishes(order.orders, seed=order.seed)
        self._waiting = [
            Envelope(m.id, m.type, m.key, m.source, m.at, m.correlation, Placed(m, request), None)
            for m, request in reversed(made)
        ]
        self.under_way = 0

    @property
    def unfinished(self) -> bool:
        """Whether an order is not complete."""
        return bool(self.under_way or self._waiting)

    def more(self) -> list[Envelope]:
        """The next batch, as far as there is room."""
        count = min(BATCH_MAX, IN_FLIGHT_MAX - self.under_way, len(self._waiting))
        self.under_way += count
        return [self._waiting.pop() for _ in range(count)]


async def run(line: Line) -> None:
    """A station, until its standard input ends."""
    station = saga().stations[line.station]
    station.connection = await asyncpg.connect(line.dsn, server_settings=SESSION)
    post = Post(line, station)
    while not post.assigned:
        await work(station, post, list)
    spare_batches()
    print("ready", flush=True)
    said = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    while True:
        if said.done():
            wanted = said.result()
            if not wanted:
                break
            placing = Placing(msgspec.json.decode(wanted, type=Order))
            print("made", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            while placing.unfinished:
                done = await work(station, post, placing.more)
                placing.under_way -= done  # not in one statement: what is taken away would be read before the turn
            print("done", flush=True)
            said = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
        await work(station, post, list)
        await asyncio.sleep(0)
    post.close()
    await station.connection.execute("delete from outbox")
    await station.connection.close()


if __name__ == "__main__":
    uvloop.run(run(msgspec.json.decode(sys.stdin.readline(), type=Line)))
