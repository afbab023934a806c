"""The bank's statement against the payments: what was missed is mended, what fits nobody is named."""

from typing import Any

import pytest

from bank_at_work import until
from payments_street import PAYS, Street, pay_id
from sagamart.contracts.payments import TopUpPaid
from sagamart.contracts.wallet import TopUpCredited
from sagamart.messaging.worker import Node
from sagamart.platform.http import Caller
from sagamart.platform.http.queries import queries_of
from sagamart.shop.payments import http_bank
from sagamart.shop.payments.comparing import reconcile

ANNA = Caller("cus_1", frozenset({"CUSTOMER"}))
OPERATOR = Caller("usr_operator", frozenset({"OPERATOR"}))
MONEY = {"amount_minor": 500, "currency": "RUB"}
DIFFERENCES = "/v1/operations/reconciliation/differences"


async def reconciled(street: Street) -> list[str]:
    """What the command would say."""
    queries = queries_of("sagamart.shop.payments", street.payments.pool)
    return await reconcile(street.payments.worker, queries, Node("test"))


async def paid_top_up(street: Street) -> str:
    """The id of a top-up that Anna has paid on the bank's page."""
    answer = await street.payments.post("/v1/wallet/top-ups", MONEY, caller=ANNA)

    async def page() -> Any:
        return (await street.payments.get(answer.headers["location"], caller=ANNA)).json().get("redirect_url")

    url = await until(page)
    confirmed = await street.bank.http.post(url, data={"card": PAYS, "answer": "confirm"})
    assert confirmed.status_code == 200
    found: str = answer.json()["id"]
    return found


async def told_to_the_wallet(street: Street, times: int) -> list[TopUpPaid]:
    async def told() -> list[TopUpPaid]:
        paid = [one for one in street.payments.sent if isinstance(one, TopUpPaid)]
        return paid if len(paid) >= times else []

    found: list[TopUpPaid] = await until(told)
    return found


async def credited(street: Street, top_up_id: str) -> None:
    await street.payments.hears(TopUpCredited(top_up_id, "cus_1", 500, "RUB"))


async def test_where_everything_fits_nothing_is_found(street: Street) -> None:
    await street.captured(1)
    top_up_id = await paid_top_up(street)
    await told_to_the_wallet(street, 1)
    await credited(street, top_up_id)

    assert await reconciled(street) == []
    assert await street.payments.rows("select entries, differences, mended from reconciliations") == [(2, 0, 0)]
    assert await reconciled(street) == []
    assert await street.payments.rows("select entries from reconciliations") == [(0,)]


async def test_money_that_the_bank_took_unheard_is_found_and_credited(street: Street) -> None:
    await street.bank.misbehave({"misbehaviour": "webhook_lost"})
    top_up_id = await paid_top_up(street)

    await reconciled(street)

    assert await told_to_the_wallet(street, 1) == [TopUpPaid(top_up_id, "cus_1", 500, "RUB")]
    await credited(street, top_up_id)
    assert await reconciled(street) == []


async def test_a_top_up_that_the_wallet_has_not_confirmed_is_told_again_and_named(street: Street) -> None:
    top_up_id = await paid_top_up(street)
    await told_to_the_wallet(street, 1)

    assert await reconciled(street) == [f"{top_up_id} brought 500, which the wallet has not confirmed"]

    await told_to_the_wallet(street, 2)
    await credited(street, top_up_id)
    assert await reconciled(street) == []


async def test_staff_read_every_difference_a_page_at_a_time(street: Street) -> None:
    assert (await street.payments.get(DIFFERENCES, caller=OPERATOR)).json() == {"items": [], "next_cursor": None}
    await street.bank.pay("charge", PAYS, key="not-ours", amount_minor=700)
    await street.captured(1)
    wrong = pay_id(1)
    top_up_id = await paid_top_up(street)
    await told_to_the_wallet(street, 1)
    await reconciled(street)
    await street.payments.rows("update payments set statement_minor = 1 where payment_id = $1", wrong)

    first = (await street.payments.get(f"{DIFFERENCES}?limit=2", caller=OPERATOR)).json()
    rest = (await street.payments.get(f"{DIFFERENCES}?limit=2&cursor={first['next_cursor']}", caller=OPERATOR)).json()

    seen = [
        tuple(one[name] for name in ("found", "subject", "bank_key", "known_minor", "statement_minor"))
        for page in (first, rest)
        for one in page["items"]
    ]
    assert seen == [
        ("unknown", "1", "not-ours", None, 700),
        ("amount_differs", wrong, None, 500, 1),
        ("not_credited", top_up_id, None, 500, 500),
    ]
    assert rest["next_cursor"] is None


async def test_what_is_of_no_payment_of_ours_is_named(street: Street) -> None:
    await street.bank.pay("charge", PAYS, key="not-ours", amount_minor=700)

    assert await reconciled(street) == [
        "the bank's entry 1: debit of 700 RUB under not-ours is of no payment of ours (unknown)"
    ]


@pytest.mark.parametrize("misbehaviour", ["down", "answers_wrong_type", "answers_oversized"])
async def test_a_bank_that_does_not_tell_its_statement_is_asked_again(street: Street, misbehaviour: str) -> None:
    await street.captured(1)
    await street.bank.misbehave({"misbehaviour": misbehaviour, "on": "statement", "next": 1})

    assert await reconciled(street) == []

    assert await street.bank.fired() == {misbehaviour: 1}
    assert await street.payments.rows("select entries from reconciliations") == [(1,)]


async def test_a_statement_of_many_pages_is_read_to_its_end(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_bank, "PAGE_MAX", 3)
    for number in range(7):
        await street.bank.pay("charge", PAYS, key=f"not-ours-{number}")

    assert len(await reconciled(street)) == 7
