"""What only a real broker can do to us: it dies, it forgets, it is full, it keeps what nobody can read."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from conformance.conversation import EMITS, EVERYBODY
from conformance.kafka_way import KafkaWay
from conformance.ways import Process, World
from kafka_broker import Broker
from sagamart.messaging.limits import Limits
from sagamart.messaging.message import Registry, TornMessage
from sagamart.messaging.transport import kafka_producer
from sagamart.messaging.transport.kafka import KafkaNotReadyError, KafkaTransport
from sagamart.messaging.transport.kafka_consumer import Inbound

SUBJECTS = tuple(f"subject-{number}" for number in range(60))
ONCE = dict.fromkeys(SUBJECTS, 1)
SOUND: dict[str, Any] = {
    "specversion": "1.0",
    "id": "019aa000-0000-7000-8000-000000000001",
    "type": "Said",
    "source": "speaker",
    "time": "2026-11-21T12:00:00+00:00",
    "data": {"subject": "x"},
}


def consumer_of(process: Process, name: str) -> Inbound:
    assert isinstance(process.transport, KafkaTransport)
    return process.transport.consumers[name]


def is_ready(process: Process) -> Callable[[], Any]:
    assert isinstance(process.transport, KafkaTransport)
    return process.transport.check


def write_raw(way: KafkaWay, *records: tuple[str | None, bytes | None], key: str = "odd") -> None:
    """Write what no speaker would say: the type that a header names, and the value."""
    producer = Producer({"bootstrap.servers": way.section.bootstrap_servers[0]})
    for kind, value in records:
        headers = {} if kind is None else {"ce_type": kind}
        producer.produce(way.topic("speaker"), value, key, partition=0, headers=dict(headers))
    assert producer.flush(30) == 0


def sound_event(**changed: Any) -> bytes:
    return msgspec.json.encode(SOUND | changed)


def sound_id(last: int) -> str:
    return f"{SOUND['id'][:-1]}{last}"


async def test_what_cannot_be_read_is_kept_and_stops_nothing(kafka_way: KafkaWay, kafka_world: World) -> None:
    speaker = await kafka_world.start_all()
    write_raw(
        kafka_way,
        ("SaidByAnotherVersion", sound_event(type="SaidByAnotherVersion")),
        ("Said", sound_event(id=sound_id(2), schemaversion=9)),
        ("Said", sound_event(id=sound_id(3), data={"subject": 7})),
        ("Said", b"\x00\xff not JSON"),
        ("Said", sound_event(id="not a UUID")),
        (None, None),
    )

    await speaker.speak(*SUBJECTS)

    kinds = ["?", "Said", "Said", "Said", "Said", "SaidByAnotherVersion"]
    await kafka_world.until(lambda: kafka_world.letters("left") == [(kind, "odd", "dead") for kind in kinds])
    await kafka_world.until_all_heard(ONCE)
    kept = [msgspec.json.decode(row.message) for row in kafka_world.stores["left"].letters.values()]
    values = [msgspec.convert(one["record_value"] or "", bytes) for one in kept if "record_value" in one]
    assert sorted(values) == [b"", b"\x00\xff not JSON", sound_event(id="not a UUID")], "kept as they came"
    consumer = consumer_of(kafka_world.processes[1], "left")
    await kafka_world.until(lambda: consumer.lag == 0)


async def test_a_type_that_a_later_version_knows_can_be_handled_by_it(kafka_way: KafkaWay, kafka_world: World) -> None:
    await kafka_world.start("left")
    event = sound_event(type="Whispered", data={"subject": "later", "number": 3})
    write_raw(kafka_way, ("Whispered", event), key="later")
    await kafka_world.until(lambda: kafka_world.letters("left"))
    (row,) = kafka_world.stores["left"].letters.values()

    kept = msgspec.json.decode(row.message, type=TornMessage)

    assert (kept.id, kept.key, kept.type, kept.source) == (SOUND["id"], "later", "Whispered", "speaker")
    whispered = type("Whispered", (EVERYBODY["left"].registry.types["Said"],), {"__module__": __name__})
    assert Registry([whispered]).decode(row.message).body == whispered(subject="later", number=3)


async def test_a_message_carries_what_cloud_events_ask_for(kafka_way: KafkaWay, kafka_world: World) -> None:
    speaker = await kafka_world.start("speaker")
    (cause,) = await speaker.speak("weather", text="sunny")

    record = await first_record(kafka_way, kafka_world)

    assert record.headers() == [("ce_type", b"Said"), ("content-type", b"application/cloudevents+json; charset=UTF-8")]
    assert record.key() == b"weather"
    event = json.loads(record.value())
    at, message_id = event.pop("time"), event.pop("id")
    assert (len(message_id), at[-1]) == (36, "Z")
    assert event == {
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "type": "Said",
        "source": "speaker",
        "node": "node-1",
        "schemaversion": 1,
        "correlationid": cause,
        "causationid": cause,
        "data": {"subject": "weather", "number": 0, "text": "sunny"},
    }


async def test_a_message_that_is_too_large_stays_in_the_outbox_until_it_may_pass(
    kafka_way: KafkaWay, kafka_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_producer, "TOO_LARGE_RETRY_S", 0.2)
    kafka_way.overrides["message.max.bytes"] = 2_000
    speaker = await kafka_world.start("speaker", "left", "right")
    await speaker.speak("long story", text="x" * 3_000)
    await speaker.speak(*SUBJECTS)
    await kafka_world.until(lambda: kafka_world.heard("left") == ONCE and kafka_world.outbox("speaker") == 1)
    await speaker.stop()

    del kafka_way.overrides["message.max.bytes"]
    kafka_world.let_leases_run_out()
    await kafka_world.start("speaker", "left", "right")

    await kafka_world.until_all_heard(ONCE | {"long story": 1})


async def test_what_the_buffer_cannot_take_goes_out_later(kafka_way: KafkaWay, kafka_world: World) -> None:
    kafka_way.overrides["queue.buffering.max.messages"] = 50
    speaker = await kafka_world.start_all()
    back: list[str] = []
    worker = speaker.workers["speaker"]
    worker.on_batch.append(lambda _batch, _seconds: back.extend(worker.returned))

    await speaker.speak(*SUBJECTS)

    assert back, "120 messages do not fit into 50 places"
    await kafka_world.until_all_heard(ONCE)


async def test_a_killed_broker_makes_nobody_ready_and_loses_nothing(
    kafka: Broker, kafka_way: KafkaWay, kafka_world: World
) -> None:
    kafka_way.overrides["delivery.timeout.ms"] = 2_000
    speaker = await kafka_world.start_all()
    check = is_ready(speaker)
    await speaker.speak("before")
    await kafka_world.until_all_heard({"before": 1})
    await check()

    kafka.kill()
    await speaker.speak(*SUBJECTS)
    with pytest.raises(KafkaNotReadyError, match="do not answer"):
        await check()
    outbound = speaker.transport
    assert isinstance(outbound, KafkaTransport)
    await kafka_world.until(lambda: speaker.workers["speaker"].returned)
    assert kafka_world.unsent("speaker") == 2 * len(SUBJECTS)
    kafka.start()

    await kafka_world.until_all_heard(ONCE | {"before": 1})
    await check()


async def test_two_replicas_share_the_messages_and_neither_loses_nor_doubles_any(kafka_world: World) -> None:
    first = await kafka_world.start_all()
    replicas = [kafka_world.processes[1]]
    for number in range(6):
        await first.speak(*(f"{subject}-{number}" for subject in SUBJECTS))
        if number == 1:
            replicas.append(await kafka_world.start("left"))
        if number == 2:
            await kafka_world.until(
                lambda: [consumer_of(one, "left").partitions for one in replicas] in ([1, 2], [2, 1])
            )
        if number == 4:
            await replicas[0].stop()

    await kafka_world.until_all_heard({f"{subject}-{number}": 1 for subject in SUBJECTS for number in range(6)})
    await kafka_world.until(lambda: consumer_of(replicas[1], "left").partitions == 3)


async def test_partitions_that_move_while_a_batch_is_under_way_lose_and_double_nothing(kafka_world: World) -> None:
    speaker = await kafka_world.start("speaker", "right")
    at_work, go_on = asyncio.Event(), asyncio.Event()

    async def hold(point: str) -> None:
        if point == "write":
            at_work.set()
            await go_on.wait()

    kafka_world.pauses["left"] = hold
    first = await kafka_world.start("left", limits=Limits(batch_max=7))
    await speaker.speak(*SUBJECTS)
    await kafka_world.until(at_work.is_set)
    assert consumer_of(first, "left").unfinished > 0

    second = await kafka_world.start("left")
    await kafka_world.until(
        lambda: [consumer_of(one, "left").partitions for one in (first, second)] in ([1, 2], [2, 1])
    )
    assert kafka_world.heard("left") == {}, "the batch is still under way"
    go_on.set()

    await kafka_world.until_all_heard(ONCE)
    await kafka_world.until(lambda: consumer_of(first, "left").lag + consumer_of(second, "left").lag == 0)


async def test_lost_messages_stop_the_consumer_and_make_it_not_ready(kafka_way: KafkaWay, kafka_world: World) -> None:
    speaker = await kafka_world.start("speaker", "right")
    left = await kafka_world.start("left")
    await speaker.speak("before")
    await kafka_world.until_all_heard({"before": 1})
    await left.stop()
    await speaker.speak(*SUBJECTS)
    await kafka_world.until(lambda: not kafka_world.outbox("speaker"))

    kafka_way.forget("speaker")
    late = await kafka_world.start("left")

    consumer = consumer_of(late, "left")
    await kafka_world.until(lambda: consumer.state == "failed")
    assert "no longer there" in (consumer.failure or "")
    with pytest.raises(KafkaNotReadyError, match="left: LostMessagesError"):
        await is_ready(late)()
    await is_ready(speaker)()
    assert kafka_world.heard("left") == {"before": 1}


async def test_messages_lost_before_anything_was_read_are_noticed_too(kafka_way: KafkaWay, kafka_world: World) -> None:
    left = await kafka_world.start("left")
    await kafka_world.until(lambda: consumer_of(left, "left").partitions == 3)
    await left.stop()
    speaker = await kafka_world.start("speaker", "right")
    await speaker.speak(*SUBJECTS)
    await kafka_world.until(lambda: not kafka_world.outbox("speaker"))
    kafka_way.forget("speaker")

    late = await kafka_world.start("left")

    await kafka_world.until(lambda: consumer_of(late, "left").state == "failed")


async def test_a_new_consumer_begins_with_the_first_message(kafka_world: World) -> None:
    speaker = await kafka_world.start("speaker", "right")
    await speaker.speak(*SUBJECTS)
    await kafka_world.until(lambda: not kafka_world.outbox("speaker"))

    await kafka_world.start("left")

    await kafka_world.until_all_heard(ONCE)


async def test_what_was_taken_and_not_handled_comes_again(kafka_world: World) -> None:
    speaker = await kafka_world.start("speaker", "right")

    async def never(point: str) -> None:
        if point == "write":
            raise ConnectionAbortedError("the process is about to die")

    kafka_world.pauses["left"] = never
    left = await kafka_world.start("left", limits=Limits(batch_max=7))
    await speaker.speak(*SUBJECTS)
    await kafka_world.until(lambda: left.workers["left"].failed)
    await left.stop()
    assert kafka_world.heard("left") == {}

    del kafka_world.pauses["left"]
    await kafka_world.start("left")

    await kafka_world.until_all_heard(ONCE)


async def test_a_consumer_is_paused_drained_and_resumed(kafka_world: World) -> None:
    speaker = await kafka_world.start("speaker", "right")
    left = await kafka_world.start("left")
    consumer = consumer_of(left, "left")
    await speaker.speak("before")
    await kafka_world.until_all_heard({"before": 1})

    await consumer.drain()
    assert (consumer.state, consumer.unfinished) == ("drained", 0)
    await speaker.speak(*SUBJECTS)
    await kafka_world.until(lambda: consumer.lag == 2 * len(SUBJECTS))
    assert kafka_world.heard("left") == {"before": 1}
    consumer.pause()
    consumer.resume()
    await kafka_world.until_all_heard(ONCE | {"before": 1})
    await kafka_world.until(lambda: (consumer.lag, consumer.state) == (0, "running"))


async def test_a_missing_topic_is_named_with_what_to_do(kafka: Broker, fresh_prefix: Callable[[], str]) -> None:
    connection = {"bootstrap.servers": kafka.bootstrap}
    async with KafkaTransport(connection, EMITS, prefix=fresh_prefix()) as transport:
        world = World(KafkaWay(kafka.bootstrap, fresh_prefix()))
        process = await world.start("speaker")
        transport.connect(process.workers["speaker"])
        with pytest.raises(KafkaNotReadyError, match=r"no such topics: .*left, .*speaker; create them"):
            await transport.check()
        await world.stop()


async def first_record(way: KafkaWay, world: World) -> Any:
    """The first thing that the speaker said."""
    reader = Consumer({"bootstrap.servers": way.section.bootstrap_servers[0], "group.id": "test"})
    reader.assign([TopicPartition(way.topic("speaker"), partition, 0) for partition in range(3)])
    found: list[Any] = []

    def look() -> bool:
        found.extend(one for one in reader.consume(10, 0.1) if ("ce_type", b"Said") in (one.headers() or ()))
        return bool(found)

    await world.until(look)
    reader.close()
    return found[0]
