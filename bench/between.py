"""Figures of services in processes apart: over Kafka beside its limit, and by HTTP."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

import limit_kafka
from apart import ROUND_S_MAX, WARM_UP_ORDERS, Clock, Told, Travelled, apart
from ground import SERVICES, Ground
from kafka_broker import Broker, bring
from machine import children_of, cpu_s
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.kafka_topics import apply
from sagamart.slices import SLICES
from wishes import wishes

START_S_MAX = 60.0
BROKER_SESSION_MS = 30_000
"""A load takes both processors: a broker that gets none for two seconds must not count as gone."""


@contextmanager
def broker() -> Iterator[Broker]:
    """A broker of Apache Kafka, started for this run as `scripts/kafka` starts it, with the topics of both."""
    bring()
    with tempfile.TemporaryDirectory(prefix="sagamart-bench-") as folder:
        started = Broker(Path(folder), session_ms=BROKER_SESSION_MS)
        try:
            started.start()
            section = KafkaSection(bootstrap_servers=(started.bootstrap,))
            apply(section, list(SLICES))
            _limit_topics(section)
            yield started
        finally:
            started.remove()


def _limit_topics(section: KafkaSection) -> None:
    wanted = [NewTopic(limit_kafka.PREFIX + name, section.partitions, 1) for name in SERVICES]
    admin = AdminClient({"bootstrap.servers": section.bootstrap_servers[0]})
    for made in admin.create_topics(wanted).values():
        made.result(START_S_MAX)


def settings_of(started: Broker) -> Mapping[str, str]:
    """How our services find it."""
    return {"SAGAMART_TRANSPORT": "kafka", "SAGAMART_KAFKA_BOOTSTRAP_SERVERS": started.bootstrap}


async def kafka(place: Ground, folder: Path, *, orders: int, rounds: int, idle_orders: int) -> Mapping[str, float]:
    """Limit and engine in turns over one broker; then one order at a time."""
    dsns = await place.copies_for("limit")
    limits, engines, brokers_us, idle = [], [], [], []
    with broker() as started:
        for turn in range(rounds):
            seed = time.time_ns()
            limits.append(await limit_round(place, dsns, started.bootstrap, orders, seed))
            async with apart(place, folder, settings_of(started)) as running:
                before = cpu_s(children_of(started.guard_pid))
                engines.append(await running.round(wishes(orders, seed=seed)))
                brokers_us.append((cpu_s(children_of(started.guard_pid)) - before) / orders * 1e6)
                if turn == rounds - 1:
                    idle = await running.latencies_ms(wishes(idle_orders, seed=seed))
            print(f"round {turn + 1}: limit {limits[-1].per_s:.0f}, engine {engines[-1].per_s:.0f} orders/s over Kafka")
    return {
        "kafka_limit_orders_per_s": statistics.median(one.per_s for one in limits),
        "kafka_orders_per_s": statistics.median(one.per_s for one in engines),
        "kafka_over_limit": statistics.median(
            ours.per_s / theirs.per_s for ours, theirs in zip(engines, limits, strict=True)
        ),
        "kafka_idle_p50_ms": statistics.median(idle),
        "kafka_python_us_per_order": statistics.median(one.python_us for one in engines),
        "kafka_postgres_us_per_order": statistics.median(one.postgres_us for one in engines),
        "kafka_broker_us_per_order": statistics.median(brokers_us),
    }


async def http(place: Ground, folder: Path, *, orders: int, rounds: int) -> Mapping[str, float]:
    """Our engine, its messages posted from process to process."""
    async with apart(place, folder, {}) as running:
        found = [await running.round(wishes(orders, seed=time.time_ns())) for _ in range(rounds)]
    return {
        "http_transport_orders_per_s": statistics.median(one.per_s for one in found),
        "http_transport_python_us_per_order": statistics.median(one.python_us for one in found),
    }


async def limit_round(place: Ground, dsns: Mapping[str, str], brokers: str, orders: int, seed: int) -> Travelled:
    """The hand-written saga over Kafka, on databases of its own."""
    told = Told(dsns["notifications"])
    async with AsyncExitStack() as closing:
        lines = [limit_kafka.Line(name, dsns[name], brokers) for name in SERVICES]
        stations = [await closing.enter_async_context(_station(line)) for line in lines]
        for one in stations:
            await _said(one, b"ready")
        first = stations[SERVICES.index("orders")]
        for count in (WARM_UP_ORDERS, orders):
            target = await told.count() + count
            await _tell(first, msgspec.json.encode(limit_kafka.Order(count, seed + count)))
            await _said(first, b"made")
            clock = Clock([one.pid for one in stations], place.postgres.pid)
            await _tell(first, b"go")
            await _said(first, b"done")
            await told.until(target)
            taken = clock.stop(count)
    return taken


@asynccontextmanager
async def _station(line: limit_kafka.Line) -> AsyncIterator[asyncio.subprocess.Process]:
    program = str(Path(limit_kafka.__file__))
    process = await asyncio.create_subprocess_exec(sys.executable, program, stdin=-1, stdout=-1)
    try:
        await _tell(process, msgspec.json.encode(line))
        yield process
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), START_S_MAX)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _tell(process: asyncio.subprocess.Process, line: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(line + b"\n")
    await process.stdin.drain()


async def _said(process: asyncio.subprocess.Process, word: bytes) -> None:
    """Wait for a word of a station.  Raises RuntimeError where it says something else, or ends."""
    assert process.stdout is not None
    said = await asyncio.wait_for(process.stdout.readline(), ROUND_S_MAX)
    if said.strip() != word:
        raise RuntimeError(f"a station of the limit failed: it said {said!r}, not {word!r}")
