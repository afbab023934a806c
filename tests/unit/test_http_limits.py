"""How many requests one client or account may send."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from http_shop import TOKENS, Shop, as_caller, open_shop, shop_app
from sagamart.door import Replicas, front_door
from sagamart.platform.http import Caller, Problem, Process
from sagamart.platform.http.limits import Buckets, Clients, admission_of, buckets_of
from sagamart.platform.http.server import Server
from sagamart.platform.http.shell import Shell
from sagamart.platform.http_client import Address
from sagamart.platform.metrics import Metrics
from sagamart.platform.settings import HttpSettings
from sagamart.settings import ShopSettings


class Clock:
    """A clock that is set by hand, in seconds."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_burst_is_let_through_and_the_rest_waits_for_the_refill() -> None:
    clock = Clock()
    buckets = Buckets(2, 3, now=clock)
    assert [buckets.take("anna") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("boris") == 0
    clock.now_s += 0.5
    assert [buckets.take("anna") for _ in range(2)] == [0, 0.5]


def test_the_table_of_buckets_is_bounded() -> None:
    buckets = Buckets(1, 1, keys_max=2, now=Clock())
    for client in ("a", "b", "c"):
        buckets.take(client)
    assert len(buckets) == 2
    assert buckets.take("a") == 0
    assert buckets.take("c") > 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "192.0.2.66, 198.51.100.1, 10.0.0.7", "198.51.100.1"),
        ("10.0.0.2", "nonsense", "unknown"),
        ("2001:db8:1:2:aaaa::1", None, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", None, "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.1", None, "198.51.100.1"),
        ("", None, "unknown"),
    ],
)
def test_a_client_is_the_nearest_address_that_is_no_proxy_of_ours(
    peer: str, forwarded: str | None, client: str
) -> None:
    assert Clients(["10.0.0.0/8"]).client(peer, forwarded) == client


def test_a_forged_forwarded_for_does_not_help() -> None:
    limited = Process(HttpSettings(rate_limit_per_s=0.01, rate_limit_burst=2))
    with open_shop(process=limited) as client:
        sent = [client.get("/v1/products", headers={"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(3)]
    assert [answer.status_code for answer in sent] == [200, 200, 429]
    assert sent[2].json()["code"] == "too_many_requests"
    assert 50 <= int(sent[2].headers["retry-after"]) <= 100


async def test_two_replicas_behind_a_door_let_through_together_what_one_would() -> None:
    async with AsyncExitStack() as closing:
        addresses = []
        for _ in range(2):
            share = HttpSettings(rate_limit_per_s=0.01, rate_limit_burst=6, replicas=2, trusted_proxies=("127.0.0.1",))
            server = Server(shop_app(Shop(), Process(share)), host="127.0.0.1", port=0)
            await closing.enter_async_context(server)
            addresses.append(Address("127.0.0.1", server.port))
        replicas = await closing.enter_async_context(Replicas({"catalogue": addresses}))
        settings = ShopSettings(http=HttpSettings(rate_limit_per_s=0, trusted_proxies=("127.0.0.1",)))
        door = Server(front_door(settings, replicas, TOKENS, Metrics()), host="127.0.0.1", port=0)
        await closing.enter_async_context(door)
        http = await closing.enter_async_context(httpx.AsyncClient(timeout=60))

        async def sent(client: str, times: int) -> Counter[int]:
            address = f"http://127.0.0.1:{door.port}/v1/products"
            answers = [await http.get(address, headers={"X-Forwarded-For": client}) for _ in range(times)]
            return Counter(answer.status_code for answer in answers)

        assert await sent("198.51.100.1", 12) == {200: 6, 429: 6}
        assert await sent("198.51.100.2", 4) == {200: 4}


@pytest.mark.parametrize(("burst", "replicas", "share"), [(400, 1, 400), (400, 2, 200), (400, 3, 133), (2, 4, 1)])
def test_a_replica_lets_its_share_of_a_burst_through(burst: int, replicas: int, share: int) -> None:
    buckets = buckets_of(HttpSettings(rate_limit_per_s=0.001, rate_limit_burst=burst, replicas=replicas))
    assert buckets is not None
    assert sum(buckets.take("anna") == 0 for _ in range(burst + 1)) == share


def test_an_account_is_limited_apart_from_its_address() -> None:
    admit = admission_of(Buckets(0.01, 1, now=Clock()))
    admit("cus_anna")
    admit("cus_boris")
    with pytest.raises(Problem) as refused:
        admit("cus_anna")
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "100"})


def test_probes_are_not_limited() -> None:
    with open_shop(process=Process(HttpSettings(rate_limit_per_s=0.01, rate_limit_burst=1))) as client:
        assert [client.get("/healthz").status_code for _ in range(3)] == [200, 200, 200]


async def test_bodies_that_are_being_read_have_a_bound_together_and_give_room_back_when_answered() -> None:
    answering = asyncio.Event()
    answered: list[int] = []

    async def handler(_scope: Any, receive: Any, _send: Any) -> None:
        size = 0
        while (event := await receive())["more_body"]:
            size += len(event["body"])
        await answering.wait()
        answered.append(size)

    def arriving(*chunks: bytes) -> Any:
        events = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        left = iter([*events, {"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Any:
            return next(left)

        return receive

    async def nobody(_event: Any) -> None: ...

    async def posts(*chunks: bytes) -> None:
        scope: Any = {"type": "http", "method": "POST", "path": "/v1/orders", "query_string": b"", "headers": []}
        await shell(scope, arriving(*chunks), nobody)

    shell = Shell(handler, Clients(()), None, bodies_bytes_max=10)
    first = asyncio.create_task(posts(b"1234", b"5678"))
    await until_reached(shell, 8)

    with pytest.raises(Problem) as refused:
        await posts(b"12", b"3")
    assert (refused.value.status, refused.value.code) == (503, "too_many_bodies")
    assert refused.value.headers == {"Retry-After": "1"}
    assert shell.bodies_bytes == 8, "what came of the refused one gives its room back"

    answering.set()
    await first
    await posts(b"1234567890")
    assert (answered, shell.bodies_bytes) == ([8, 10], 0)


async def until_reached(shell: Shell, size: int) -> None:
    async with asyncio.timeout(30):
        while shell.bodies_bytes < size:  # noqa: ASYNC110  a counter tells nobody
            await asyncio.sleep(0)


def test_a_request_without_room_for_its_body_is_asked_to_come_again() -> None:
    anna = as_caller(Caller("cus_anna", frozenset({"CUSTOMER"})), Idempotency_Key="a")
    with open_shop() as client:
        shell = client.app.asgi_handler
        assert isinstance(shell, Shell)
        shell.bodies_bytes = HttpSettings().bodies_bytes_max
        refused = client.post("/v1/orders", json={"lines": []}, headers=anna)
        shell.bodies_bytes = 0
        read = client.post("/v1/orders", json={"lines": []}, headers=anna)
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (
        503,
        "too_many_bodies",
        "1",
    )
    assert (read.status_code, read.json()["code"]) == (400, "malformed")
