"""The wallet's routes: what each does, refuses, cannot read, and does not let everybody do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sagamart.contracts.order_requests import CaptureRequested, HoldRequested, RefundRequested
from sagamart.platform.http import Caller
from sagamart.shop.wallet.api import ROUTES, routes
from sagamart.shop.wallet.service import WALLET, WalletSettings
from shop_fixtures import RunningService, Started

ANNA = Caller("cus_018f0000000070008000000000000001", frozenset({"CUSTOMER"}))
BORIS = Caller("cus_018f0000000070008000000000000002", frozenset({"CUSTOMER"}))
OPERATOR = Caller("usr_operator", frozenset({"OPERATOR"}))
STOCK_OPERATOR = Caller("usr_keeper", frozenset({"STOCK_OPERATOR"}))

DEPOSITS, WITHDRAWALS = "/v1/wallet/deposits", "/v1/wallet/withdrawals"


def rubles(amount_minor: Any = 500, **more: Any) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "RUB", **more}


def state(balance_minor: int, held_minor: int = 0) -> dict[str, Any]:
    return {
        "customer_id": ANNA.id,
        "currency": "RUB",
        "balance_minor": balance_minor,
        "held_minor": held_minor,
        "available_minor": balance_minor - held_minor,
    }


@pytest.fixture
async def wallet(started: Started) -> RunningService:
    """A wallet as it is by default: only staff deposit."""
    return await started(WALLET, ROUTES)


@pytest.fixture
async def open_wallet(started: Started) -> RunningService:
    """A wallet into which customers may deposit."""
    return await started(WALLET, routes(WalletSettings(customers_may_deposit=True)))


@pytest.fixture
async def annas(wallet: RunningService) -> RunningService:
    """Anna's wallet holds 500, of which an order holds 200."""
    await wallet.post(DEPOSITS, rubles(500, customer_id=ANNA.id), caller=OPERATOR, key="first")
    await wallet.hears(HoldRequested("ord_1", 3, "pay_pending", ANNA.id, 1, (), 200, "RUB", 1, 200))
    return wallet


async def test_an_operator_deposits_into_a_customers_wallet(wallet: RunningService) -> None:
    response = await wallet.post(DEPOSITS, rubles(customer_id=ANNA.id), caller=OPERATOR)

    assert (response.status_code, response.json()) == (201, state(500))


async def test_a_deposit_repeated_under_its_key_is_made_once(wallet: RunningService) -> None:
    first = await wallet.post(DEPOSITS, rubles(customer_id=ANNA.id), caller=OPERATOR)
    again = await wallet.post(DEPOSITS, rubles(customer_id=ANNA.id), caller=OPERATOR)
    other = await wallet.post(DEPOSITS, rubles(600, customer_id=ANNA.id), caller=OPERATOR)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert (await wallet.get("/v1/wallet", caller=ANNA)).json() == {**state(500), "may_deposit": False}


async def test_customers_deposit_into_their_own_wallet_where_the_shop_allows_it(open_wallet: RunningService) -> None:
    response = await open_wallet.post(DEPOSITS, rubles(), caller=ANNA)
    shown = await open_wallet.get("/v1/wallet", caller=ANNA)

    assert (response.status_code, response.json()) == (201, state(500))
    assert shown.json() == {**state(500), "may_deposit": True}


async def test_customers_never_deposit_into_anothers_wallet(open_wallet: RunningService) -> None:
    response = await open_wallet.post(DEPOSITS, rubles(customer_id=ANNA.id), caller=BORIS)

    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("caller", [ANNA, STOCK_OPERATOR], ids=["customer", "stock operator"])
async def test_only_operators_deposit_by_default(wallet: RunningService, caller: Caller) -> None:
    response = await wallet.post(DEPOSITS, rubles(customer_id=ANNA.id), caller=caller)

    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert await wallet.rows("select * from wallets") == []


@pytest.mark.parametrize("path", [DEPOSITS, WITHDRAWALS])
async def test_money_of_another_currency_is_refused(annas: RunningService, path: str) -> None:
    caller, to = (OPERATOR, {"customer_id": ANNA.id}) if path == DEPOSITS else (ANNA, {})

    response = await annas.post(path, {"amount_minor": 1, "currency": "EUR", **to}, caller=caller)

    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:sagamart:currency_mismatch",
        "title": "The wallet has another currency",
        "status": 409,
        "code": "currency_mismatch",
        "currency": "EUR",
        "wallet_currency": "RUB",
    }


async def test_a_withdrawal_takes_what_is_available(annas: RunningService) -> None:
    response = await annas.post(WITHDRAWALS, rubles(300), caller=ANNA)

    assert (response.status_code, response.json()) == (201, state(200, 200))


async def test_a_withdrawal_of_more_than_is_available_is_refused_with_the_numbers(annas: RunningService) -> None:
    response = await annas.post(WITHDRAWALS, rubles(301), caller=ANNA)

    answer = response.json()
    assert (response.status_code, answer["code"]) == (409, "insufficient_funds")
    assert (answer["amount_minor"], answer["available_minor"], answer["currency"]) == (301, 300, "RUB")


