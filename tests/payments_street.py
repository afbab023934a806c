"""Payments and the real bank over the road: each hears the other over HTTP, in real time.

await street.held(1)                             # a fixture; order 1 is paid on the bank's page
await street.bank.misbehave({…})
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest_asyncio

from bank_at_work import ADMIN_KEY, DEADLINE_S, SECRET, SHOP_KEY, BankAtWork, BankDatabase, until
from payments_examples import ORDER
from sagamart.bank.program import BankSettings, running_bank
from sagamart.contracts.order_requests import BankCaptureRequested, BankHoldRequested
from sagamart.contracts.payments import PaymentCaptured, PaymentHeld, PaymentRedirected
from sagamart.messaging.message import Body
from sagamart.platform.http.server import Server
from sagamart.shop.payments.api import routes
from sagamart.shop.payments.decide import PaymentRules
from sagamart.shop.payments.http_bank import HttpBank
from sagamart.shop.payments.outside import calls_to
from sagamart.shop.payments.service import payments_service
from sagamart.shop.payments.switching import BankSwitches
from shop_fixtures import RunningService, Started

PAYS, POOR, DECLINED = (f"400000000000{number:04}" for number in (1, 3, 4))

ON_THE_LINE = (
    "times_out",
    "answers_late",
    "lands_late",
    "answers_oversized",
    "answers_wrong_type",
    "answers_redirect",
    "down",
    "unreachable",
)
"""What the bank does to an answer; the money is held or taken all the same, once."""

DELAY_MS = 300
RULES = PaymentRules(statement_settle_s=0)


class Street:
    """Payments at work, and the bank over the road: each hears the other over HTTP."""

    def __init__(self, payments: RunningService, bank: BankAtWork) -> None:
        self.payments = payments
        self.bank = bank

    async def told(self, kind: type[Body], number: int) -> Any:
        """What payments tells about an order, once it does."""

        async def found() -> Any:
            mine = [one for one in self.payments.sent if type(one) is kind and one.key == f"ord_{number}"]
            return mine[0] if mine else None

        return await until(found)

    async def opened(self, number: int) -> PaymentRedirected:
        await self.payments.hears(BankHoldRequested(**order(number), amount_minor=500, expires_s=900))
        page: PaymentRedirected = await self.told(PaymentRedirected, number)
        return page

    async def pays(self, number: int, card: str = PAYS) -> None:
        """The customer goes to the bank's page and types a card."""
        page = await self.opened(number)
        answer = await self.bank.http.post(page.redirect_url, data={"card": card, "answer": "confirm"})
        assert answer.status_code == 200, answer.text

    async def held(self, *numbers: int) -> None:
        for number in numbers:
            await self.pays(number)
        for number in numbers:
            await self.told(PaymentHeld, number)

    async def captured(self, *numbers: int) -> None:
        await self.held(*numbers)
        await self.payments.hears(*(BankCaptureRequested(**order(one), amount_minor=500) for one in numbers))
        for number in numbers:
            await self.told(PaymentCaptured, number)

    async def misbehaves(self, on: str, keys: Callable[[int], str]) -> None:
        """Each payment meets one misbehaviour of the line, once; the n-th the n-th."""
        await self.bank.misbehave(
            *(
                {"misbehaviour": name, "on": on, "key": keys(number), "next": 1, "delay_ms": DELAY_MS}
                for number, name in enumerate(ON_THE_LINE)
            )
        )

    async def all_fired(self) -> None:
        assert set(await self.bank.fired()) == set(ON_THE_LINE)

    async def moved(self) -> list[tuple[Any, ...]]:
        """All that moved at the bank."""
        return await self.bank.rows(
            "select payments.reference, postings.kind, postings.amount_minor"
            " from postings join payments using (payment_id) where entry is not null order by 1, entry"
        )


def order(number: int) -> dict[str, Any]:
    return {**ORDER, "order_id": f"ord_{number}"}


def pay_id(number: int) -> str:
    return f"pay_{number}-1"


NUMBERS = tuple(range(len(ON_THE_LINE)))


@asynccontextmanager
async def a_bank(dsn: str) -> AsyncIterator[BankAtWork]:
    """A bank in real time."""
    settings = BankSettings(port=0, shop_key=SHOP_KEY, admin_key=ADMIN_KEY, seed=7)
    async with (
        running_bank(dsn, settings) as running,
        httpx.AsyncClient(base_url=running.address, timeout=DEADLINE_S, trust_env=False) as http,
    ):
        bank = BankAtWork(running, dsn, http)
        yield bank
        assert await bank.audit() == []


@pytest_asyncio.fixture
async def street(started: Started, bank_database: BankDatabase) -> AsyncIterator[Street]:
    """Give payments and a bank that know each other."""
    async with AsyncExitStack() as closing:
        bank = await closing.enter_async_context(a_bank(await bank_database()))
        client = HttpBank(str(bank.http.base_url), SHOP_KEY)
        outside = msgspec.structs.replace(calls_to(client), failures_max=10_000)
        switches = BankSwitches(str(bank.http.base_url).rstrip("/"), ADMIN_KEY)
        payments = await started(payments_service(RULES), routes([SECRET], switches=switches), [outside])
        listener = await closing.enter_async_context(Server(payments.app, host="127.0.0.1", port=0))
        hook = {"url": f"http://127.0.0.1:{listener.port}/v1/bank-webhooks/bank", "secrets": [SECRET]}
        assert (await bank.call("PUT", "/v1/webhook", hook)).status_code == 200
        yield Street(payments, bank)
