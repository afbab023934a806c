"""An order as people and programs see it over the API.

Beside the exact status it says the same in two simpler vocabularies, `stage` and `state`, each a stable code with a
text in the reader's language.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec.structs import replace

from sagamart.contracts.order_numbers import number_of
from sagamart.contracts.orders import (
    Address,
    CancelReason,
    Delivery,
    PaymentSource,
    ReturnedLine,
    ShortLine,
    Status,
    payment_id,
)
from sagamart.contracts.promotions import PromoRefusal
from sagamart.contracts.wallet import HoldRefusal
from sagamart.shop.orders.messages import Language
from sagamart.shop.orders.money import Counted, Standing, counting, payments_of, sum_of
from sagamart.shop.orders.paying import lapses_at
from sagamart.shop.orders.reasons import ENDS, KEPT, Texts, reason_text, unmet_text
from sagamart.shop.orders.records import Order, Shortfall
from sagamart.shop.orders.returning import pieces_by_line

Stage = Literal["accepted", "awaiting_payment", "processing", "created", "cancelled"]
State = Literal["created", "in_progress", "fulfilled", "cancelled"]

STAGES: Mapping[Stage, Texts] = {
    "accepted": {"en": "accepted", "ru": "принят в обработку"},
    "awaiting_payment": {"en": "awaiting payment", "ru": "ждёт оплаты"},
    "processing": {"en": "processing", "ru": "обрабатывается"},
    "created": {"en": "created", "ru": "создан"},
    "cancelled": {"en": "cancelled", "ru": "отменён"},
}
STATES: Mapping[State, Texts] = {
    "created": {"en": "created", "ru": "создан"},
    "in_progress": {"en": "in progress", "ru": "в обработке"},
    "fulfilled": {"en": "fulfilled", "ru": "выполнен"},
    "cancelled": {"en": "cancelled", "ru": "отменен"},
}
WORDS: Mapping[Status, tuple[Stage, State]] = {
    "new": ("accepted", "created"),
    "booking_pending": ("accepted", "created"),
    "checked": ("awaiting_payment", "created"),
    "booked": ("awaiting_payment", "created"),
    "pay_pending": ("processing", "created"),
    "partially_paid": ("awaiting_payment", "created"),
    "capturing": ("processing", "created"),
    "paid": ("created", "in_progress"),
    "shipping_pending": ("created", "in_progress"),
    "completed": ("created", "fulfilled"),
    "cancelled": ("cancelled", "cancelled"),
    "returned": ("cancelled", "cancelled"),
}
"""The stage and the state of each status."""


class Word(msgspec.Struct, frozen=True):
    """A stable code, and its text for people."""

    code: str
    text: str


_STAGE_WORDS = {
    (code, language): Word(code, text) for code, texts in STAGES.items() for language, text in texts.items()
}
_STATE_WORDS = {
    (code, language): Word(code, text) for code, texts in STATES.items() for language, text in texts.items()
}


class LineView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line.  `amount_minor` = quantity * price.

    How far its pieces are: `booked`, so many has stock set aside for it, or given out to it since; `shipped`, so many
    have been handed over to a carrier; `returned`, so many are back.  What is left out is 0.
    """

    sku: str | None
    title: str
    quantity: int
    price_minor: int
    amount_minor: int
    booked: int = 0
    shipped: int = 0
    returned: int = 0


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an order was cancelled, and what it lacked."""

    code: CancelReason
    text: str
    short: tuple[ShortLine, ...] = ()
    money: HoldRefusal | None = None
    available_minor: int | None = None
    promo: PromoRefusal | None = None


class Unchanged(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change that was wished and did not come about, and why: of the lines, or of the parcel's address."""

    what: Literal["lines", "address"]
    text: str
    short: tuple[ShortLine, ...] = ()
    promo: PromoRefusal | None = None


PaymentState = Literal["started", "held", "captured", "ended", "refunded"]


