"""Two versions of the shop side by side over Kafka: what the older does not know stops nothing and is not lost."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg

from e2e.shop_program import environment
from integration.town import DatabaseOf, databases, over_kafka, process
from kafka_broker import Broker
from open_shop import OpenShop
from sagamart.audit import audit
from sagamart.messaging.operations import FIRST, DeadLetters, Letter
from sagamart.messaging.transport.kafka import KafkaTransport
from sagamart.platform.http import Caller
from sagamart.settings import ShopSettings
from sagamart.slices import services_of

NEWER = Path(__file__).with_name("newer_version.py")
SERVICES = services_of(ShopSettings())
HEARERS = tuple(name for name, service in SERVICES.items() if service.consumes & SERVICES["wallet"].emits)
"""Who reads what the wallet says, and so finds what it does not know."""

ORDERS = 4
WITHIN_S = 120.0
LOOK_S = 0.1


async def test_an_unknown_field_is_ignored_and_an_unknown_type_waits_for_a_version_that_knows_it(
    kafka: Broker, fresh_prefix: Callable[[], str], database_of: DatabaseOf, tmp_path: Path
) -> None:
    prefix, dsns = fresh_prefix(), await databases(database_of)
    ways = over_kafka(kafka, prefix)
    later = Later(dsns, tmp_path, kafka_bootstrap_servers=kafka.bootstrap, kafka_prefix=prefix)
    async with AsyncExitStack() as old, AsyncExitStack() as old_wallet, AsyncExitStack() as old_notifications:

        async def started(closing: AsyncExitStack, *names: str) -> OpenShop:
            here = {name: dsns[name] for name in names}
            return await closing.enter_async_context(process(ways, here, f"old {names[0]}"))

        wallet = await started(old_wallet, "wallet")
        await started(old_notifications, "notifications")
        shop = await started(old, *(name for name in dsns if name not in ("wallet", "notifications")))
        ann = await wallet.customer(1, 10_000)
        await until(lambda: partitions_of(wallet, "wallet") > 0)
        alone = partitions_of(wallet, "wallet")

        async with later.process("wallet"):
            await until(lambda: 0 < partitions_of(wallet, "wallet") < alone)
            await complete(shop, ann, range(ORDERS))
            await old_wallet.aclose()
            await complete(shop, ann, range(ORDERS, 2 * ORDERS))
            kept = {name: await letters_of(name, dsns[name], ORDERS) for name in HEARERS}
        await old_notifications.aclose()
        async with later.process("notifications"):
            for letter in kept["notifications"]:
                await act("notifications", dsns["notifications"], "release", letter)
            told = {letter.key for letter in kept["notifications"]}
            await asyncio.wait_for(all_told(dsns["notifications"], told), WITHIN_S)
        await given_up({name: dsns[name] for name in HEARERS if name != "notifications"})

    assert {(letter.type, letter.status) for some in kept.values() for letter in some} == {("BonusEarned", "dead")}
    assert "no message type is called b'BonusEarned'" in kept["orders"][0].error
    the_rest = {
        name: dsn for name, dsn in dsns.items() if name != "notifications"
    }  # it tells of bonuses, not of orders
    assert await audit(the_rest) == []


async def complete(shop: OpenShop, who: Caller, numbers: Sequence[int]) -> None:
    """Orders that are paid and done."""
    wish = {"lines": [{"title": "A mug", "price_minor": 100}]}
    for number in numbers:
        async with asyncio.timeout(WITHIN_S):
            while True:
                answer = await shop.post("/v1/orders", wish, caller=who, key=f"key-{number}", Prefer="wait=30")
                if answer.json()["stage"]["code"] != "processing":
                    break
        assert answer.json()["status"] == "completed", answer.text


async def given_up(dsns: Mapping[str, str]) -> None:
    """Discard what these services will never handle, until there is no more of it."""
    async with asyncio.timeout(WITHIN_S):
        while await audit(dsns):
            for name, dsn in dsns.items():
                for letter in await letters_of(name, dsn, 0):
                    if letter.status == "dead":
                        await act(name, dsn, "discard", letter)


async def letters_of(service: str, dsn: str, number_min: int) -> Sequence[Letter]:
    """Dead letters of a service, once there are so many."""
    async with asyncio.timeout(WITHIN_S), dead_letters(service, dsn) as dead:
        while len(found := await dead.after(FIRST, None, 100)) < number_min:  # noqa: ASYNC110  a database raises no event
            await asyncio.sleep(LOOK_S)
    return found


async def act(service: str, dsn: str, what: str, letter: Letter) -> None:
    """What an operator does with one of them."""
    async with dead_letters(service, dsn) as dead:
        done = dead.release if what == "release" else dead.discard
        assert await done(letter.message_id, "cus_operator", "the new version is here")


@asynccontextmanager
async def dead_letters(service: str, dsn: str) -> AsyncIterator[DeadLetters]:
    """A service's dead letters, whoever runs it."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        yield DeadLetters(service, pool)


async def all_told(dsn: str, wanted: set[str]) -> None:
    """Return when each of these is noted, and no letter is left."""
    connection = await asyncpg.connect(dsn)
    try:
        while True:
            rows = await connection.fetch("select notification_id from notifications where customer_id = ''")
            if wanted <= {row[0] for row in rows} and not await connection.fetch("table dead_letters"):
                return
            await asyncio.sleep(LOOK_S)
    finally:
        await connection.close()


def partitions_of(shop: OpenShop, service: str) -> int:
    """How many partitions this process takes messages from."""
    transport = shop.shop.transport
    assert isinstance(transport, KafkaTransport)
    return transport.consumers[service].partitions


async def until(condition: Callable[[], object]) -> None:
    """Return when it is so."""
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110  another process sets no event
            await asyncio.sleep(LOOK_S)


class Later:
    """The next version, over the same databases and brokers."""

    def __init__(self, dsns: Mapping[str, str], folder: Path, **settings: str) -> None:
        self._dsns = dsns
        self._folder = folder
        self._settings = {"transport": "kafka", "http_port": "0", "data": str(folder), **settings}

    @asynccontextmanager
    async def process(self, service: str) -> AsyncIterator[None]:
        """One service of it, from when it is open; then stopped."""
        log = self._folder / f"{service}.log"
        dsn = f"{self._dsns[service]}&application_name={{service}}"  # the setting has to have a place for the name
        with log.open("wb") as said:
            running = await asyncio.create_subprocess_exec(
                sys.executable, NEWER, "serve", service, stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said,
                env=environment(database_dsn=dsn, **self._settings),
            )  # fmt: skip
        try:
            await until(lambda: running.returncode is not None or f"{service} at http" in log.read_text())
            assert running.returncode is None, log.read_text()
            yield
        finally:
            if running.returncode is None:
                running.send_signal(signal.SIGTERM)
            assert await running.wait() == 0, log.read_text()
