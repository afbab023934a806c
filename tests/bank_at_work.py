"""The bank at work behind its real listener, over a real database of its own, with a clock that a test moves.

bank = await open_bank()                         # a fixture; `bank` is one that is open already
held = await bank.pay("hold")                    # 12.50 on the card that always pays
await bank.post(f"/v1/payments/{held['payment_id']}/capture", RUB(1250), key="c")

When a test ends, the books of its bank are audited.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio
from litestar import Litestar, Request, Response, post

from documented import document_beside, documented_by
from postgres_fixtures import FreshDatabase
from sagamart.bank.clock import Clock
from sagamart.bank.program import BankSettings, RunningBank, running_bank
from sagamart.bank.requests import NewMerchant
from sagamart.platform.databases import provision
from sagamart.platform.embedded import EmbeddedPostgres
from sagamart.platform.http.server import Server
from sagamart.platform.migrations import history_of, migrate

DEADLINE_S = 60.0
EMPTYING_MAX = 10
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
SHOP_KEY = "key-of-the-shop"
ADMIN_KEY = "key-of-the-bank"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PAYS = "4000000000000001"
ASKS = "4000000000000002"

_AUDIT = {
    "every movement sums to zero": "select movement_id from postings group by 1 having sum(amount_minor) <> 0",
    "an account's balance is its postings": """
        select account from accounts
        where balance_minor <> (select sum(amount_minor) from postings where postings.account = accounts.account)
    """,
    "what is held on an account is its held payments": """
        select account from accounts where held_minor <> (
            select coalesce(sum(amount_minor), 0) from payments
            where status = 'held' and account = 'client:' || card || ':' || currency)
    """,
    "the statement is what was captured less what was given back": """
        select payment_id from payments where captured_minor - refunded_minor <> (
            select coalesce(sum(amount_minor), 0) from postings
            where postings.payment_id = payments.payment_id and entry is not null)
    """,
    "a merchant's entries have no gap": """
        select merchant_id from merchants where entries <> (
            select count(*) from postings where postings.merchant_id = merchants.merchant_id)
    """,
    "only a payment that waits for its customer has an operation that is pending": """
        select operations.key from operations join payments using (payment_id)
        where (operations.status = 'pending') <> (payments.status = 'needs_confirmation')
        and operations.kind in ('hold', 'charge')
    """,
}


def RUB(amount_minor: Any, **more: Any) -> dict[str, Any]:  # noqa: N802  the currency's own name
    """An amount."""
    return {"amount_minor": amount_minor, "currency": "RUB", **more}


def payment(kind: str = "hold", card: str | None = PAYS, amount_minor: Any = 1250, **more: Any) -> dict[str, Any]:
    """The body of a new payment."""
    return {"kind": kind, **RUB(amount_minor), "reference": "ord_1", "card": card, **more}


class BankAtWork:
    """A bank, a client of it, and its clock."""

    def __init__(self, bank: RunningBank, dsn: str, http: httpx.AsyncClient) -> None:
        self.bank = bank
        self.dsn = dsn
        self.http = http
        self.passed = timedelta()

    def now(self) -> datetime:
        """The bank's time: it stands still unless a test lets time pass."""
        return NOW + self.passed

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, api_key: str | None = SHOP_KEY
    ) -> httpx.Response:
        """A request of a merchant (None: nobody) under this key."""
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.http.request(method, path, json=body, headers=headers)

    async def get(self, path: str, *, api_key: str | None = SHOP_KEY) -> httpx.Response:
        """GET as the shop."""
        return await self.call("GET", path, api_key=api_key)

    async def post(
        self, path: str, body: Any, *, key: str | None = "key-1", api_key: str | None = SHOP_KEY
    ) -> httpx.Response:
        """POST as the shop."""
        return await self.call("POST", path, body, key=key, api_key=api_key)

    async def pay(self, kind: str = "hold", card: str | None = PAYS, *, key: str = "key-1", **more: Any) -> Any:
        """A payment that the bank has decided about."""
        answer = await self.post("/v1/payments", payment(kind, card, **more), key=key)
        assert answer.status_code == 200, answer.text
        return answer.json()["payment"]

    async def capture(self, payment: Any, amount_minor: int = 1250, *, key: str = "capture") -> Any:
        """The operation that debits a payment."""
        answer = await self.post(f"/v1/payments/{payment['payment_id']}/capture", RUB(amount_minor), key=key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refund(self, payment: Any, amount_minor: int = 1250, *, key: str = "refund") -> Any:
        """The operation that gives back."""
        answer = await self.post(f"/v1/payments/{payment['payment_id']}/refunds", RUB(amount_minor), key=key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def cancel(self, key: str) -> httpx.Response:
        """Cancel by key."""
        return await self.call("PUT", f"/v1/operations/{key}/cancellation")

    async def operation(self, key: str = "key-1") -> Any:
        """An operation as it is now."""
        return (await self.get(f"/v1/operations/{key}")).json()

    async def entries(self, begin: datetime = NOW, end: datetime = NOW + timedelta(days=30)) -> list[tuple[Any, ...]]:
        """The statement: number, kind, key and amount of each entry."""
        window = httpx.QueryParams({"from": begin.isoformat(), "to": end.isoformat(), "limit": 200})
        items = (await self.get(f"/v1/statement?{window}")).json()["items"]
        return [(one["entry"], one["kind"], one["key"], one["amount_minor"]) for one in items]

    async def misbehave(self, *rules: dict[str, Any]) -> None:
        """Put these rules in force."""
        answer = await self.call("PUT", "/admin/misbehaviour", {"rules": rules}, api_key=ADMIN_KEY)
        assert answer.status_code == 200, answer.text

    async def fired(self) -> dict[str, int]:
        """What has fired how often, without what has not."""
        answer = await self.get("/admin/misbehaviour", api_key=ADMIN_KEY)
        return {name: count for name, count in answer.json()["fired"].items() if count}

    async def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """What its database holds."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(sql, *arguments)]
        finally:
            await connection.close()

    async def audit(self) -> list[str]:
        """Which rules of the books are broken."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return [rule for rule, broken in _AUDIT.items() if await connection.fetch(broken)]
        finally:
            await connection.close()


async def until(there: Callable[[], Awaitable[Any]]) -> Any:
    """Wait for something that comes about by itself; what it is then."""
    async with asyncio.timeout(DEADLINE_S):
        while not (found := await there()):  # noqa: ASYNC110  nothing tells a client of the bank
            await asyncio.sleep(0.02)
        return found


class Ears:
    """The merchant's side of webhooks: keeps what it is told, and answers what a test says."""

    def __init__(self) -> None:
        self.url = ""
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        """Statuses to answer with, one after the other; then 204."""

    @property
    def types(self) -> list[str]:
        """What kinds of events were heard."""
        return [str(httpx.Response(200, content=body).json()["type"]) for _, body in self.heard]

    async def hears(self, count: int) -> None:
        """Wait until so many have come."""

        async def enough() -> bool:
            return len(self.heard) >= count

        await until(enough)

    def application(self) -> Litestar:
        """What listens."""

        @post("/hook", status_code=204)
        async def hook(request: Request[Any, Any, Any]) -> Response[None]:
            self.heard.append((dict(request.headers), await request.body()))
            status = self.answers.pop(0) if self.answers else 204
            return Response(None, status_code=status, headers={"Location": "/hook"})

        return Litestar([hook], openapi_config=None, logging_config=None)


OpenBank = Callable[..., Awaitable[BankAtWork]]
BankDatabase = Callable[[], Awaitable[str]]


@asynccontextmanager
async def at_work(dsn: str, **settings: Any) -> AsyncIterator[BankAtWork]:
    """A bank with these settings over this database."""
    opened: list[BankAtWork] = []
    clock = Clock(now=lambda: opened[0].now() if opened else NOW)
    chosen = BankSettings(port=0, shop_key=SHOP_KEY, admin_key=ADMIN_KEY, seed=7, **settings)
    async with (
        running_bank(dsn, chosen, clock) as running,
        httpx.AsyncClient(base_url=running.address, timeout=DEADLINE_S, trust_env=False) as http,
    ):
        opened.append(BankAtWork(running, dsn, http))
        yield opened[0]


@pytest_asyncio.fixture(scope="session")
async def bank_template(postgres: EmbeddedPostgres) -> str:
    """Name a migrated database of a bank, to be copied."""
    database = await provision(postgres.dsn(), "bank")
    await migrate(database.owner_dsn, [history_of("sagamart.bank")])
    return urlsplit(database.runtime_dsn).path.removeprefix("/")


@pytest_asyncio.fixture
async def bank_dsn(bank_database: BankDatabase) -> str:
    """Give a bank's database of its own, in the runtime role."""
    return await bank_database()


def _copies(postgres: EmbeddedPostgres, bank_template: str, fresh_database: FreshDatabase) -> BankDatabase:
    async def make() -> str:
        fresh = urlsplit(await fresh_database(bank_template)).path.removeprefix("/")
        return postgres.dsn(fresh, bank_template)

    return make


@pytest.fixture
def bank_database(postgres: EmbeddedPostgres, bank_template: str, fresh_database: FreshDatabase) -> BankDatabase:
    """Give `await bank_database()`: the DSN of a fresh database, in the bank's runtime role."""
    return _copies(postgres, bank_template, fresh_database)


@pytest.fixture(scope="session")
def lasting_bank_database(
    postgres: EmbeddedPostgres, bank_template: str, lasting_database: FreshDatabase
) -> BankDatabase:
    """Give the same for who outlives a test."""
    return _copies(postgres, bank_template, lasting_database)


@pytest_asyncio.fixture
async def open_bank(bank_dsn: str) -> AsyncIterator[OpenBank]:
    """Give `await open_bank()`: a bank of its own.  Its books are audited at the end."""
    opened: list[BankAtWork] = []
    async with AsyncExitStack() as closing:

        async def make(**settings: Any) -> BankAtWork:
            opened.append(await closing.enter_async_context(at_work(bank_dsn, **settings)))
            return opened[-1]

        yield make
        for bank in opened:
            assert await bank.audit() == []


@pytest_asyncio.fixture(scope="session")
async def lasting_bank(lasting_bank_database: BankDatabase) -> AsyncIterator[BankAtWork]:
    """Give the bank that stays open while tests of one route after another come and go."""
    async with at_work(await lasting_bank_database()) as bank:
        bank.http.event_hooks = {"response": [documented_by(document_beside)]}
        yield bank


async def _empty(admin: asyncpg.Connection) -> None:
    """Let the bank know nobody.  It looks into its tables meanwhile, in another order."""
    for _ in range(EMPTYING_MAX):
        try:
            await admin.execute("truncate merchants, accounts, payments, operations, postings, events restart identity")
        except asyncpg.DeadlockDetectedError:
            continue
        return
    raise AssertionError("the bank never left its tables alone")


@pytest_asyncio.fixture
async def bank(lasting_bank: BankAtWork, postgres: EmbeddedPostgres) -> AsyncIterator[BankAtWork]:
    """Give a bank that is open, as good as new, and tells nobody.  Its books are audited at the end."""
    admin = await asyncpg.connect(postgres.dsn(urlsplit(lasting_bank.dsn).path.removeprefix("/")))
    try:
        await _empty(admin)
    finally:
        await admin.close()
    lasting_bank.passed = timedelta()
    await lasting_bank.bank.desk.merchants.put("shop", NewMerchant("Sagamart", SHOP_KEY, ["127.0.0.1"]))
    yield lasting_bank
    assert await lasting_bank.audit() == []


@pytest_asyncio.fixture
async def ears() -> AsyncIterator[Ears]:
    """Give a merchant who listens; `bank_with_ears` tells it."""
    heard = Ears()
    async with Server(heard.application(), host="127.0.0.1", port=0) as server:
        heard.url = f"http://127.0.0.1:{server.port}/hook"
        yield heard


@pytest_asyncio.fixture
async def bank_with_ears(open_bank: OpenBank, ears: Ears) -> BankAtWork:
    """Give a bank whose merchant listens."""
    return await open_bank(webhook_url=ears.url, webhook_secret=SECRET)
