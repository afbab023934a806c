"""What each process of a cluster is told, so that those find each other who must."""

from pathlib import Path

import pytest

from sagamart.audit import AUDIT
from sagamart.cluster.plan import Member, addresses_of, handling_messages, planned
from sagamart.platform.internal.posting import Destinations
from sagamart.platform.ports import Ports
from sagamart.platform.settings import load
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES

POSTGRES = "postgresql://admin@/postgres?host=/tmp"


def members_of(folder: Path, transport: str, style: str = "facts") -> dict[str, Member]:
    given = {
        "SAGAMART_DATA": str(folder),
        "SAGAMART_TRANSPORT": transport,
        "SAGAMART_STYLE": style,
        "SAGAMART_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
        "SAGAMART_INTERNAL_RECEIVE": "false",
    }
    with Ports() as ports:
        members = planned(load(ShopSettings, given), list(SLICES), replicas=2, postgres_dsn=POSTGRES, ports=ports)
    return {one.node: one for one in members}


def listeners(members: dict[str, Member]) -> set[str]:
    return {node for node, one in members.items() if "SAGAMART_INTERNAL_PORT" in one.environment}


@pytest.mark.parametrize(("transport", "style"), [("http", "facts"), ("http", "http"), ("kafka", "http-events")])
def test_whoever_is_posted_to_or_called_listens_on_a_port_of_its_own(
    tmp_path: Path, transport: str, style: str
) -> None:
    members = members_of(tmp_path, transport, style)

    assert listeners(members) == set(members) - {"audit-1"}
    ports = {members[node].environment["SAGAMART_INTERNAL_PORT"] for node in listeners(members)}
    assert len(ports) == 2 * len(SLICES)


def test_over_kafka_both_replicas_of_accounts_are_asked_for_addresses_and_nobody_else_is(tmp_path: Path) -> None:
    members = members_of(tmp_path, "kafka")

    assert listeners(members) == {"accounts-1", "accounts-2"}
    settings = load(ShopSettings, members["notifications-2"].environment)
    known = Destinations(settings.internal.destinations)
    ports = [members[node].environment["SAGAMART_INTERNAL_PORT"] for node in ("accounts-1", "accounts-2")]
    assert [address.authority for address in known.of("accounts")] == [f"127.0.0.1:{port}" for port in ports]
    assert known.of("stock") == []
    assert settings.internal.keys == str(tmp_path / "service-keys")


def test_one_process_audits_with_the_databases_of_all_and_a_door_finds_it(tmp_path: Path) -> None:
    members = members_of(tmp_path, "http")

    assert [node for node, one in members.items() if one.services == [AUDIT]] == ["audit-1"]
    settings = load(ShopSettings, members["audit-1"].environment)
    assert "/sagamart_{service}" in settings.database.dsn
    assert settings.tokens.jwks == str(tmp_path / "public-keys.json")
    assert addresses_of(members.values())[AUDIT] == [members["audit-1"].public]


def test_of_two_processes_one_takes_requests_and_posts_what_follows_to_the_other(tmp_path: Path) -> None:
    given = {"SAGAMART_DATA": str(tmp_path), "SAGAMART_TIMELINE": "off", "SAGAMART_INTERNAL_RECEIVE": "false"}
    settings = load(ShopSettings, given)
    with Ports() as ports:
        handling, asking = handling_messages(settings, POSTGRES, ports)
    there = load(ShopSettings, handling.environment)

    assert (there.transport, there.internal.receive, there.web.pages, there.timeline) == ("http", True, "off", "off")
    assert (asking.transport, asking.internal.receive, asking.http) == ("http", False, settings.http)
    assert there.internal.keys == asking.internal.keys
    known = Destinations(asking.internal.destinations)
    addresses = {address.authority for service in SLICES for address in known.of(service)}
    assert addresses == {f"127.0.0.1:{there.internal.port}"}


@pytest.mark.parametrize("transport", ["http", "kafka"])
def test_every_replica_takes_messages_whatever_whoever_starts_it_is_set_to(tmp_path: Path, transport: str) -> None:
    for one in members_of(tmp_path, transport).values():
        assert load(ShopSettings, one.environment).internal.receive


def test_every_replica_knows_how_many_share_the_limits(tmp_path: Path) -> None:
    for one in members_of(tmp_path, "http").values():
        assert load(ShopSettings, one.environment).http.replicas == 2
