"""A real broker that speaks TLS and asks who one is: what gets through, what does not, and what is said of it."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from confluent_kafka import Consumer, KafkaError, Producer, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from msgspec import structs

from kafka_secured import SecuredBroker
from open_shop import OpenShop
from sagamart.app import Shop
from sagamart.messaging.service import Service
from sagamart.messaging.transport.kafka import KafkaNotReadyError, KafkaTransport
from sagamart.messaging.worker import Node
from sagamart.platform.kafka import KafkaAdminError, KafkaSection, connection_of
from sagamart.platform.kafka_topics import apply, compare
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES, services_of
from sagamart.transports import topic_rights, transport_of
from shop_fixtures import selling_anything

OWNER = "owner"
PASSWORDS = {name: f"canary-{name}" for name in (*SLICES, OWNER)}
PARTITIONS = 1
WITHIN_S = 90.0
MUG = {"lines": [{"title": "A mug", "price_minor": 400}]}


@pytest.fixture(scope="module")
def broker() -> Iterator[SecuredBroker]:
    """Give a broker with the shop's topics, where each service may do what it needs."""
    started = SecuredBroker(Path(tempfile.mkdtemp(prefix="sagamart-kafka-")), PASSWORDS)
    try:
        started.start()
        by_its_administrator = AdminClient({"bootstrap.servers": started.bootstrap})
        allowed = [*to_administer(), *(one for service in SLICES for one in to_work(service))]
        for made in by_its_administrator.create_acls(allowed).values():
            made.result()
        apply(logged_in(started, OWNER), list(SLICES))
        yield started
    finally:
        started.remove()


def allow(who: str, operation: AclOperation, kind: ResourceType, name: str) -> AclBinding:
    literal, allowed = ResourcePatternType.LITERAL, AclPermissionType.ALLOW
    return AclBinding(kind, name, literal, f"User:{who}", "*", operation, allowed)


def to_administer() -> list[AclBinding]:
    """Whoever creates topics."""
    operations = (AclOperation.CREATE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)
    return [allow(OWNER, operation, ResourceType.TOPIC, "*") for operation in operations]


def to_work(service: str) -> list[AclBinding]:
    """What `sagamart topics acls` says of a service."""
    rights = next(one for one in topic_rights(ShopSettings()) if one.service == service)
    if rights.writes is None:
        writing = allow(service, AclOperation.IDEMPOTENT_WRITE, ResourceType.BROKER, "kafka-cluster")
    else:
        writing = allow(service, AclOperation.WRITE, ResourceType.TOPIC, rights.writes)
    return [
        writing,
        *(allow(service, AclOperation.READ, ResourceType.TOPIC, topic) for topic in rights.reads),
        allow(service, AclOperation.READ, ResourceType.GROUP, rights.group),
    ]


def logged_in(broker: SecuredBroker, who: str, **otherwise: Any) -> KafkaSection:
    """The settings of a service that logs in over TLS."""
    section = KafkaSection(
        bootstrap_servers=(broker.secured,),
        partitions=PARTITIONS,
        tls=True,
        ca_file=str(broker.authorities),
        sasl_mechanism="SCRAM-SHA-512",
        username=who,
        password=PASSWORDS[who],
    )
    return structs.replace(section, **otherwise)


@pytest_asyncio.fixture
async def doors(
    broker: SecuredBroker, database_of: Callable[[Service], Awaitable[str]]
) -> AsyncIterator[Mapping[str, OpenShop]]:
    """Give every service as a process of its own, under a log-in of its own."""
    async with AsyncExitStack() as closing:
        opened = {}
        for name, service in services_of(ShopSettings()).items():
            settings = selling_anything(ShopSettings(transport="kafka", kafka=logged_in(broker, name)))
            travel = await closing.enter_async_context(transport_of(settings, [name]))
            made = Shop(settings, {name: await database_of(service)}, node=Node(name), transport=travel.transport)
            shop = await closing.enter_async_context(made)
            await closing.enter_async_context(travel.receiving())
            opened[name] = OpenShop(shop)
            closing.push_async_callback(opened[name].http.aclose)
        yield opened


async def test_an_order_completes_where_each_service_logs_in_over_tls_and_may_do_only_its_own(
    doors: Mapping[str, OpenShop],
) -> None:
    ann = await doors["wallet"].customer(1, 1_000)

    order = await doors["orders"].post("/v1/orders", MUG, caller=ann, Prefer="wait=30")

    assert (order.status_code, order.json()["status"]) == (201, "completed")
    for name, door in doors.items():
        transport = door.shop.transport
        assert isinstance(transport, KafkaTransport)
        await transport.check()
        assert all(one.failure is None for one in transport.consumers.values()), name


def test_a_service_may_write_its_own_topic_read_those_of_its_senders_and_see_no_other(broker: SecuredBroker) -> None:
    topics = [f"sagamart.{name}" for name in SLICES]
    for rights in topic_rights(ShopSettings()):
        client = AdminClient(dict(connection_of(logged_in(broker, rights.service))))
        asked = client.describe_topics(TopicCollection(topics), include_authorized_operations=True)
        may: dict[str, set[AclOperation]] = {}
        for topic, answer in asked.items():
            described: Any = answer.exception() or answer.result()
            operations = getattr(described, "authorized_operations", None) or []
            may[topic] = set(operations) - {AclOperation.DESCRIBE}

        assert may == {topic: {AclOperation.WRITE} if topic == rights.writes else set() for topic in topics} | {
            topic: {AclOperation.READ} | ({AclOperation.WRITE} if topic == rights.writes else set())
            for topic in rights.reads
        }, rights.service


