"""The rules of the wallet, each heard by the service's own handlers."""

from itertools import permutations

import pytest

from one_service import AT, OneService
from sagamart.contracts.accounts import CustomerRegistered
from sagamart.contracts.order_requests import CaptureRequested, HoldRequested, RefundRequested, ReleaseRequested
from sagamart.contracts.orders import Line
from sagamart.contracts.wallet import (
    MoneyCaptured,
    MoneyHeld,
    MoneyRefunded,
    MoneyRefused,
    WalletOpened,
)
from sagamart.messaging.decision import NOTHING, Reply
from sagamart.messaging.message import Body
from sagamart.shop.wallet.decide import CurrencyMismatch, InsufficientFunds, WalletState
from sagamart.shop.wallet.messages import DepositMoney, WithdrawMoney
from sagamart.shop.wallet.records import Hold, Posting, Wallet
from sagamart.shop.wallet.service import WALLET, WalletSettings, wallet_service

LINES = (Line(None, "Anything", 1, 300),)


def deposit(amount_minor: int, currency: str = "RUB") -> DepositMoney:
    return DepositMoney("cus_1", amount_minor, currency, "usr_operator")


def withdrawal(amount_minor: int, currency: str = "RUB") -> WithdrawMoney:
    return WithdrawMoney("cus_1", amount_minor, currency, "cus_1")


def hold(total_minor: int = 300, *, order_id: str = "ord_1", attempt: int = 1, currency: str = "RUB") -> HoldRequested:
    return HoldRequested(
        order_id, 3, "pay_pending", "cus_1", attempt, LINES, total_minor, currency, attempt, total_minor
    )


def capture(total_minor: int = 300, *, attempt: int = 1) -> CaptureRequested:
    return CaptureRequested("ord_1", 4, "capturing", "cus_1", attempt, LINES, total_minor, "RUB", attempt, total_minor)


def release(total_minor: int = 300, *, attempt: int = 1) -> ReleaseRequested:
    return ReleaseRequested("ord_1", 4, "cancelled", "cus_1", 1, LINES, total_minor, "RUB", attempt, total_minor)


def refund(amount_minor: int = 100) -> RefundRequested:
    return RefundRequested("ord_1", 5, "completed", "cus_1", 1, LINES, 300, "RUB", 1, amount_minor, "ret_1/1")


def wallet(balance_minor: int) -> OneService:
    """A wallet into which so much was put."""
    service = OneService(WALLET)
    service.hears(CustomerRegistered("cus_1", 1), deposit(balance_minor))
    service.sent.clear()
    return service


def money(service: OneService) -> tuple[int, int]:
    """Balance and held."""
    found = service.record(Wallet, "cus_1")
    return found.balance_minor, found.held_minor


def accounts(service: OneService) -> dict[str, int]:
    """Every account as the sum of its postings."""
    sums: dict[str, int] = {}
    for posting in service.entries(Posting):
        sums[posting.account] = sums.get(posting.account, 0) + posting.amount_minor
    return sums


def test_registration_opens_a_wallet_and_says_so_once() -> None:
    service = OneService(WALLET)

    service.hears(CustomerRegistered("cus_1", 1), CustomerRegistered("cus_1", 1))

    assert service.record(Wallet, "cus_1") == Wallet(1, "cus_1", "RUB")
    assert service.sent == [WalletOpened("cus_1", "RUB", 1)]


def test_a_deposit_before_the_registration_opens_the_wallet_once() -> None:
    service = OneService(WALLET)

    decision = service.hears(deposit(500))
    service.hears(CustomerRegistered("cus_1", 1))

    assert decision.reply == Reply(201, WalletState("cus_1", "RUB", 500, 0, 500))
    assert service.sent == [WalletOpened("cus_1", "RUB", 1)]
    assert money(service) == (500, 0)


def test_a_wallet_opens_in_the_currency_of_the_shop() -> None:
    service = OneService(wallet_service(WalletSettings(currency="EUR")))

    service.hears(CustomerRegistered("cus_1", 1))

    assert service.sent == [WalletOpened("cus_1", "EUR", 1)]


def test_a_deposit_comes_from_the_clearing_account() -> None:
    service = wallet(500)

    assert accounts(service) == {"house:clearing": -500, "customer:cus_1": 500}
    movement_id = service.entries(Posting)[0].movement_id
    assert service.entries(Posting) == [
        Posting(f"{movement_id}/from", movement_id, "deposit", "house:clearing", -500, "RUB", "usr_operator", AT),
        Posting(f"{movement_id}/to", movement_id, "deposit", "customer:cus_1", 500, "RUB", "usr_operator", AT),
    ]


