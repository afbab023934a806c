"""Letters of a shop whose services are apart and speak over Kafka: addresses are asked for, and no topic holds one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from confluent_kafka import Consumer, TopicPartition
from msgspec import structs

from kafka_broker import Broker
from mail_server import Mailbox, open_mailbox
from open_shop import OPERATOR, OpenShop
from sagamart.app import Shop
from sagamart.messaging.service import Service
from sagamart.messaging.worker import Node
from sagamart.platform.http import Caller
from sagamart.platform.internal.service_tokens import ServiceKeyError, make_service_keys
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.kafka_topics import apply
from sagamart.platform.ports import LOOPBACK, Ports
from sagamart.platform.settings import InternalSettings, SettingsError
from sagamart.settings import OrdersSection, ShopSettings
from sagamart.shop.notifications.settings import EmailSection
from sagamart.slices import SLICES, services_of
from sagamart.transports import transport_of
from shop_fixtures import TOKENS

PROCESSES = {
    "accounts-1": ("accounts",),
    "accounts-2": ("accounts",),
    "notifications-1": ("notifications",),
    "notifications-2": ("notifications",),
    "others": tuple(name for name in SLICES if name not in ("accounts", "notifications")),
}
PARTITIONS = 2
READ_S_MAX = 60
ANN = {"email": "ann@example.com", "password": "otter counts nine reeds", "name": "Анна", "language": "ru"}


class Apart:
    """Five processes; each can be stopped."""

    def __init__(self, settings: ShopSettings, dsns: dict[str, str], ports: Ports) -> None:
        taken = {process: ports.take() for process in PROCESSES if process.startswith("accounts")}
        destinations = tuple(f"accounts=http://{LOOPBACK}:{port}" for port in taken.values())
        self.doors: dict[str, OpenShop] = {}
        self._dsns = dsns
        self._settings = {
            process: structs.replace(
                settings,
                internal=structs.replace(settings.internal, destinations=destinations, port=taken.get(process, 9000)),
            )
            for process in PROCESSES
        }
        self._closing: dict[str, AsyncExitStack] = {}

    async def start(self, process: str) -> None:
        """Let a process run."""
        settings, names = self._settings[process], PROCESSES[process]
        async with AsyncExitStack() as closing:
            travel = await closing.enter_async_context(transport_of(settings, names))
            here = {name: self._dsns[name] for name in names}
            made = Shop(settings, here, node=Node(process), transport=travel.transport)
            shop = await closing.enter_async_context(made)
            await closing.enter_async_context(travel.receiving())
            shop.write_letters(TOKENS, travel.contacts)
            self.doors[process] = OpenShop(shop)
            closing.push_async_callback(self.doors[process].http.aclose)
            self._closing[process] = closing.pop_all()

    async def stop(self, process: str) -> None:
        """Stop a process: nobody listens where it was."""
        await self._closing.pop(process).aclose()

    async def close(self) -> None:
        """Stop all."""
        for process in list(self._closing):
            await self.stop(process)


@pytest_asyncio.fixture
async def mail() -> AsyncIterator[tuple[Mailbox, int]]:
    async with open_mailbox() as opened:
        yield opened


@pytest.fixture
def settings(kafka: Broker, fresh_prefix: Callable[[], str], mail: tuple[Mailbox, int], tmp_path: Path) -> ShopSettings:
    """Give what all processes are told."""
    make_service_keys(tmp_path, SLICES)
    section = KafkaSection(bootstrap_servers=(kafka.bootstrap,), prefix=fresh_prefix(), partitions=PARTITIONS)
    apply(section, list(SLICES))
    return ShopSettings(
        transport="kafka",
        orders=OrdersSection(custom_lines="all"),
        kafka=section,
        email=EmailSection(host="127.0.0.1", port=mail[1], tls="none", pages="https://shop.example"),
        internal=InternalSettings(host=LOOPBACK, share_port=True, keys=str(tmp_path)),
    )


@pytest_asyncio.fixture
async def apart(settings: ShopSettings, database_of: Callable[[Service], Awaitable[str]]) -> AsyncIterator[Apart]:
    """Give the shop, all processes at work."""
    dsns = {name: await database_of(service) for name, service in services_of(settings).items()}
    with Ports() as ports:
        shop = Apart(settings, dsns, ports)
        try:
            for process in PROCESSES:
                await shop.start(process)
            yield shop
        finally:
            await shop.close()


async def test_letters_reach_people_whose_addresses_another_process_knows_and_no_topic_holds(
    apart: Apart, mail: tuple[Mailbox, int], settings: ShopSettings
) -> None:
    mailbox, _ = mail
    profile = (await apart.doors["accounts-2"].call("POST", "/v1/users", ANN)).json()
    ann = Caller(profile["id"], frozenset({"CUSTOMER"}))
    await mailbox.until(lambda: subjects(mailbox) == ["Подтвердите адрес электронной почты"])
    token = link_token(mailbox)

    await apart.stop("accounts-1")
    confirmed = await apart.doors["accounts-2"].call("POST", "/v1/users/confirmation", {"token": token})
    money = {"amount_minor": 1_000, "currency": "RUB", "customer_id": ann.id}
    (await apart.doors["others"].post("/v1/wallet/deposits", money, caller=OPERATOR)).raise_for_status()
    mug = {"lines": [{"title": "A mug", "price_minor": 400}]}
    order = await apart.doors["others"].post("/v1/orders", mug, caller=ann, Prefer="wait=30")

    assert confirmed.status_code == 204, "the link in the letter is good"
    assert order.json()["status"] == "completed"
    await mailbox.until(lambda: "Ваш заказ выполнен" in subjects(mailbox))
    assert set(mailbox.recipients) == {"ann@example.com"}
    said = everything_said(settings.kafka)
    assert ann.id.encode() in said
    assert [one for one in (ANN["email"], ANN["name"], token) if one.encode() in said] == []


async def test_who_writes_letters_without_a_way_to_learn_addresses_does_not_start(settings: ShopSettings) -> None:
    nowhere = structs.replace(settings.internal, keys="", destinations=())
    without_keys = structs.replace(settings, internal=nowhere, data="nowhere")
    with pytest.raises(ServiceKeyError, match=r"notifications\.pem .*`sagamart service-keys .*SAGAMART_INTERNAL_KEYS"):
        async with transport_of(without_keys, ["notifications"]):
            pass

    lost = structs.replace(settings, internal=structs.replace(settings.internal, destinations=()))
    with pytest.raises(SettingsError, match=r"SAGAMART_INTERNAL_DESTINATIONS=.* where accounts is; add accounts=http"):
        async with transport_of(lost, ["notifications"]):
            pass


def subjects(mailbox: Mailbox) -> list[str]:
    """What the letters are about."""
    return [str(letter["Subject"]) for letter in mailbox.letters]


def link_token(mailbox: Mailbox) -> str:
    """What the link of the first letter holds."""
    text: str = mailbox.letters[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]  # it has one
    return next(line.partition("#token=")[2] for line in text.splitlines() if "#token=" in line)


def everything_said(section: KafkaSection) -> bytes:
    """All that lies in the shop's topics: keys, values, headers."""
    reader = Consumer(
        {"bootstrap.servers": section.bootstrap_servers[0], "group.id": "test", "enable.partition.eof": True}
    )
    places = [TopicPartition(section.prefix + name, number, 0) for name in SLICES for number in range(PARTITIONS)]
    reader.assign(places)
    said: list[bytes] = []
    ended = 0
    while ended < len(places):
        record = reader.poll(READ_S_MAX)
        assert record is not None, "the broker gives no more, and has not come to the end"
        if record.error() is not None:
            ended += 1
            continue
        headers: Any = record.headers() or ()
        said += [record.key() or b"", record.value() or b"", *(value for _, value in headers)]
    reader.close()
    return b"\n".join(said)