def test_what_a_service_may_not_do_the_broker_refuses(broker: SecuredBroker) -> None:
    as_stock = dict(connection_of(logged_in(broker, "stock")))
    refusals: list[KafkaError | None] = []
    producer = Producer(as_stock)
    producer.produce("sagamart.wallet", b"{}", on_delivery=lambda error, _: refusals.append(error))
    producer.flush(WITHIN_S)
    reader = Consumer({**as_stock, "group.id": "sagamart.stock"})
    reader.subscribe(["sagamart.accounts"])
    record = reader.poll(WITHIN_S)
    reader.close()

    assert [one.code() for one in refusals if one] == [KafkaError.TOPIC_AUTHORIZATION_FAILED]
    assert record is not None
    error = record.error()
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


async def test_a_log_in_that_may_not_share_a_services_messages_makes_it_not_ready(
    broker: SecuredBroker, database_of: Callable[[Service], Awaitable[str]]
) -> None:
    """The timeline may see all that notifications reads, and is not in its group."""
    settings = ShopSettings(transport="kafka", kafka=logged_in(broker, "timeline"))
    dsns = {"notifications": await database_of(services_of(settings)["notifications"])}
    async with (
        transport_of(settings, list(dsns)) as travel,
        Shop(settings, dsns, node=Node("n"), transport=travel.transport),
        travel.receiving(),
        asyncio.timeout(WITHIN_S),
    ):
        transport = travel.transport
        assert isinstance(transport, KafkaTransport)
        while transport.consumers["notifications"].forbidden is None:  # noqa: ASYNC110  a thread sets no event here
            await asyncio.sleep(0.05)
        with pytest.raises(KafkaNotReadyError, match=r"notifications: .*[Gg]roup auth.*: sagamart topics acls"):
            await transport.check()


def wrong_connections(broker: SecuredBroker) -> dict[str, tuple[KafkaSection, str]]:
    """Settings that cannot work, and what is said of them."""
    plain = {"tls": False, "ca_file": ""}
    nobody = {"sasl_mechanism": "none", "username": "", "password": ""}
    right = logged_in(broker, "stock")
    return {
        "wrong password": (
            structs.replace(right, password="canary-wrong"),
            "check SAGAMART_KAFKA_USERNAME, SAGAMART_KAFKA_PASSWORD",
        ),
        "wrong password by PLAIN": (
            structs.replace(right, sasl_mechanism="PLAIN", password="canary-wrong"),
            "check SAGAMART_KAFKA_USERNAME, SAGAMART_KAFKA_PASSWORD",
        ),
        "a mechanism that is off": (
            structs.replace(right, sasl_mechanism="SCRAM-SHA-256"),
            "supported mechanisms: SCRAM-SHA-512,PLAIN; check .*SAGAMART_KAFKA_SASL_MECHANISM",
        ),
        "somebody else's authority": (
            structs.replace(right, ca_file=str(broker.strangers)),
            "could not be verified.*SAGAMART_KAFKA_CA_FILE",
        ),
        "plain words to TLS": (structs.replace(right, **plain, **nobody), "TLS, set SAGAMART_KAFKA_TLS=true"),
        "a log-in without TLS": (structs.replace(right, **plain), "TLS, set SAGAMART_KAFKA_TLS=true"),
        "no log-in": (structs.replace(right, **nobody), "log-in, set SAGAMART_KAFKA_SASL_MECHANISM"),
        "TLS to plain words": (
            structs.replace(right, bootstrap_servers=(broker.bootstrap,)),
            "set SAGAMART_KAFKA_TLS=false",
        ),
        "a name that nobody has": (
            structs.replace(right, bootstrap_servers=("nobody.invalid:9093",)),
            "resolve.*see SAGAMART_KAFKA_BOOTSTRAP_SERVERS",
        ),
    }


async def test_settings_that_do_not_fit_make_a_process_not_ready_and_are_named(broker: SecuredBroker) -> None:
    async def refused(section: KafkaSection, told: str) -> None:
        async with KafkaTransport(connection_of(section), {"stock": ["StockBooked"]}) as transport:
            said = ""
            while not re.search(f"the brokers do not answer: .*{told}", said):  # the first answer may be late
                with pytest.raises(KafkaNotReadyError) as trouble:
                    await transport.check()
                said = str(trouble.value)
                assert "canary" not in said

    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as at_once:
        for what, (section, told) in wrong_connections(broker).items():
            at_once.create_task(refused(section, told), name=what)


@pytest.mark.parametrize("what", ["wrong password", "somebody else's authority", "TLS to plain words"])
def test_topics_are_not_made_with_settings_that_do_not_fit(broker: SecuredBroker, what: str) -> None:
    section, told = wrong_connections(broker)[what]

    with pytest.raises(KafkaAdminError, match=f"the brokers at .* do not answer: .*{told}") as refused:
        compare(section, list(SLICES))

    assert "canary" not in str(refused.value)