async def test_everybody_sees_only_their_own_wallet(annas: RunningService) -> None:
    own = (await annas.get("/v1/wallet", caller=ANNA)).json()
    empty = (await annas.get("/v1/wallet", caller=BORIS)).json()

    assert own == {**state(500, 200), "may_deposit": False}
    assert empty == {**state(0), "customer_id": BORIS.id, "may_deposit": False}
    assert (await annas.get("/v1/wallet/entries", caller=BORIS)).json() == {"items": [], "next_cursor": None}


async def test_entries_come_newest_first_page_by_page(annas: RunningService) -> None:
    for amount in (10, 20, 30):
        await annas.post(WITHDRAWALS, rubles(amount), caller=ANNA, key=f"out-{amount}")

    first = (await annas.get("/v1/wallet/entries?limit=3", caller=ANNA)).json()
    second = (await annas.get(f"/v1/wallet/entries?limit=3&cursor={first['next_cursor']}", caller=ANNA)).json()

    assert [entry["amount_minor"] for entry in first["items"]] == [-30, -20, -10]
    assert [(entry["amount_minor"], entry["kind"], entry["reference"]) for entry in second["items"]] == [
        (500, "deposit", "usr_operator")
    ]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (rubles(0), "amount_minor"),
        (rubles(-5), "amount_minor"),
        (rubles(1.5), "amount_minor"),
        (rubles("500"), "amount_minor"),
        (rubles(10**12 + 1), "amount_minor"),
        ({"amount_minor": 5}, "currency"),
        ({"amount_minor": 5, "currency": "rubles"}, "currency"),
        (rubles(5, balance_minor=1), "balance_minor"),
        (rubles(5, customer_id="anna"), "customer_id"),
    ],
)
async def test_a_malformed_deposit_is_told_which_field_is_wrong(wallet: RunningService, body: Any, field: str) -> None:
    response = await wallet.post(DEPOSITS, body, caller=OPERATOR)

    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert [one["field"] for one in response.json()["fields"]] == [field]


async def test_nobody_withdraws_from_anothers_wallet(annas: RunningService) -> None:
    response = await annas.post(WITHDRAWALS, rubles(1, customer_id=ANNA.id), caller=BORIS)

    assert (response.status_code, response.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("path", [DEPOSITS, WITHDRAWALS])
async def test_money_moves_only_under_an_idempotency_key(wallet: RunningService, path: str) -> None:
    response = await wallet.post(path, rubles(), caller=OPERATOR, key=None)

    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=WzEsMl0"])
async def test_a_malformed_page_is_refused(wallet: RunningService, query: str) -> None:
    response = await wallet.get(f"/v1/wallet/entries?{query}", caller=ANNA)

    assert (response.status_code, response.json()["code"]) == (400, "malformed")


async def test_a_stranger_sees_and_moves_nothing(wallet: RunningService) -> None:
    for response in (
        await wallet.get("/v1/wallet"),
        await wallet.get("/v1/wallet/entries"),
        await wallet.post(DEPOSITS, rubles()),
        await wallet.post(WITHDRAWALS, rubles()),
    ):
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")


async def test_staff_see_the_houses_accounts_rolled_up_from_what_moved(annas: RunningService) -> None:
    await annas.hears(CaptureRequested("ord_1", 4, "capturing", ANNA.id, 1, (), 200, "RUB", 1, 200))
    await annas.hears(RefundRequested("ord_1", 5, "cancelled", ANNA.id, 1, (), 200, "RUB", 1, 50, "ref_1"))
    await annas.post(DEPOSITS, rubles(30, customer_id=BORIS.id), caller=OPERATOR, key="second")
    today = datetime.now(UTC).date()

    answer = (await annas.get("/v1/wallet/house", caller=OPERATOR)).json()
    later = (await annas.get(f"/v1/wallet/house?posted_from={today + timedelta(days=2)}", caller=OPERATOR)).json()
    days = f"posted_from={today + timedelta(days=2)}&posted_to={today + timedelta(days=3)}"
    empty = (await annas.get(f"/v1/wallet/house?{days}", caller=OPERATOR)).json()

    moved = [(one["account"], one["kind"], one["movements"], one["amount_minor"]) for one in answer["entries"]]
    assert moved == [
        ("house:clearing", "deposit", 2, -530),
        ("house:refunds", "refund", 1, -50),
        ("house:revenue", "capture", 1, 200),
    ]
    assert {one["currency"] for one in answer["entries"]} == {"RUB"}
    assert later["code"] == "malformed"
    assert empty["entries"] == []


@pytest.mark.parametrize(
    "days",
    ["posted_from=2025-01-01&posted_to=2026-11-21", "posted_to=9999-12-31", "posted_to=0001-01-02", "posted_from=x"],
)
async def test_days_that_are_too_many_or_none_are_refused(wallet: RunningService, days: str) -> None:
    response = await wallet.get(f"/v1/wallet/house?{days}", caller=OPERATOR)

    assert (response.status_code, response.json()["code"]) == (400, "malformed")


async def test_the_houses_accounts_are_for_staff(wallet: RunningService) -> None:
    for caller, status in ((None, 401), (ANNA, 403), (STOCK_OPERATOR, 403)):
        assert (await wallet.get("/v1/wallet/house", caller=caller)).status_code == status
