"""Three brokers, whose leaders are killed while orders flow: part of the long proof, too heavy for `make test`.

Run by `make prove`, or by its name: `pytest tests/e2e/prove_brokers.py`; LEADERS says how many are killed.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource

from e2e.shop_program import Tell
from integration.frail_town import WITHIN_S, FrailTown, frail, rows
from integration.town import DatabaseOf, databases
from kafka_trio import NODES, Trio
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.kafka_topics import apply
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES
from sagamart.transports import kafka_travel

LEADERS = int(os.environ.get("LEADERS", "2"))
TOPIC = "sagamart.orders"
LOOK_S = 0.1
MORE = 20
"""So many orders are asked for while a broker is dead."""


@pytest_asyncio.fixture(scope="module")
async def trio() -> AsyncIterator[Trio]:
    with tempfile.TemporaryDirectory(prefix="sagamart-kafka-") as folder:
        made = Trio(Path(folder))
        try:
            await asyncio.to_thread(made.start, *NODES)
            yield made
        finally:
            made.remove()


@pytest_asyncio.fixture(scope="module")
async def town(trio: Trio, lasting_database_of: DatabaseOf) -> AsyncIterator[FrailTown]:
    """Give the shop over three copies of each topic."""
    dsns = await databases(lasting_database_of)
    section = KafkaSection(bootstrap_servers=trio.bootstrap, partitions=2, replication=3)
    await asyncio.to_thread(apply, section, list(SLICES))

    def ways(_names: Any) -> Any:
        return kafka_travel(ShopSettings(transport="kafka", kafka=section))

    async with frail(ways, dsns, dsns, {}) as opened:
        yield opened


async def test_a_message_counts_when_two_of_three_brokers_have_it(trio: Trio, town: FrailTown) -> None:
    assert town.people == []
    topic = ConfigResource(ConfigResource.Type.TOPIC, TOPIC)
    admin = AdminClient({"bootstrap.servers": ",".join(trio.bootstrap)})
    found = admin.describe_configs([topic])[topic].result(WITHIN_S)
    assert (found["min.insync.replicas"].value, trio.in_sync(TOPIC)) == ("2", [1, 2, 3])


async def test_killed_leaders_lose_no_order(trio: Trio, town: FrailTown, tell: Tell) -> None:
    for _ in range(LEADERS):
        leader = trio.leader(TOPIC)

        async def killed(doomed: int = leader) -> None:
            await asyncio.to_thread(trio.kill, doomed)
            await until(lambda: trio.leader(TOPIC) not in (doomed, -1))

        await orders_during(town, killed)
        await asyncio.to_thread(trio.start, leader)
        await until(lambda: trio.in_sync(TOPIC) == [1, 2, 3])
    await town.is_sound()
    tell(f"{LEADERS} leaders were killed; {len(town.people)} orders were asked for, and are there once.")


async def test_with_one_broker_of_three_what_is_said_stays_in_the_outbox_until_there_are_two(
    trio: Trio, town: FrailTown
) -> None:
    waiting: list[Any] = []

    async def killed() -> None:
        await asyncio.to_thread(trio.kill, 1, 2)
        before = len(town.people)
        await until(lambda: len(town.people) >= before + MORE)
        waiting.extend(await rows(town.dsns["orders"], "select id from outbox limit 1"))

    await orders_during(town, killed)
    await asyncio.to_thread(trio.start, 1, 2)
    await town.is_sound()
    assert waiting, "nothing was left in the outbox"


async def orders_during(town: FrailTown, fault: Callable[[], Any]) -> None:
    """Have people order before, while and after something happens."""
    happening = asyncio.ensure_future(fault())
    await town.orders_until(happening.done)
    await happening
    wanted = len(town.people) + MORE
    await town.orders_until(lambda: len(town.people) >= wanted)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until the brokers say so."""
    async with asyncio.timeout(WITHIN_S):
        while not await asyncio.to_thread(is_so):  # noqa: ASYNC110  they tell nobody
            await asyncio.sleep(LOOK_S)