@pytest.mark.parametrize("command", [deposit(100, "EUR"), withdrawal(100, "EUR")], ids=["deposit", "withdrawal"])
def test_money_of_another_currency_is_refused(command: Body) -> None:
    service = wallet(500)

    decision = service.hears(command)

    assert decision.reply == CurrencyMismatch("EUR", "RUB")
    assert money(service) == (500, 0)


def test_a_withdrawal_goes_back_through_the_clearing_account() -> None:
    service = wallet(500)

    decision = service.hears(withdrawal(200))

    assert decision.reply == Reply(201, WalletState("cus_1", "RUB", 300, 0, 300))
    assert accounts(service) == {"house:clearing": -300, "customer:cus_1": 300}


def test_all_that_is_available_can_be_withdrawn() -> None:
    service = wallet(500)
    service.hears(hold(300))

    assert service.hears(withdrawal(200)).reply == Reply(201, WalletState("cus_1", "RUB", 300, 300, 0))


def test_what_one_order_holds_another_cannot() -> None:
    service = wallet(500)
    service.hears(hold(300))

    decision = service.hears(hold(300, order_id="ord_2"))

    assert decision.send == [MoneyRefused("ord_2", 1, 300, "RUB", "insufficient_funds", 200)]
    assert money(service) == (500, 300)


def test_held_money_cannot_be_withdrawn() -> None:
    service = wallet(500)
    service.hears(hold(300))

    decision = service.hears(withdrawal(201))

    assert decision.reply == InsufficientFunds(amount_minor=201, available_minor=200, currency="RUB")
    assert money(service) == (500, 300)


def test_nothing_can_be_withdrawn_from_a_wallet_that_was_never_opened() -> None:
    service = OneService(WALLET)

    assert service.hears(withdrawal(1)).reply == InsufficientFunds(1, 0, "RUB")
    assert service.records(Wallet) == {}


def test_a_hold_takes_what_is_available_to_the_last_unit_and_moves_nothing() -> None:
    service = wallet(300)

    decision = service.hears(hold(300))

    assert decision.send == [MoneyHeld("ord_1", 1, 300, "RUB")]
    assert money(service) == (300, 300)
    assert accounts(service)["customer:cus_1"] == 300


def test_a_hold_of_more_than_is_available_is_refused_with_the_numbers() -> None:
    service = wallet(299)

    decision = service.hears(hold(300))

    assert decision.send == [MoneyRefused("ord_1", 1, 300, "RUB", "insufficient_funds", 299)]
    assert money(service) == (299, 0)


def test_a_hold_in_another_currency_is_refused() -> None:
    decision = wallet(500).hears(hold(300, currency="EUR"))

    assert decision.send == [MoneyRefused("ord_1", 1, 300, "EUR", "currency_mismatch")]


def test_a_hold_of_somebody_without_a_wallet_is_refused() -> None:
    service = OneService(WALLET)

    assert service.hears(hold(300)).send == [MoneyRefused("ord_1", 1, 300, "RUB", "insufficient_funds", 0)]


def test_an_order_that_costs_nothing_is_held_and_captured() -> None:
    service = OneService(WALLET)

    service.hears(hold(0), capture(0))

    assert service.sent == [
        MoneyHeld("ord_1", 1, 0, "RUB"),
        WalletOpened("cus_1", "RUB", 1),
        MoneyCaptured("ord_1", 1, 0, "RUB"),
    ]


def test_the_same_hold_twice_holds_once_and_is_answered_twice() -> None:
    service = wallet(900)

    service.hears(hold(300), hold(300))

    assert service.sent == [MoneyHeld("ord_1", 1, 300, "RUB")] * 2
    assert money(service) == (900, 300)


def test_a_refused_hold_stays_refused_though_money_has_come() -> None:
    service = wallet(100)

    service.hears(hold(300), deposit(900), hold(300))

    assert service.sent == [MoneyRefused("ord_1", 1, 300, "RUB", "insufficient_funds", 100)] * 2
    assert money(service) == (1000, 0)


def test_a_second_attempt_holds_anew() -> None:
    service = wallet(100)
    service.hears(hold(300), deposit(900))

    decision = service.hears(hold(300, attempt=2))

    assert decision.send == [MoneyHeld("ord_1", 2, 300, "RUB")]


