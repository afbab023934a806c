"""Orders over lines that delay, slice, break off and fall silent: to PostgreSQL, between services, to the broker.

Each fault is counted by the line where it happens.  Whatever it was, every order that was asked for is there once, and
completed; nothing is lost or doubled in any database.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from frail_network import LOOPBACK, Network, Way
from integration.frail_town import FrailTown, frail, over
from integration.town import DatabaseOf, by_http, databases
from kafka_broker import LinedBroker
from sagamart.messaging import postgres
from sagamart.platform.internal import posting
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.kafka_topics import apply
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES
from sagamart.transports import kafka_travel

ANSWER_S_MAX = 2.0
"""After so long a silence the line is given up; a shop at work waits ten times as long."""

CUTS = (0, 1, 0, 5, 100, 0, 400, 1_000, 0, 3_000)
"""Bytes of an answer that still come through before the connection is gone."""


@pytest_asyncio.fixture(scope="module")
async def town(lasting_database_of: DatabaseOf) -> AsyncIterator[FrailTown]:
    """Give services that post to each other, over lines; three of them have lines to their databases too."""
    dsns = await databases(lasting_database_of)
    with Network() as network, pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres, "ANSWER_S_MAX", ANSWER_S_MAX)
        patch.setattr(postgres, "CONNECT_S_MAX", ANSWER_S_MAX)
        patch.setattr(posting, "ANSWER_S_MAX", ANSWER_S_MAX)
        reached = {name: over(network, dsns[name]) for name in ("orders", "stock", "wallet")}
        lines = {name: line for name, (line, _) in reached.items()}
        places = iter(("to the front", "to the back"))

        def found_at(port: int) -> int:
            line = lines[next(places)] = network.line(port)
            return line.port

        used = {**dsns, **{name: dsn for name, (_, dsn) in reached.items()}}
        async with frail(by_http(found_at), dsns, used, lines) as opened:
            yield opened


async def test_lines_that_delay_and_slice_whatever_is_said_delay_orders_and_no_more(town: FrailTown) -> None:
    before = town.fired("sliced")
    for line in town.lines.values():
        line.slice_bytes, line.pause_s = 200, 0.001

    await town.orders_until(lambda: town.fired("sliced") - before >= 100)

    assert town.fired("late") > town.fired("sliced") - before
    await town.is_sound()


@pytest.mark.parametrize(
    "cut", [("orders", "stock", "wallet"), ("to the front", "to the back")], ids=["postgres", "posts"]
)
async def test_connections_that_break_off_in_the_midst_of_an_answer_have_one_effect(
    town: FrailTown, cut: tuple[str, ...]
) -> None:
    lines = [town.lines[name] for name in cut]
    before = [line.fired["reset"] for line in lines]
    for line in lines:
        line.cuts.extend(CUTS)

    await town.orders_until(
        lambda: all(line.fired["reset"] - was >= len(CUTS) // 2 for line, was in zip(lines, before, strict=True))
    )

    await town.is_sound()


@pytest.mark.parametrize(
    "silent",
    [
        {"orders": "answers", "stock": "questions", "wallet": "answers"},
        {"to the back": "questions", "to the front": "answers"},
    ],
    ids=["postgres", "posts"],
)
async def test_lines_that_fall_silent_one_way_are_given_up_and_what_comes_late_has_no_second_effect(
    town: FrailTown, silent: dict[str, Way]
) -> None:
    before = {name: town.lines[name].fired["given up"] for name in silent}
    for name, way in silent.items():
        town.lines[name].silent = way

    await town.orders_until(lambda: all(town.lines[name].fired["given up"] > before[name] for name in silent))

    await town.is_sound()


async def test_a_frail_line_to_the_broker_loses_no_message_and_doubles_none(
    kafka: LinedBroker, fresh_prefix: Callable[[], str], database_of: DatabaseOf
) -> None:
    dsns = await databases(database_of)
    direct = KafkaSection(bootstrap_servers=(kafka.bootstrap,), prefix=fresh_prefix(), partitions=2)
    await asyncio.to_thread(apply, direct, list(SLICES))
    with Network() as network:
        line = network.line(kafka.behind_port, port=kafka.line_port)
        section = replace(direct, bootstrap_servers=(f"{LOOPBACK}:{line.port}",))

        def ways(_names: Any) -> Any:
            return kafka_travel(ShopSettings(transport="kafka", kafka=section))

        async with frail(ways, dsns, dsns, {"broker": line}) as town:
            line.slice_bytes, line.pause_s = 200, 0.001
            line.cuts.extend(CUTS)

            await town.orders_until(lambda: line.fired["reset"] >= len(CUTS) // 2 and line.fired["sliced"] > 0)

            await town.is_sound()
