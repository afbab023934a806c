"""The bank's money in the wallet's books: each movement once, however often and in whatever order it is told."""

import pytest

from one_service import OneService
from sagamart.contracts.accounts import CustomerRegistered
from sagamart.contracts.payments import PaymentCaptured, PaymentRefunded, TopUpPaid
from sagamart.contracts.wallet import TopUpCredited, WalletOpened
from sagamart.shop.wallet.records import Posting, Wallet
from sagamart.shop.wallet.service import WALLET

PAID = TopUpPaid("top_1", "cus_1", 500, "RUB")
CREDITED = TopUpCredited("top_1", "cus_1", 500, "RUB")
CAPTURED = PaymentCaptured("ord_1", 1, 300, "RUB")
REFUNDED = PaymentRefunded("ord_1", 1, 100, "RUB", "ref_1")


@pytest.fixture
def wallet() -> OneService:
    return OneService(WALLET)


def books(wallet: OneService) -> dict[str, int]:
    """Every account as the sum of its postings."""
    sums: dict[str, int] = {}
    for posting in wallet.entries(Posting):
        sums[posting.account] = sums.get(posting.account, 0) + posting.amount_minor
    return sums


def test_a_top_up_is_credited_and_confirmed(wallet: OneService) -> None:
    wallet.hears(CustomerRegistered("cus_1", 1), PAID)

    assert wallet.record(Wallet, "cus_1").balance_minor == 500
    assert wallet.sent == [WalletOpened("cus_1", "RUB", 1), CREDITED]
    assert books(wallet) == {"house:bank": -500, "customer:cus_1": 500}


def test_a_top_up_before_the_registration_opens_the_wallet(wallet: OneService) -> None:
    wallet.hears(PAID, CustomerRegistered("cus_1", 1))

    assert wallet.sent == [WalletOpened("cus_1", "RUB", 1), CREDITED]


def test_a_top_up_told_again_is_confirmed_again_and_not_credited_again(wallet: OneService) -> None:
    wallet.hears(PAID, PAID, PAID)

    assert wallet.record(Wallet, "cus_1").balance_minor == 500
    assert wallet.sent[1:] == [CREDITED] * 3


def test_a_top_up_of_another_amount_under_the_same_id_is_a_bug_and_is_not_swallowed(wallet: OneService) -> None:
    wallet.hears(PAID)

    with pytest.raises(AssertionError, match="booked as 500"):
        wallet.hears(TopUpPaid("top_1", "cus_1", 600, "RUB"))


def test_a_top_up_of_another_currency_is_never_exchanged(wallet: OneService) -> None:
    with pytest.raises(AssertionError, match="for a wallet of RUB"):
        wallet.hears(TopUpPaid("top_1", "cus_1", 500, "EUR"))


def test_what_orders_were_paid_through_the_bank_is_in_the_books(wallet: OneService) -> None:
    wallet.hears(CAPTURED, REFUNDED, CAPTURED, REFUNDED, PaymentRefunded("ord_1", 1, 50, "RUB", "ref_2"))

    assert books(wallet) == {"house:bank": -150, "house:revenue": 300, "house:refunds": -150}
