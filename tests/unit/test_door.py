"""The front door: whose a path is, whom it asks, what it asks again, and what it says where nobody answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from http_shop import ADMIN, ANNA, TOKENS, as_caller
from sagamart.audit import AUDIT
from sagamart.door import Replicas, RouteTable, front_door, route_table
from sagamart.door.operations import joined_actions, joined_consumers, joined_letters, named_service
from sagamart.hosting import replicas_of
from sagamart.platform.http.server import Server
from sagamart.platform.http_client import Address
from sagamart.platform.metrics import Metrics
from sagamart.platform.ports import Ports
from sagamart.platform.settings import HttpSettings
from sagamart.programs import CannotStartError
from sagamart.settings import DoorSection, ShopSettings
from sagamart.slices import SLICES

LONG = b"x" * 300_000
LETTERS = "/v1/operations/dead-letters"


class Upstream:
    """A replica of a service: it tells what it was sent, or sends in parts when it is told to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: list[tuple[str, str, dict[str, str], int]] = []
        self.go_on = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                event = await receive()
                await send({"type": f"{event['type']}.complete"})
            return
        length = 0
        while True:
            event = await receive()
            length += len(event.get("body", b""))
            if not event.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.seen.append((scope["method"], scope["path"], headers, length))
        if scope["path"].endswith("/events"):
            await self.stream(receive, send)
            return
        body = LONG if scope["path"].endswith("/long") else self.name.encode()
        own = [(b"x-own", b"1"), (b"connection", b"x-hop"), (b"x-hop", b"1")]
        named = [(b"content-length", str(len(body)).encode()), *own]
        await send({"type": "http.response.start", "status": 201, "headers": named})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def stream(self, receive: Any, send: Any) -> None:
        """One event at once, the next when the test says so, until the reader is gone."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"one\n", "more_body": True})
        await self.go_on.wait()
        await send({"type": "http.response.body", "body": b"two\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a request as a process that is killed then."""
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


class Street:
    """A door before two replicas of orders, one of stock, and one of the catalogue beside one that breaks off.

    Nobody runs the wallet.
    """

    def __init__(
        self, http: httpx.AsyncClient, replicas: Replicas, first: Upstream, second: Upstream, stock: Upstream
    ) -> None:
        self.http = http
        self.replicas = replicas
        self.first = first
        self.second = second
        self.stock = stock


@pytest_asyncio.fixture(scope="module")
async def street() -> AsyncIterator[Street]:
    async with AsyncExitStack() as closing:

        async def listening(app: Any) -> Address:
            server = await closing.enter_async_context(Server(app, host="127.0.0.1", port=0))
            return Address("127.0.0.1", server.port)

        first, second, stock = Upstream("first"), Upstream("second"), Upstream("stock")
        nobody = Address("127.0.0.1", closing.enter_context(Ports()).take())
        breaking = await closing.enter_async_context(await asyncio.start_server(break_off, "127.0.0.1", 0))
        addresses = {
            "catalogue": [
                Address("127.0.0.1", breaking.sockets[0].getsockname()[1]),
                await listening(Upstream("sound")),
            ],
            "orders": [await listening(first), await listening(second)],
            "stock": [nobody, await listening(stock)],
            "wallet": [nobody],
        }
        replicas = await closing.enter_async_context(Replicas(addresses))
        settings = ShopSettings(http=HttpSettings(rate_limit_per_s=0))
        door = await listening(front_door(settings, replicas, TOKENS, Metrics()))
        client = httpx.AsyncClient(base_url=f"http://{door.authority}", timeout=30)
        http = await closing.enter_async_context(client)
        yield Street(http, replicas, first, second, stock)


