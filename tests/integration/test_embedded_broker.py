"""Who names no brokers gets one: `sagamart cluster --transport kafka` brings it in, starts it, and ends it."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from kafka_broker import JARS
from sagamart.cluster.program import brokers
from sagamart.platform.kafka import KafkaSection
from sagamart.settings import ShopSettings
from sagamart.transports import topics


@pytest.fixture(autouse=True)
def jars_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's cache has the jars that are kept beside the project."""
    (tmp_path / "cache" / "sagamart").mkdir(parents=True)
    (tmp_path / "cache" / "sagamart" / "kafka").symlink_to(JARS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


async def test_a_broker_of_ones_own_keeps_what_it_has_from_one_start_to_the_next(tmp_path: Path) -> None:
    settings = ShopSettings(data=str(tmp_path), transport="kafka")

    async with brokers(settings, print) as first:
        await topics(first.kafka, create=True)
    async with brokers(settings, print) as again:
        kept = await topics(again.kafka, create=False)

    assert first.kafka.bootstrap_servers == again.kafka.bootstrap_servers
    assert {topic.state for topic in kept} == {"as declared"}


async def test_whoever_names_brokers_gets_no_other(tmp_path: Path) -> None:
    named = KafkaSection(bootstrap_servers=("kafka-1:9092",))
    settings = replace(ShopSettings(data=str(tmp_path)), kafka=named)

    async with brokers(settings, print) as given:
        assert given is settings
    assert "kafka" not in [one.name for one in os.scandir(tmp_path)]