class PaymentView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A payment of an order.  `redirect_url` is the bank's page, where the customer is to confirm it.

    `reason`: why it came to nothing, where the bank or the wallet said so.
    """

    id: str
    source: PaymentSource
    amount_minor: int
    state: PaymentState
    redirect_url: str | None = None
    reason: Word | None = None


class ReturnView(msgspec.Struct, frozen=True):
    """Pieces that come back; once they are here, `refunded_minor` is what was given for them."""

    id: str
    lines: tuple[ReturnedLine, ...]
    received: bool
    refunded_minor: int


class OrderView(msgspec.Struct, frozen=True):
    """An order as of `version`; times are RFC 3339 in UTC.

    `due_minor` is what is neither paid nor being paid, `pay_by` when it is cancelled where nobody starts a payment.
    `stopping`: it is cancelled once its shipment has been stopped.  `elsewhere`: its parcel is to go there instead,
    once shipping says that it still can.  `unchanged`: the last wishes for other lines or another address that did not
    come about.
    """

    id: str
    number: str
    status: Status
    stage: Word
    state: Word
    customer_id: str
    lines: tuple[LineView, ...]
    total_minor: int
    currency: str
    due_minor: int
    discount_minor: int
    promo_code: str | None
    delivery: Delivery | None
    payments: tuple[PaymentView, ...]
    returns: tuple[ReturnView, ...]
    stopping: bool
    elsewhere: Address | None
    unchanged: tuple[Unchanged, ...]
    reason: Reason | None
    placed_at: datetime
    changed_at: datetime
    pay_by: datetime | None
    version: int


def view(order: Order, language: Language) -> OrderView:
    """An order in this language."""
    stage, state = WORDS[order.status]
    payments = payments_of(order)
    return OrderView(
        id=order.order_id,
        number=number_of(order.order_id),
        status=order.status,
        stage=_STAGE_WORDS[stage, language],
        state=_STATE_WORDS[state, language],
        customer_id=order.customer_id,
        lines=tuple(
            [
                LineView(line.sku, line.title, line.quantity, line.price_minor, line.quantity * line.price_minor)
                for line in order.lines
            ]
            if not order.known
            else _items(order)
        ),
        total_minor=order.total_minor,
        currency=order.currency,
        due_minor=order.total_minor - sum_of(counting(payments)) if order.reason is None else 0,
        discount_minor=order.plan.discount_minor,
        promo_code=order.plan.promo_code,
        delivery=order.plan.delivery,
        payments=tuple([_payment(order, one, language) for one in payments]),
        returns=tuple(
            [
                ReturnView(one.return_id, one.lines, one.arrival in order.known, sum(share for _, share in one.shares))
                for one in order.returns
            ]
        ),
        stopping=order.plan.stopping is not None and order.reason is None,
        elsewhere=order.plan.elsewhere,
        unchanged=_unchanged(order, language),
        reason=_reason(order, language),
        placed_at=order.placed_at,
        changed_at=order.changed_at,
        pay_by=_pay_by(order) if stage == "awaiting_payment" else None,
        version=order.version,
    )


def _items(order: Order) -> list[LineView]:
    """The lines, with how far their pieces are."""
    is_booked = order.reason is None and order.knows("booked")
    is_shipped = order.shipment("handed_over", "delivered")
    back = pieces_by_line(line for one in order.returns if one.arrival in order.known for line in one.lines)
    return [
        LineView(
            line.sku,
            line.title,
            line.quantity,
            line.price_minor,
            line.quantity * line.price_minor,
            line.quantity if is_booked and line.sku is not None else 0,
            line.quantity if is_shipped else 0,
            back[place],
        )
        for place, line in enumerate(order.lines)
    ]


def _pay_by(order: Order) -> datetime:
    window = order.changed_at + timedelta(seconds=order.plan.window_left_s)
    lapse = lapses_at(order)
    return window if lapse is None else min(window, lapse)


def _payment(order: Order, one: Counted, language: Language) -> PaymentView:
    payment = one.payment
    lost = payment.over or order.reason is not None
    state = (_LOST if lost else _COUNTED)[one.standing]
    url = payment.redirect_url if state == "started" else None
    shown = PaymentView(payment_id(order.order_id, one.number), payment.source, payment.amount_minor, state, url)
    why = order.shortfall and order.shortfall.end_of(one.number)
    return replace(shown, reason=Word(why, ENDS[why][language])) if why else shown


_COUNTED: Mapping[Standing, PaymentState] = {
    "in_flight": "started",
    "held": "held",
    "captured": "captured",
    "ended": "ended",
}
_LOST: Mapping[Standing, PaymentState] = {
    "in_flight": "ended",
    "held": "ended",
    "captured": "refunded",
    "ended": "ended",
}


def _reason(order: Order, language: Language) -> Reason | None:
    if order.reason is None:
        return None
    lacked = order.shortfall or Shortfall()
    text = reason_text(order.reason, lacked.promo, language)
    return Reason(order.reason, text, lacked.short, lacked.money, lacked.available_minor, lacked.promo)


def _unchanged(order: Order, language: Language) -> tuple[Unchanged, ...]:
    unmet, kept = order.plan.unmet, order.plan.kept
    if order.reason is not None or (unmet is None and kept is None):
        return ()
    lines = () if unmet is None else (Unchanged("lines", unmet_text(unmet.promo, language), unmet.short, unmet.promo),)
    return lines if kept is None else (*lines, Unchanged("address", KEPT[kept][language]))


def link_to(order_id: str) -> str:
    """Where an order is."""
    return f"/v1/orders/{order_id}"


def statuses_of(stage: Stage | None = None, state: State | None = None) -> tuple[Status, ...]:
    """The statuses of this stage and this state; of any where None."""
    return tuple(status for status, words in WORDS.items() if stage in {None, words[0]} and state in {None, words[1]})


def statuses_named(word: str) -> tuple[Status, ...]:
    """The statuses that a word means, as a status, stage or state, by its code or in whichever language; maybe none."""
    sought = _plain(word)
    return tuple(
        status
        for status, (stage, state) in WORDS.items()
        if sought in {status, stage, state, *map(_plain, (*STAGES[stage].values(), *STATES[state].values()))}
    )


def _plain(word: str) -> str:
    return word.strip().lower().replace("ё", "е")