@pytest.mark.parametrize(
    ("trusted", "told"),
    [(("127.0.0.1",), "203.0.113.9, 127.0.0.1"), ((), "127.0.0.1"), (("10.0.0.0/8",), "127.0.0.1")],
)
async def test_who_asked_is_told_behind_a_proxy_that_is_trusted_and_only_there(
    trusted: tuple[str, ...], told: str
) -> None:
    stock = Upstream("stock")
    async with AsyncExitStack() as closing:
        behind = await closing.enter_async_context(Server(stock, host="127.0.0.1", port=0))
        replicas = await closing.enter_async_context(Replicas({"stock": [Address("127.0.0.1", behind.port)]}))
        settings = ShopSettings(http=HttpSettings(rate_limit_per_s=0, trusted_proxies=trusted))
        door = await closing.enter_async_context(
            Server(front_door(settings, replicas, TOKENS, Metrics()), host="127.0.0.1", port=0)
        )
        http = await closing.enter_async_context(httpx.AsyncClient(timeout=30))

        await http.get(f"http://127.0.0.1:{door.port}/v1/stock/MUG", headers={"X-Forwarded-For": "203.0.113.9"})

    assert [headers["x-forwarded-for"] for _, _, headers, _ in stock.seen] == [told]


def test_the_routes_of_the_services_say_whose_a_path_is() -> None:
    table = route_table()
    found = {path: table.service_of(path) for path in ("/v1/orders", "/v1/orders/ord_1", "/v1/stock/MUG/receipts")}
    assert found == {"/v1/orders": "orders", "/v1/orders/ord_1": "orders", "/v1/stock/MUG/receipts": "stock"}
    assert [table.service_of(path) for path in ("/", "/v1", "/v1/nothing", "/v1/orders/a/b/c", "/healthz")] == [
        None
    ] * 5


async def test_the_door_shows_nobody_but_staff_what_it_is_and_forwards_nothing_of_the_kind(street: Street) -> None:
    assert [route_table().service_of(path) for path in ("/metrics", "/info")] == [None, None]
    for path in ("/metrics", "/info"):
        statuses = [
            (await street.http.get(path, headers=headers)).status_code
            for headers in ({}, as_caller(ANNA), as_caller(ADMIN))
        ]
        assert statuses == [401, 403, 200]
    assert (await street.http.get("/healthz")).status_code == 200


def test_every_route_of_every_service_is_in_the_table() -> None:
    table = route_table()
    for name, build in SLICES.items():
        for route in build(ShopSettings()).routes:
            for path in route.paths:
                assert table.service_of(path) == name, path


@pytest.mark.parametrize(
    ("destinations", "why"),
    [
        (("orders=http://orders:8080",), "does not say where accounts"),
        (("http://orders:8080",), "names no service"),
        (("orders:8080/{service}",), "is no URL"),
    ],
)
def test_a_door_that_does_not_know_where_a_service_is_does_not_open(destinations: tuple[str, ...], why: str) -> None:
    with pytest.raises(CannotStartError, match=why):
        replicas_of(ShopSettings(door=DoorSection(destinations)))


def test_behind_one_name_a_door_looks_for_several_replicas() -> None:
    places = replicas_of(ShopSettings(door=DoorSection(("http://{service}:8080", "http://{service}:8081"))))
    one = replicas_of(ShopSettings())
    assert [place.port for place in places["orders"]] == [8080, 8081]
    assert [place.authority for place in one["orders"]] == ["orders:8080"] * 3


def test_a_door_need_not_know_where_the_audit_is() -> None:
    named = tuple(f"{name}=http://{name}:8080" for name in SLICES)
    without = replicas_of(ShopSettings(door=DoorSection(named)))
    beside = replicas_of(ShopSettings(door=DoorSection((*named, "audit=http://audit:8080"))))
    assert (set(without), set(beside)) == (set(SLICES), {*SLICES, AUDIT})


def test_two_services_may_share_a_prefix_but_no_path() -> None:
    table = RouteTable({"orders": ["/v1/orders/{a:str}"], "timeline": ["/v1/orders/{b:str}/events", "/v1/orders/late"]})
    found = [table.service_of(path) for path in ("/v1/orders/1", "/v1/orders/1/events", "/v1/orders/late")]
    assert found == ["orders", "timeline", "timeline"]
    with pytest.raises(ValueError, match="offered by orders and by timeline"):
        RouteTable({"orders": ["/v1/orders/{a:str}"], "timeline": ["/v1/orders/{b:str}"]})


