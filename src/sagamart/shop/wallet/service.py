"""The wallet as a service: which records each message needs, and which rule decides."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from sagamart.contracts.accounts import CustomerRegistered
from sagamart.contracts.order_requests import CaptureRequested, HoldRequested, RefundRequested, ReleaseRequested
from sagamart.contracts.payments import PaymentCaptured, PaymentRefunded, TopUpPaid
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld, MoneyRefunded, MoneyRefused, TopUpCredited, WalletOpened
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.wallet.clearing import bank_captured, bank_refunded, credit, refund, refund_key
from sagamart.shop.wallet.decide import (
    capture,
    deposit,
    hold,
    register,
    release,
    withdraw,
)
from sagamart.shop.wallet.messages import DepositMoney, WithdrawMoney
from sagamart.shop.wallet.records import CLEARINGS, HOLDS, POSTINGS, WALLETS, Clearing, Hold, Wallet


class WalletSettings(msgspec.Struct, frozen=True):
    """What a shop decides about its wallets.  They are opened in `currency` (ISO 4217)."""

    currency: str = "RUB"
    customers_may_deposit: bool = False


def _wallet(message: Message[Any]) -> Sequence[Need]:
    return (need(Wallet, message.body.customer_id),)


def _payment(message: Message[Any]) -> Sequence[Need]:
    return need(Hold, message.body.payment_id), need(Wallet, message.body.customer_id)


Find = Callable[[Records, Message[Any]], Wallet]
"""Finds the wallet that a message is about, opened or not."""


def wallet_service(settings: WalletSettings) -> Service:
    """The wallet of a shop with these settings."""

    def wallet(have: Records, message: Message[Any]) -> Wallet:
        customer_id = message.body.customer_id
        return have.find(Wallet, customer_id) or Wallet(0, customer_id, settings.currency)

    return Service(
        "wallet",
        tables=(HOLDS, CLEARINGS, WALLETS, POSTINGS),
        migrations="sagamart.shop.wallet.migrations",
        handlers=(*_of_customers(wallet), *_of_orders(wallet), *_OF_THE_BANK),
    )


def _of_customers(wallet: Find) -> Sequence[Handler[Any]]:
    return (
        Handler(
            takes=CustomerRegistered,
            needs=_wallet,
            decide=lambda m, have: register(wallet(have, m)),
            emits=(WalletOpened,),
        ),
        Handler(
            takes=DepositMoney,
            needs=_wallet,
            decide=lambda m, have: deposit(m, wallet(have, m)),
            emits=(WalletOpened,),
        ),
        Handler(
            takes=WithdrawMoney,
            needs=_wallet,
            decide=lambda m, have: withdraw(m, wallet(have, m)),
        ),
        Handler(
            takes=TopUpPaid,
            needs=lambda m: (need(Clearing, m.body.top_up_id), *_wallet(m)),
            decide=lambda m, have: credit(m, have.find(Clearing, m.body.top_up_id), wallet(have, m)),
            emits=(TopUpCredited, WalletOpened),
        ),
    )


def _of_orders(wallet: Find) -> Sequence[Handler[Any]]:
    return (
        Handler(
            takes=HoldRequested,
            needs=_payment,
            decide=lambda m, have: hold(m.body, have.find(Hold, m.body.payment_id), wallet(have, m)),
            emits=(MoneyHeld, MoneyRefused, WalletOpened),
        ),
        Handler(
            takes=CaptureRequested,
            needs=_payment,
            decide=lambda m, have: capture(m, have.get(Hold, m.body.payment_id), have.get(Wallet, m.body.customer_id)),
            emits=(MoneyCaptured,),
        ),
        Handler(
            takes=ReleaseRequested,
            needs=_payment,
            decide=lambda m, have: release(m.body, have.find(Hold, m.body.payment_id), wallet(have, m)),
        ),
        Handler(
            takes=RefundRequested,
            needs=lambda m: (need(Clearing, m.body.refund_id), *_wallet(m)),
            decide=lambda m, have: refund(m, have.find(Clearing, m.body.refund_id), wallet(have, m)),
            emits=(MoneyRefunded, WalletOpened),
        ),
    )


_OF_THE_BANK: Sequence[Handler[Any]] = (
    Handler(
        takes=PaymentCaptured,
        needs=lambda m: (need(Clearing, m.body.payment_id),),
        decide=lambda m, have: bank_captured(m, have.find(Clearing, m.body.payment_id)),
    ),
    Handler(
        takes=PaymentRefunded,
        needs=lambda m: (need(Clearing, refund_key(m.body)),),
        decide=lambda m, have: bank_refunded(m, have.find(Clearing, refund_key(m.body))),
    ),
)

WALLET = wallet_service(WalletSettings())
"""The wallet of a shop that sets nothing."""