def test_a_capture_makes_held_money_the_shops() -> None:
    service = wallet(500)
    service.hears(hold(300))

    decision = service.hears(capture())

    assert decision.send == [MoneyCaptured("ord_1", 1, 300, "RUB")]
    assert money(service) == (200, 0)
    assert accounts(service) == {"house:clearing": -500, "customer:cus_1": 200, "house:revenue": 300}


def test_a_capture_twice_takes_once_and_is_answered_twice() -> None:
    service = wallet(500)

    service.hears(hold(300), capture(), capture())

    assert service.sent[1:] == [MoneyCaptured("ord_1", 1, 300, "RUB")] * 2
    assert accounts(service)["house:revenue"] == 300


def test_a_capture_without_a_hold_is_a_bug() -> None:
    service = wallet(100)
    service.hears(hold(300))

    with pytest.raises(AssertionError, match="without a hold"):
        service.hears(capture())
    with pytest.raises(LookupError):
        service.hears(capture(attempt=2))


def test_a_release_lets_go_of_one_payment_once_and_leaves_the_others() -> None:
    service = wallet(900)
    service.hears(hold(300, attempt=1), hold(300, attempt=2))

    service.hears(release(attempt=2), release(attempt=2))

    assert money(service) == (900, 300)
    assert {row.hold_id: row.status for row in service.records(Hold).values()} == {
        "pay_1-1": "held",
        "pay_1-2": "released",
    }


def test_a_release_of_a_refused_hold_changes_nothing() -> None:
    service = wallet(100)
    service.hears(hold(300))

    assert service.hears(release()) == NOTHING


def test_a_release_that_overtakes_its_hold_refuses_it() -> None:
    service = wallet(900)

    service.hears(release())
    decision = service.hears(hold(300))

    assert decision.send == [MoneyRefused("ord_1", 1, 300, "RUB", "released")]
    assert money(service) == (900, 0)


def test_letting_go_of_what_was_never_held_leaves_only_a_tombstone() -> None:
    service = OneService(WALLET)

    service.hears(release())

    assert service.records(Wallet) == {}
    assert service.record(Hold, "pay_1-1") == Hold(1, "pay_1-1", "ord_1", 1, "cus_1", 300, "RUB", "released")


def test_letting_go_of_what_was_captured_is_a_bug() -> None:
    service = wallet(500)
    service.hears(hold(300), capture())

    with pytest.raises(AssertionError, match="money has been taken"):
        service.hears(release())


def test_a_refund_is_the_customers_again_once_and_is_answered_as_often_as_it_is_asked_for() -> None:
    service = wallet(500)
    service.hears(hold(300), capture())
    service.sent.clear()

    service.hears(refund(), refund())

    assert service.sent == [MoneyRefunded("ord_1", 1, 100, "RUB", "ret_1/1", "cus_1")] * 2
    assert money(service) == (300, 0)
    assert accounts(service) == {
        "house:clearing": -500,
        "customer:cus_1": 300,
        "house:revenue": 300,
        "house:refunds": -100,
    }


def test_a_refund_to_somebody_without_a_wallet_opens_it() -> None:
    service = OneService(WALLET)

    service.hears(refund())

    assert [type(sent) for sent in service.sent] == [WalletOpened, MoneyRefunded]
    assert money(service) == (100, 0)


@pytest.mark.parametrize("heard", sorted(set(permutations(["hold", "hold", "release", "release"]))), ids="-".join)
def test_any_order_and_doubling_of_a_hold_and_its_release_ends_the_same(heard: tuple[str, ...]) -> None:
    service = wallet(500)
    said: dict[str, Body] = {"hold": hold(300), "release": release()}

    service.hears(*(said[name] for name in heard))

    assert money(service) == (500, 0)
    assert {key: row.status for key, row in service.records(Hold).items()} == {"pay_1-1": "released"}


@pytest.mark.parametrize(
    "heard",
    [order for order in sorted(set(permutations(["hold", "hold", "capture", "capture"]))) if order[0] == "hold"],
    ids="-".join,
)
def test_any_doubling_of_a_hold_and_its_capture_ends_the_same(heard: tuple[str, ...]) -> None:
    service = wallet(500)
    said: dict[str, Body] = {"hold": hold(300), "capture": capture()}

    service.hears(*(said[name] for name in heard))

    assert money(service) == (200, 0)
    assert accounts(service) == {"house:clearing": -500, "customer:cus_1": 200, "house:revenue": 300}
    assert set(map(type, service.sent)) == {MoneyHeld, MoneyCaptured}