async def test_replicas_are_asked_in_turn(street: Street) -> None:
    answers = [(await street.http.get("/v1/orders")).text for _ in range(4)]
    assert sorted(answers) == ["first", "first", "second", "second"]


async def test_a_dead_replica_is_passed_over_whatever_the_request_is(street: Street) -> None:
    answers = [(await street.http.post("/v1/stock/MUG/receipts", json={})).text for _ in range(4)]
    assert answers == ["stock"] * 4


async def test_a_replica_that_is_not_ready_is_asked_only_where_no_other_is(street: Street) -> None:
    first, second = street.replicas.addresses["orders"]
    street.replicas.tell(first, ready=False)
    assert {(await street.http.get("/v1/orders")).text for _ in range(4)} == {"second"}
    street.replicas.tell(second, ready=False)
    assert {(await street.http.get("/v1/orders")).text for _ in range(4)} == {"first", "second"}
    street.replicas.tell(first, ready=True)
    assert {(await street.http.get("/v1/orders")).text for _ in range(4)} == {"first"}
    street.replicas.tell(second, ready=True)
    assert {(await street.http.get("/v1/orders")).text for _ in range(4)} == {"first", "second"}


async def test_what_is_about_one_connection_stays_on_it_and_who_asks_is_told(street: Street) -> None:
    sent = {
        "Authorization": "Bearer x",
        "X-Forwarded-For": "1.2.3.4",
        "X-Request-Id": "my-id",
        "Connection": "X-Secret",
        "X-Secret": "1",
    }
    answer = await street.http.get("/v1/stock/MUG?limit=3&cursor=%2F", headers=sent)
    _, path, seen, _ = street.stock.seen[-1]
    assert (path, seen["authorization"], seen["x-forwarded-for"]) == ("/v1/stock/MUG", "Bearer x", "127.0.0.1")
    assert (seen["x-request-id"], answer.headers["x-request-id"], "x-secret" in seen) == ("my-id", "my-id", False)
    assert (answer.status_code, answer.headers["x-own"], "x-hop" in answer.headers) == (201, "1", False)
    assert len(answer.headers.get_list("date")) == 1


async def test_a_request_without_an_id_gets_one(street: Street) -> None:
    answers = [await street.http.get("/v1/orders", headers={"X-Request-Id": "no good\tid"}) for _ in range(2)]
    assert len({answer.headers["x-request-id"] for answer in answers} - {"no good\tid"}) == 2


@pytest.mark.parametrize(
    ("method", "headers", "statuses"),
    [
        ("GET", {}, [201, 201]),
        ("POST", {"Idempotency-Key": "one"}, [201, 201]),
        ("POST", {}, [201, 502]),
        ("PATCH", {}, [201, 502]),
    ],
    ids=["a read", "a wish under a key", "a wish without a key", "a change without a key"],
)
async def test_what_broke_off_is_asked_again_where_that_is_safe(
    street: Street, method: str, headers: dict[str, str], statuses: list[int]
) -> None:
    answers = [await street.http.request(method, "/v1/products", headers=headers) for _ in range(2)]

    assert sorted(answer.status_code for answer in answers) == statuses
    for answer in answers:
        if answer.status_code == 502:
            assert (answer.json()["code"], answer.headers["retry-after"]) == ("bad_gateway", "1")


async def test_where_no_replica_is_alive_the_door_says_when_to_come_again(street: Street) -> None:
    answer = await street.http.get("/v1/wallet")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert (answer.headers["retry-after"], answer.headers["content-type"]) == ("1", "application/problem+json")
    assert (await street.http.get("/readyz")).json()["failed"] == ["wallet"]


