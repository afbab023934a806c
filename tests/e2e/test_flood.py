"""A client that floods the program is told to come back later, and the program's memory stays bounded."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from e2e.shop_program import ShopProgram, Tell
from sagamart.platform.http import Caller
from sagamart.platform.keys import tokens_from_files
from sagamart.platform.settings import TokenSettings

MIB = 1024 * 1024
RESIDENT_BYTES_MAX = 500 * MIB
"""Of the program, PostgreSQL not counted: 100 MiB at rest, the large bodies under way (180 MiB), and slack."""

CONNECTIONS = 2_500
ORDERS_EACH = 3
CUSTOMERS = 200
LARGE_BODIES = 200
LARGE_BODY_BYTES = 900 * 1024
FLOOD_S_MAX = 120.0
WATCH_EVERY_S = 0.05


class Answer(msgspec.Struct, frozen=True):
    """What a client needs of an answer."""

    status: int
    headers: dict[str, str]


class Connection:
    """One connection kept alive, as cheap as a client can be: thousands of them cost less than the server does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request and read its answer."""
        named = {"Host": "shop", "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in named.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await self._writer.drain()
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        found = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        await self._reader.readexactly(int(found.get("content-length", 0)))
        return Answer(int(head[0].split()[1]), found)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()


@asynccontextmanager
async def connections(shop: ShopProgram, number: int) -> AsyncIterator[list[Connection]]:
    """So many connections at once."""
    address = urlsplit(shop.address)
    opened = [Connection(*await asyncio.open_connection(address.hostname, address.port)) for _ in range(number)]
    try:
        yield opened
    finally:
        await asyncio.gather(*(one.close() for one in opened))


async def test_a_client_that_asks_too_often_is_told_when_to_come_back(folder: Path) -> None:
    with ShopProgram(folder, http_rate_limit_per_s="5", http_rate_limit_burst="20") as shop:
        async with connections(shop, 1) as (client,), asyncio.timeout(FLOOD_S_MAX):
            answers = [
                await client.ask("GET", "/v1/products", X_Forwarded_For=f"203.0.113.{number}") for number in range(200)
            ]
            alive = await client.ask("GET", "/healthz")

    refused = [answer for answer in answers if answer.status == 429]
    assert [answer.status for answer in answers[:20]] == [200] * 20
    assert len(refused) > 100, "an address of its own making got a client past the limit"
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert alive.status == 200


async def test_a_flood_of_orders_leaves_the_memory_bounded(folder: Path, tell: Tell) -> None:
    with ShopProgram(folder, http_rate_limit_per_s="0", orders_custom_lines="all") as shop:
        tokens = tokens_from_files(TokenSettings(), folder)
        customers = [tokens.sign(Caller(f"cus_{n:032x}", frozenset({"CUSTOMER"}))) for n in range(CUSTOMERS)]
        before = shop.resident_bytes()
        most = before
        flooding = True

        async def watch() -> None:
            nonlocal most
            while flooding:
                most = max(most, shop.resident_bytes())
                await asyncio.sleep(WATCH_EVERY_S)

        async def flood(number: int, client: Connection) -> list[Answer]:
            body = _large() if number < LARGE_BODIES else b'{"lines": [{"title": "A mug", "price_minor": 100}]}'
            token = f"Bearer {customers[number % CUSTOMERS]}"
            return [
                await client.ask("POST", "/v1/orders", body, Authorization=token, Idempotency_Key=f"{number}-{place}")
                for place in range(ORDERS_EACH)
            ]

        async with connections(shop, CONNECTIONS) as clients, asyncio.timeout(FLOOD_S_MAX):
            watching = asyncio.create_task(watch())
            answers = await asyncio.gather(*(flood(number, one) for number, one in enumerate(clients)))
            flooding = False
            await watching
            alive = await clients[0].ask("GET", "/readyz")

    counts = Counter(answer.status for some in answers for answer in some)
    tell(
        f"{CONNECTIONS * ORDERS_EACH} orders over {CONNECTIONS} connections at once: {dict(counts)}; the program had "
        f"{before // MIB} MiB before and {most // MIB} MiB at most ({RESIDENT_BYTES_MAX // MIB} MiB allowed)"
    )
    assert set(counts) <= {202, 400, 409, 503}
    assert counts[202] >= CUSTOMERS
    large = Counter(answer.status for some in answers[:LARGE_BODIES] for answer in some)
    assert large[400] + large[503] == LARGE_BODIES * ORDERS_EACH, "read and refused, or no room for all of them at once"
    assert large[400]
    assert all("retry-after" in one.headers for some in answers for one in some if one.status == 503)
    assert most <= RESIDENT_BYTES_MAX
    assert alive.status == 200


def _large() -> bytes:
    """Nearly the largest body that is read at all, and no order."""
    return b'{"lines": [{"price_minor": 1, "title": "' + b"m" * LARGE_BODY_BYTES + b'"}]}'
