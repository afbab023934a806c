"""The wallet as a service: which records each message needs, and which rule decides."""

from collections.abc import Sequence
from typing import Any

import msgspec

from sagamart.contracts.accounts import CustomerRegistered
from sagamart.contracts.order_requests import CaptureRequested, HoldRequested
from sagamart.contracts.orders import OrderCancelled
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld, MoneyRefused, WalletOpened
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.wallet.decide import capture, deposit, hold, hold_ids, register, release, withdraw
from sagamart.shop.wallet.messages import DepositMoney, WithdrawMoney
from sagamart.shop.wallet.records import HOLDS, POSTINGS, WALLETS, Hold, Wallet


class WalletSettings(msgspec.Struct, frozen=True):
    """What a shop decides about its wallets.  They are opened in `currency` (ISO 4217)."""

    currency: str = "RUB"
    customers_may_deposit: bool = False


def _payment(message: Message[HoldRequested] | Message[CaptureRequested]) -> Sequence[Need]:
    return need(Hold, message.body.payment_id), need(Wallet, message.body.customer_id)


def wallet_service(settings: WalletSettings) -> Service:
    """The wallet of a shop with these settings."""

    def wallet(have: Records, message: Message[Any]) -> Wallet:
        customer_id = message.body.customer_id
        return have.find(Wallet, customer_id) or Wallet(0, customer_id, settings.currency)

    return Service(
        "wallet",
        tables=(HOLDS, WALLETS, POSTINGS),
        migrations="sagamart.shop.wallet.migrations",
        handlers=(
            Handler(
                takes=CustomerRegistered,
                needs=lambda m: (need(Wallet, m.body.customer_id),),
                decide=lambda m, have: register(wallet(have, m)),
                emits=(WalletOpened,),
            ),
            Handler(
                takes=DepositMoney,
                needs=lambda m: (need(Wallet, m.body.customer_id),),
                decide=lambda m, have: deposit(m, wallet(have, m)),
                emits=(WalletOpened,),
            ),
            Handler(
                takes=WithdrawMoney,
                needs=lambda m: (need(Wallet, m.body.customer_id),),
                decide=lambda m, have: withdraw(m, wallet(have, m)),
            ),
            Handler(
                takes=HoldRequested,
                needs=_payment,
                decide=lambda m, have: hold(m.body, have.find(Hold, m.body.payment_id), wallet(have, m)),
                emits=(MoneyHeld, MoneyRefused, WalletOpened),
            ),
            Handler(
                takes=CaptureRequested,
                needs=_payment,
                decide=lambda m, have: capture(
                    m, have.get(Hold, m.body.payment_id), have.get(Wallet, m.body.customer_id)
                ),
                emits=(MoneyCaptured,),
            ),
            Handler(
                takes=OrderCancelled,
                needs=lambda m: (need(Hold, *hold_ids(m.body)), need(Wallet, m.body.customer_id)),
                decide=lambda m, have: release(m.body, have.all(Hold), wallet(have, m)),
            ),
        ),
    )


WALLET = wallet_service(WalletSettings())
"""The wallet of a shop that sets nothing."""