async def test_long_bodies_pass_both_ways(street: Street) -> None:
    answer = await street.http.post("/v1/orders", content=LONG)
    assert (answer.status_code, max(one[3] for one in [*street.first.seen, *street.second.seen])) == (201, len(LONG))
    shown = await street.http.get("/v1/orders/long")
    assert shown.content == LONG


async def test_the_answer_to_head_has_no_body(street: Street) -> None:
    answers = [await street.http.head("/v1/orders/long") for _ in range(3)]
    assert [(answer.headers["content-length"], answer.content) for answer in answers] == [(str(len(LONG)), b"")] * 3


async def test_events_pass_as_they_come_and_end_with_their_reader(street: Street) -> None:
    async with street.http.stream("GET", "/v1/stock/events") as answer:
        lines = answer.aiter_lines()
        assert await anext(lines) == "one"
        street.stock.go_on.set()
        assert await anext(lines) == "two"
    async with asyncio.timeout(30):
        await street.stock.left.wait()


async def test_the_door_joins_the_documents_of_the_services(street: Street) -> None:
    joined = (await street.http.get("/openapi.json")).json()["paths"]
    stock = (await street.http.get("/services/stock/openapi.json")).json()["paths"]
    assert set(stock) <= set(joined)
    assert {"/v1/orders", "/v1/wallet", "/v1/operations/dead-letters"} <= set(joined)
    assert (await street.http.get("/docs")).status_code == 200
    unknown = await street.http.get("/v1/nothing")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


def test_what_names_a_service_goes_to_it() -> None:
    assert named_service("/v1/operations/consumers/stock/pause") == "stock"
    assert named_service(f"{LETTERS}/stock.018f0000-0000-7000-8000-000000000001/release") == "stock"
    assert named_service(LETTERS) is None
    assert named_service("/v1/operations/parked-keys/stock/ord_1/release") == "stock"
    assert named_service("/v1/operations/consumers") is None


def test_letters_of_all_services_are_one_list() -> None:
    def letters(service: str, *numbers: int) -> list[dict[str, str]]:
        return [{"service": service, "message_id": f"018f0000-0000-7000-8000-{number:012d}"} for number in numbers]

    pages: list[Any] = [
        {"items": letters("stock", 1, 4), "next_cursor": None},
        {"items": letters("wallet", 1, 2), "next_cursor": "more"},
    ]
    page = joined_letters(pages, b"limit=3")

    assert page["items"] == [*letters("stock", 1), *letters("wallet", 1), *letters("wallet", 2)]
    assert page["next_cursor"] is not None
    assert msgspec.json.encode(joined_letters([{"items": [], "next_cursor": None}], b"")) == (
        b'{"items":[],"next_cursor":null}'
    )


def test_consumers_of_all_services_are_a_page_as_any_other() -> None:
    pages: list[Any] = [{"items": [{"service": name}], "next_cursor": None} for name in ("wallet", "stock")]
    assert joined_consumers(pages, b"") == {"items": [{"service": "stock"}, {"service": "wallet"}], "next_cursor": None}


def test_what_operators_did_in_all_services_is_one_list_the_newest_first() -> None:
    def acts(service: str, *moments: str) -> list[dict[str, str]]:
        return [{"at": moment, "id": f"{service}-{moment}", "service": service} for moment in moments]

    early, late, latest = "2026-11-21T12:00:00Z", "2026-11-21T12:00:00.5Z", "2026-11-21T12:00:01Z"
    pages: list[dict[str, Any]] = [
        {"items": acts("stock", latest, early), "next_cursor": None},
        {"items": acts("wallet", late), "next_cursor": None},
    ]

    first = joined_actions(pages, b"limit=2")
    whole = joined_actions(pages, b"limit=3")

    assert [one["at"] for one in first["items"]] == [latest, late]
    assert first["next_cursor"] is not None
    assert ([one["at"] for one in whole["items"]], whole["next_cursor"]) == ([latest, late, early], None)
