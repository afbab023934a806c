"""The rules of the wallet.  Each takes a message and the records that it asked for, and says what follows.

- available = balance - held >= 0, here and by a constraint of the table.
- Every movement of money is two postings that sum to zero.  A hold moves nothing.
- A payment holds once, for ever: a repeated request gets the earlier answer from its row, and a release that overtakes
  its hold leaves a row that refuses it when it comes.
- A wallet opens with whatever touches it first, a registration or a deposit, and says so once.
- Money of another currency is refused, never exchanged.
"""

from typing import ClassVar, assert_never

import msgspec

from sagamart.contracts.order_requests import CaptureRequested, HoldRequested, ReleaseRequested
from sagamart.contracts.wallet import (
    HoldRefusal,
    MoneyCaptured,
    MoneyHeld,
    MoneyRefused,
    WalletOpened,
)
from sagamart.messaging.decision import NOTHING, Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.wallet.messages import DepositMoney, MoneyCommand, WithdrawMoney
from sagamart.shop.wallet.records import (
    HOUSE_CLEARING,
    HOUSE_REVENUE,
    Hold,
    HoldStatus,
    Movement,
    MovementKind,
    Wallet,
    customer_account,
)


class WalletState(msgspec.Struct, frozen=True):
    """What a customer sees of a wallet, in minor units."""

    customer_id: str
    currency: str
    balance_minor: int
    held_minor: int
    available_minor: int


class InsufficientFunds(Refusal, frozen=True):
    """Nobody can take more than is available."""

    title: ClassVar[str] = "The wallet does not have that much available"

    amount_minor: int
    available_minor: int
    currency: str


class CurrencyMismatch(Refusal, frozen=True):
    """A wallet has one currency."""

    title: ClassVar[str] = "The wallet has another currency"

    currency: str
    wallet_currency: str


def register(wallet: Wallet) -> Decision:
    """A customer has registered: the wallet opens, unless a deposit has opened it before."""
    if wallet.version:
        return NOTHING
    return Decision(save=[wallet.change()], send=_opening(wallet))


def deposit(message: Message[DepositMoney], wallet: Wallet) -> Decision:
    """Money comes in from outside."""
    body = message.body
    if body.currency != wallet.currency:
        return Decision(reply=CurrencyMismatch(body.currency, wallet.currency))

    # From here the deposit must succeed.
    after = wallet.change(balance_minor=body.amount_minor)
    postings = _outside(message, "deposit").postings(HOUSE_CLEARING, customer_account(body.customer_id))
    return Decision(save=[after, *postings], send=_opening(wallet), reply=Reply(201, state(after)))


def withdraw(message: Message[WithdrawMoney], wallet: Wallet) -> Decision:
    """Money goes out, as far as no order holds it."""
    body = message.body
    if body.currency != wallet.currency:
        return Decision(reply=CurrencyMismatch(body.currency, wallet.currency))
    if wallet.available_minor < body.amount_minor:
        return Decision(reply=InsufficientFunds(body.amount_minor, wallet.available_minor, wallet.currency))

    # From here the withdrawal must succeed.
    after = wallet.change(balance_minor=-body.amount_minor)
    postings = _outside(message, "withdrawal").postings(customer_account(body.customer_id), HOUSE_CLEARING)
    return Decision(save=[after, *postings], reply=Reply(201, state(after)))


def hold(message: HoldRequested, earlier: Hold | None, wallet: Wallet) -> Decision:
    """Hold the amount of this payment, or nothing."""
    if earlier is not None:
        return Decision(send=[_answer(earlier)])  # held, refused, captured or released before: say so again

    if message.currency != wallet.currency:
        refused = _made(message, "refused", "currency_mismatch")
        return Decision(save=[refused], send=[_answer(refused)])
    if wallet.available_minor < message.amount_minor:
        refused = _made(message, "refused", "insufficient_funds", wallet.available_minor)
        return Decision(save=[refused], send=[_answer(refused)])

    # From here the hold must succeed.
    held = _made(message, "held")
    return Decision(save=[held, wallet.change(held_minor=held.amount_minor)], send=[_answer(held), *_opening(wallet)])


def capture(message: Message[CaptureRequested], held: Hold, wallet: Wallet) -> Decision:
    """What this payment holds becomes the shop's.  It cannot be refused."""
    captured = MoneyCaptured(held.order_id, held.payment, held.amount_minor, held.currency)
    match held.status:
        case "captured":
            return Decision(send=[captured])
        case "held":
            amount = held.amount_minor
            taken = Movement(held.hold_id, "capture", amount, held.currency, held.order_id, message.at)
            return Decision(
                save=[
                    _ended(held, "captured"),
                    wallet.change(balance_minor=-amount, held_minor=-amount),
                    *taken.postings(customer_account(held.customer_id), HOUSE_REVENUE),
                ],
                send=[captured],
            )
        case "refused" | "released":
            raise AssertionError(f"{held.hold_id} is to be captured without a hold: it is {held.status}")
        case _:
            assert_never(held.status)


def release(message: ReleaseRequested, earlier: Hold | None, wallet: Wallet) -> Decision:
    """Let go what this payment holds; refuse in advance a hold that has not been asked for yet."""
    if earlier is None:
        return Decision(save=[_made(message, "released")])
    match earlier.status:
        case "held":
            return Decision(save=[_ended(earlier, "released"), wallet.change(held_minor=-earlier.amount_minor)])
        case "refused" | "released":
            return NOTHING
        case "captured":
            raise AssertionError(f"{earlier.hold_id} is to be let go, but its money has been taken")
        case _:
            assert_never(earlier.status)


def state(wallet: Wallet) -> WalletState:
    """A wallet as its owner sees it."""
    return WalletState(
        wallet.customer_id, wallet.currency, wallet.balance_minor, wallet.held_minor, wallet.available_minor
    )


def _opening(before: Wallet) -> list[WalletOpened]:
    return [] if before.version else [WalletOpened(before.customer_id, before.currency, 1)]


def _made(
    message: HoldRequested | ReleaseRequested,
    status: HoldStatus,
    refusal: HoldRefusal | None = None,
    available_minor: int = 0,
) -> Hold:
    return Hold(
        1,
        message.payment_id,
        message.order_id,
        message.payment,
        message.customer_id,
        message.amount_minor,
        message.currency,
        status,
        refusal,
        available_minor,
    )


def _ended(held: Hold, status: HoldStatus) -> Hold:
    return msgspec.structs.replace(held, version=held.version + 1, status=status)


def _answer(made: Hold) -> MoneyHeld | MoneyRefused:
    about = (made.order_id, made.payment, made.amount_minor, made.currency)
    match made.status:
        case "held" | "captured":
            return MoneyHeld(*about)
        case "refused" if made.refusal is not None:
            return MoneyRefused(*about, made.refusal, made.available_minor)
        case "refused" | "released":
            return MoneyRefused(*about, "released")
        case _:
            assert_never(made.status)


def _outside(message: Message[MoneyCommand], kind: MovementKind) -> Movement:
    body = message.body
    return Movement(message.id, kind, body.amount_minor, body.currency, body.by, message.at)
