"""A trace of an order over Kafka: two processes share the services, and each sends its spans to a collector."""

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from e2e.shop_program import SAGAMART, environment
from kafka_broker import Broker
from observability.collector import Collector, collecting
from open_shop import OPERATOR, STOCK_OPERATOR
from sagamart.cluster.plan import dsn_template
from sagamart.platform.embedded import EmbeddedPostgres
from sagamart.platform.http import Caller
from sagamart.platform.kafka import KafkaSection
from sagamart.platform.kafka_topics import apply
from sagamart.platform.keys import tokens_from_files
from sagamart.platform.settings import TokenSettings
from sagamart.platform.tokens import Tokens
from sagamart.programs import prepared
from sagamart.slices import SLICES
from spans import SeenSpan, is_one_tree, missing_parents, services_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENT = "00f067aa0ba902b7"
TOUCHED = {"orders", "stock", "wallet", "notifications", "timeline"}
PEOPLE, GOODS = ("catalogue", "orders", "notifications", "timeline"), ("stock", "wallet")
PARTITIONS = 2
WITHIN_S = 120.0
STOP_S_MAX = 30.0
LOOK_S = 0.1
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+(?=\s)")


class Process:
    """Some services in a process of their own."""

    def __init__(self, node: str, services: Sequence[str], log: Path, **settings: str) -> None:
        self.address = ""
        self.log = log
        told = environment(node=node, http_port="0", **settings)
        with log.open("wb") as said:
            self._process = subprocess.Popen([SAGAMART, "serve", *services], stderr=said, env=told)  # noqa: S603  our own

    async def ready(self, http: httpx.AsyncClient) -> None:
        """Return when it is; it says where it listens."""
        while not (said := ADDRESS.search(self.log.read_text())):
            assert self._process.poll() is None, self.log.read_text()
            await asyncio.sleep(LOOK_S)
        self.address = said.group()
        while (await http.get(f"{self.address}/readyz")).status_code != httpx.codes.OK:
            assert self._process.poll() is None, self.log.read_text()
            await asyncio.sleep(LOOK_S)

    def stop(self) -> int:
        """Ask it to end, and wait."""
        self._process.terminate()
        try:
            return self._process.wait(STOP_S_MAX)
        finally:
            self._process.kill()


class Pair:
    """The shop as two processes, and who asks it."""

    def __init__(self, people: Process, goods: Process, collector: Collector, tokens: Tokens) -> None:
        self.people = people
        self.goods = goods
        self.collector = collector
        self.http = httpx.AsyncClient(timeout=60, trust_env=False)
        self._tokens = tokens

    async def post(self, process: Process, path: str, body: Any, *, caller: Caller, key: str, **headers: str) -> Any:
        headers |= {"Authorization": f"Bearer {self._tokens.sign(caller)}", "Idempotency-Key": key}
        return await self.http.post(process.address + path, json=body, headers=headers)

    async def customer(self, number: int) -> Caller:
        """Somebody with money."""
        who = Caller(f"cus_{number:032x}", frozenset({"CUSTOMER"}))
        deposit = {"amount_minor": 10_000, "currency": "RUB", "customer_id": who.id}
        answer = await self.post(self.goods, "/v1/wallet/deposits", deposit, caller=OPERATOR, key=who.id)
        assert answer.status_code == 201, answer.text
        return who

    async def order(self, who: Caller, key: str, **headers: str) -> Any:
        """One mug, as it ended."""
        wish = {"lines": [{"sku": "MUG", "quantity": 1}]}
        return await self.post(self.people, "/v1/orders", wish, caller=who, key=key, Prefer="wait=30", **headers)


@contextmanager
def folder_of_our_own() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sagamart-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="module")
async def pair(started_broker: Broker) -> AsyncIterator[Pair]:
    section = KafkaSection(
        bootstrap_servers=(started_broker.bootstrap,), prefix=f"traced-{os.getpid()}.", partitions=PARTITIONS
    )
    apply(section, list(SLICES))
    with ExitStack() as closing:
        folder, collector = closing.enter_context(folder_of_our_own()), closing.enter_context(collecting())
        async with EmbeddedPostgres(folder) as postgres:
            await prepared(postgres.dsn(), [*PEOPLE, *GOODS], lambda _text: None)
            tokens = tokens_from_files(TokenSettings(), folder)
            settings = {
                "data": str(folder),
                "database_dsn": dsn_template(postgres.dsn()),
                "transport": "kafka",
                "kafka_bootstrap_servers": started_broker.bootstrap,
                "kafka_prefix": section.prefix,
                "kafka_partitions": str(PARTITIONS),
                "http_rate_limit_per_s": "0",
                "traces_endpoint": collector.endpoint,
                "traces_ratio": "0",
            }
            people = Process("people-1", PEOPLE, folder / "people.log", **settings)
            closing.callback(people.stop)
            goods = Process("goods-1", GOODS, folder / "goods.log", **settings)
            closing.callback(goods.stop)
            made = Pair(people, goods, collector, tokens)
            async with asyncio.timeout(WITHIN_S):
                await asyncio.gather(people.ready(made.http), goods.ready(made.http))
            yield made
            await made.http.aclose()
            assert (people.stop(), goods.stop()) == (0, 0), people.log.read_text() + goods.log.read_text()


async def known(pair: Pair, who: Caller) -> None:
    """Return when an order goes through: both processes have their partitions, and orders has heard of the mug."""
    mug = {"sku": "MUG", "title": "Mug", "price_minor": 100, "currency": "RUB"}
    (await pair.post(pair.people, "/v1/products", mug, caller=OPERATOR, key="mug")).raise_for_status()
    pieces = {"quantity": 1000}
    (await pair.post(pair.goods, "/v1/stock/MUG/receipts", pieces, caller=STOCK_OPERATOR, key="mug")).raise_for_status()
    attempts = 0
    async with asyncio.timeout(WITHIN_S):
        while (await pair.order(who, f"early-{attempts}")).json().get("status") != "completed":
            attempts += 1
            await asyncio.sleep(LOOK_S)


async def whole_trace(collector: Collector) -> list[SeenSpan]:
    """The spans, once every service has told, and every span's parent is there."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            spans = collector.of(TRACE)
            if services_of(spans) == TOUCHED and not missing_parents(spans, root=CLIENT):
                return spans
            await asyncio.sleep(LOOK_S)


async def test_a_trace_of_an_order_spans_every_service_in_every_process(pair: Pair) -> None:
    ann, bob = await pair.customer(1), await pair.customer(2)
    await known(pair, bob)

    hers = await pair.order(ann, "traced", traceparent=f"00-{TRACE}-{CLIENT}-01")

    assert hers.json()["status"] == "completed"
    spans = await whole_trace(pair.collector)
    assert is_one_tree(spans, root=CLIENT)
    assert {span.node for span in spans if span.service in GOODS} == {"goods-1"}
    assert {span.node for span in spans if span.service in PEOPLE} == {"people-1"}
    assert {span.key for span in spans if span.service == "orders"} == {hers.headers["Location"].rpartition("/")[2]}


async def test_a_process_tells_what_it_has_to_do_with_kafka(pair: Pair) -> None:
    metrics = (await pair.http.get(f"{pair.goods.address}/metrics")).text

    assert 'sagamart_consumer_lag_messages{service="stock"}' in metrics
    assert 'sagamart_consumer_partitions{service="stock"}' in metrics
    assert 'sagamart_build_info{node="goods-1"' in metrics
