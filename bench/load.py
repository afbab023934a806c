"""The load: a process of its own that posts orders over keep-alive connections and does nothing else.

It reads a `Load` as a line of JSON from its standard input, and gets ready: every request is made, and every customer
has a look at the wallet, since who orders has just been around in the shop.  Then it says so, waits for a line, posts
the orders, says that they are answered, and writes a `Posted`.  A 429 or 503 is sent again under the same key, as a
client should.
"""

import asyncio
import sys
import time
import uuid
from collections import Counter, deque
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from ground import customer, sku
from sagamart.platform.tokens import Caller, Tokens
from wishes import baskets

RETRY_S = 0.05
AGAIN = (b"429", b"503")


class Load(msgspec.Struct):
    """What to post: how many orders, over how many connections, who signs for the customers."""

    port: int
    orders: int
    connections: int
    keys: str
    seed: int
    zipf: float = 0.0
    wait_s: int = 0


class Posted(msgspec.Struct):
    """What came of it.  Times are Unix seconds; latencies are of single requests, in milliseconds."""

    began: float
    ended: float
    statuses: dict[str, int]
    latencies_ms: list[float]


class Client(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, waiting: deque[bytes], posted: Posted, counts: Counter[str], over: asyncio.Future[None]) -> None:
        self._waiting = waiting
        self._posted = posted
        self._counts = counts
        self._over = over
        self._received = b""
        self._request = b""
        self._since = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._next()

    def data_received(self, data: bytes) -> None:
        """Read until the answer is whole."""
        self._received += data
        head, gap, body = self._received.partition(b"\r\n\r\n")
        if not gap or len(body) < _length(head):
            return
        self._received = b""
        status = head[9:12]
        self._counts[status.decode()] += 1
        self._posted.latencies_ms.append((time.perf_counter() - self._since) * 1000)
        if status in AGAIN:
            self._waiting.append(self._request)
            asyncio.get_running_loop().call_later(RETRY_S, self._next)
        else:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server must not hang up."""
        if not self._over.done():
            self._over.set_exception(exc or ConnectionError("the server closed a connection"))

    def _next(self) -> None:
        if not self._waiting:
            if not self._over.done():
                self._over.set_result(None)
            return
        self._request = self._waiting.popleft()
        self._since = time.perf_counter()
        self._transport.write(self._request)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def requests_of(load: Load) -> tuple[deque[bytes], deque[bytes]]:
    """Every request, encoded: a look at the wallet for each customer, and the orders."""
    tokens = Tokens.of_folder(Path(load.keys), issuer="sagamart", audience="sagamart")
    signed: dict[int, str] = {}
    requests: deque[bytes] = deque()
    prefer = f"Prefer: wait={load.wait_s}\r\n" if load.wait_s else ""
    for who, products in baskets(load.orders, seed=load.seed, zipf=load.zipf):
        token = signed.get(who) or tokens.sign(Caller(customer(who), frozenset({"CUSTOMER"}), "bench"))
        signed[who] = token
        body = msgspec.json.encode({"lines": [{"sku": sku(product), "quantity": 1} for product in products]})
        head = (
            f"POST /v1/orders HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
            f"Idempotency-Key: {uuid.uuid4()}\r\nContent-Type: application/json\r\n{prefer}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    looks = (
        f"GET /v1/wallet HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {one}\r\n\r\n" for one in signed.values()
    )
    return deque(look.encode() for look in looks), requests


async def post(load: Load) -> Posted:
    """Post everything and wait for the answers."""
    looks, orders = requests_of(load)
    await sent(load, looks)
    print("ready", flush=True)
    sys.stdin.readline()
    posted = await sent(load, orders)
    print("over", flush=True)
    return posted


async def sent(load: Load, waiting: deque[bytes]) -> Posted:
    """Send these over all connections and wait for the answers."""
    loop = asyncio.get_running_loop()
    counts: Counter[str] = Counter()
    posted = Posted(time.time(), 0.0, {}, [])
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(load.connections)]
    made = [partial(Client, waiting, posted, counts, over) for over in ends]
    lines = [await loop.create_connection(client, "127.0.0.1", load.port) for client in made]
    await asyncio.gather(*ends)
    posted.ended = time.time()
    for transport, _ in lines:
        transport.close()
    posted.statuses = dict(counts)
    return posted


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.readline(), type=Load)
    told = msgspec.json.encode(uvloop.run(post(asked)))
    # Where PYTHONUNBUFFERED is set, standard output as it is may take a part and say nothing.
    with open(sys.stdout.fileno(), "wb", closefd=False) as whole:
        whole.write(told)
