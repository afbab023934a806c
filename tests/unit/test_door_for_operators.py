"""What operators ask at the front door: lists of all services while one is away, the audit, the door's own figures."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from http_shop import TOKENS
from sagamart.audit import AUDIT
from sagamart.door import Replicas, front_door
from sagamart.door.figures import ALL
from sagamart.operating.shop import Access, OperatingError, shop_for
from sagamart.platform.http.server import Server
from sagamart.platform.http_client import Address
from sagamart.platform.metric_families import FAMILIES
from sagamart.platform.metrics import Metrics
from sagamart.platform.metrics_document import metrics_document
from sagamart.platform.ports import Ports
from sagamart.platform.settings import HttpSettings
from sagamart.settings import ShopSettings

LETTERS = "/v1/operations/dead-letters"
CONSUMERS = "/v1/operations/consumers"
AUDITED = "/v1/operations/audit"


class Operated:
    """A replica that answers an operator: a list with its own name in it, or a refusal."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = 200

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                event = await receive()
                await send({"type": f"{event['type']}.complete"})
            return
        page = {"items": [{"service": self.name, "message_id": self.name}], "next_cursor": None, "missing": []}
        told = page if self.status == 200 else {"code": "refused_by_" + self.name}
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": msgspec.json.encode(told)})


class Counter:
    """A door before stock, orders and an audit; nobody runs the wallet."""

    def __init__(self, http: httpx.AsyncClient, metrics: Metrics, **replicas: Operated) -> None:
        self.http = http
        self.metrics = metrics
        self.replicas = replicas

    def counted(self) -> dict[tuple[str, str], float]:
        """Requests that were handed on, by service and status."""
        text = self.metrics.exposition().decode()
        found = re.findall(r'sagamart_door_requests_total\{service="(\w+)",status="(\d+)"\} (\S+)', text)
        return {(service, status): float(count) for service, status, count in found}


@pytest_asyncio.fixture
async def counter() -> AsyncIterator[Counter]:
    async with AsyncExitStack() as closing:
        replicas = {name: Operated(name) for name in ("orders", "stock", AUDIT)}
        addresses = {"wallet": [Address("127.0.0.1", closing.enter_context(Ports()).take())]}
        for name, app in replicas.items():
            server = await closing.enter_async_context(Server(app, host="127.0.0.1", port=0))
            addresses[name] = [Address("127.0.0.1", server.port)]
        known = await closing.enter_async_context(Replicas(addresses))
        metrics = Metrics()
        door = front_door(ShopSettings(http=HttpSettings(rate_limit_per_s=0)), known, TOKENS, metrics)
        server = await closing.enter_async_context(Server(door, host="127.0.0.1", port=0))
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=60)
        yield Counter(await closing.enter_async_context(client), metrics, **replicas)


@pytest.mark.parametrize("path", [LETTERS, CONSUMERS, "/v1/operations/vitals"])
async def test_while_a_service_is_away_a_list_has_what_the_others_say_and_names_it(counter: Counter, path: str) -> None:
    answer = await counter.http.get(path)

    assert answer.status_code == 200
    assert [one["service"] for one in answer.json()["items"]] == ["orders", "stock"]
    assert answer.json()["missing"] == ["wallet"]


@pytest.mark.parametrize("status", [500, 503])
async def test_a_service_that_fails_is_missing_as_one_that_is_away(counter: Counter, status: int) -> None:
    counter.replicas["orders"].status = status

    page = (await counter.http.get(LETTERS)).json()

    assert [one["service"] for one in page["items"]] == ["stock"]
    assert sorted(page["missing"]) == ["orders", "wallet"]


async def test_where_no_service_answers_there_is_no_list(counter: Counter) -> None:
    for name in ("orders", "stock"):
        counter.replicas[name].status = 503

    answer = await counter.http.get(CONSUMERS)

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "1")


async def test_who_may_not_ask_one_service_is_told_no_list(counter: Counter) -> None:
    counter.replicas["stock"].status = 403

    answer = await counter.http.get(LETTERS)

    assert (answer.status_code, answer.json()["code"]) == (403, "refused_by_stock")


async def test_an_operator_at_a_terminal_is_told_that_a_list_is_not_whole(counter: Counter) -> None:
    async with shop_for(Access(url=str(counter.http.base_url), token="olga")) as shop:
        listed = [one["service"] async for one in shop.all(CONSUMERS)]
        with pytest.raises(OperatingError, match="wallet cannot be reached now: the list is not whole"):
            shop.check_whole()

    assert listed == ["orders", "stock"]


async def test_the_audit_is_asked_of_the_process_that_audits_and_of_nobody_else(counter: Counter) -> None:
    asked = [(await counter.http.request(method, AUDITED)).json()["items"] for method in ("GET", "POST")]
    documented = (await counter.http.get("/openapi.json")).json()["paths"]

    assert [[one["service"] for one in items] for items in asked] == [[AUDIT], [AUDIT]]
    assert set(documented[AUDITED]) == {"get", "post"}
    assert "/v1/operations/vitals" in documented
    assert (await counter.http.get("/readyz")).json()["failed"] == ["wallet"]


async def test_what_is_handed_on_is_counted_by_service_and_status_where_nobody_answers_too(counter: Counter) -> None:
    counter.replicas["stock"].status = 404
    for path in ("/v1/orders", "/v1/stock/MUG", "/v1/wallet", "/v1/wallet", "/healthz"):
        await counter.http.get(path)
    counter.replicas["stock"].status = 200
    await counter.http.get(LETTERS)

    assert counter.counted() == {
        ("orders", "200"): 1,
        ("stock", "404"): 1,
        ("wallet", "503"): 2,
        (ALL, "200"): 1,
    }


async def test_the_reference_names_what_a_door_measures_both_ways(counter: Counter) -> None:
    await counter.http.get("/v1/orders")

    families = {one.name: one for one in text_string_to_metric_families(counter.metrics.exposition().decode())}

    exposed = {
        f"{name}_total" if one.type == "counter" else name: {label for sample in one.samples for label in sample.labels}
        for name, one in families.items()
        if name.startswith("sagamart_door_")
    }
    documented = {one.shown: set(one.labels) for one in FAMILIES if one.source == "door"}
    assert {name: labels - {"le"} for name, labels in exposed.items()} == documented
    (section,) = [part for part in metrics_document().split("\n## ") if part.startswith("Of the front door")]
    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == set(documented)
