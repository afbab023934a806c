"""The wallet alone: its worker over its own real database, the other services played by the test."""

import pytest

from sagamart.contracts.accounts import CustomerRegistered
from sagamart.contracts.order_requests import CaptureRequested, HoldRequested, ReleaseRequested
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld, MoneyRefused, WalletOpened
from sagamart.platform.http import Caller
from sagamart.shop.wallet.api import ROUTES
from sagamart.shop.wallet.service import WALLET
from shop_fixtures import RunningService, Started, said

ANNA = "cus_018f0000000070008000000000000001"
OPERATOR = Caller("usr_operator", frozenset({"OPERATOR"}))


def hold(order_id: str, total_minor: int = 300) -> HoldRequested:
    return HoldRequested(order_id, 3, "pay_pending", ANNA, 1, (), total_minor, "RUB", 1, total_minor)


def capture(order_id: str) -> CaptureRequested:
    return CaptureRequested(order_id, 4, "capturing", ANNA, 1, (), 300, "RUB", 1, 300)


def release(order_id: str) -> ReleaseRequested:
    return ReleaseRequested(order_id, 4, "cancelled", ANNA, 1, (), 300, "RUB", 1, 300)


async def deposit(wallet: RunningService, amount_minor: int) -> None:
    body = {"customer_id": ANNA, "amount_minor": amount_minor, "currency": "RUB"}
    response = await wallet.post("/v1/wallet/deposits", body, caller=OPERATOR)
    assert response.status_code == 201


async def books(wallet: RunningService) -> tuple[list[tuple[object, ...]], dict[object, object]]:
    """The wallet's row, and every account as the sum of its postings."""
    rows = await wallet.rows("select balance_minor, held_minor from wallets")
    sums = await wallet.rows("select account, sum(amount_minor)::bigint from postings group by account")
    return rows, dict(sums)


@pytest.fixture
async def wallet(started: Started) -> RunningService:
    return await started(WALLET, ROUTES)


async def test_money_goes_from_a_deposit_through_a_hold_to_the_shop(wallet: RunningService) -> None:
    await wallet.hears(CustomerRegistered(ANNA, 1))
    await deposit(wallet, 500)
    await wallet.hears(hold("ord_1"))
    await wallet.hears(capture("ord_1"))

    assert wallet.sent == [
        WalletOpened(ANNA, "RUB", 1),
        MoneyHeld("ord_1", 1, 300, "RUB"),
        MoneyCaptured("ord_1", 1, 300, "RUB"),
    ]
    assert await books(wallet) == (
        [(200, 0)],
        {"house:clearing": -500, f"customer:{ANNA}": 200, "house:revenue": 300},
    )


async def test_orders_of_one_batch_share_what_is_available(wallet: RunningService) -> None:
    await deposit(wallet, 1_000)

    await wallet.hears(*(hold(f"ord_{number}") for number in range(10)))

    assert [type(sent) for sent in wallet.sent[1:]] == [MoneyHeld] * 3 + [MoneyRefused] * 7
    assert wallet.sent[-1] == MoneyRefused("ord_9", 1, 300, "RUB", "insufficient_funds", 100)
    assert (await books(wallet))[0] == [(1_000, 900)]


async def test_a_message_that_comes_twice_is_handled_once(wallet: RunningService) -> None:
    await deposit(wallet, 500)
    twice = said(hold("ord_1"))

    await wallet.world.say([twice, twice])
    await wallet.world.say([twice])

    assert wallet.sent[1:] == [MoneyHeld("ord_1", 1, 300, "RUB")]
    assert (await books(wallet))[0] == [(500, 300)]


async def test_a_release_that_overtakes_its_hold_refuses_it_in_the_same_batch_and_later(wallet: RunningService) -> None:
    await deposit(wallet, 500)

    await wallet.hears(release("ord_1"), hold("ord_1"))
    await wallet.hears(hold("ord_1"))

    assert wallet.sent[1:] == [MoneyRefused("ord_1", 1, 300, "RUB", "released")] * 2
    assert (await books(wallet))[0] == [(500, 0)]


async def test_a_capture_of_nothing_goes_to_the_dead_letters_and_the_others_go_on(wallet: RunningService) -> None:
    await deposit(wallet, 500)

    await wallet.hears(capture("ord_unknown"), hold("ord_1"))

    assert wallet.sent[1:] == [MoneyHeld("ord_1", 1, 300, "RUB")]
    assert await wallet.rows("select key, type, status from dead_letters") == [
        ("ord_unknown", "CaptureRequested", "dead")
    ]
