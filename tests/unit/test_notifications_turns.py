"""Every turn of an order is told: in the list by each of its turns, by one letter where it matters."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from one_service import OneService
from sagamart.contracts.order_requests import BankCaptureRequested, ShipmentRequested
from sagamart.contracts.orders import (
    AddressNotChanged,
    Delivery,
    Line,
    OrderCancelled,
    OrderChangeUndone,
    OrderCompleted,
    OrderPlaced,
    OrderReturned,
    OrderRevived,
    PaymentAwaited,
    PaymentStarted,
    PaymentWindowExpired,
    ShortLine,
)
from sagamart.contracts.payments import PaymentRefunded
from sagamart.contracts.shipping import ShipmentHandedOver, ShipmentPending
from sagamart.contracts.wallet import MoneyRefunded
from sagamart.messaging.message import Body
from sagamart.platform.http import Language
from sagamart.shop.notifications.records import Dispatch, Kind, Notification
from sagamart.shop.notifications.service import NotificationRules, notifications_service
from sagamart.shop.notifications.turns import facts_of
from sagamart.shop.notifications.words import words

SAME = ("cus_1", 1, (), 135_000, "RUB")
PLACED = OrderPlaced("ord_1", 1, "new", *SAME)
AWAITED = PaymentAwaited("ord_1", 2, "booked", *SAME, 135_000, 300)
STARTED = PaymentStarted("ord_1", 3, "pay_pending", *SAME, 1, "bank", 100_000)
PARTLY = PaymentAwaited("ord_1", 4, "partially_paid", *SAME, 35_000, 300)
EXPIRED = PaymentWindowExpired("ord_1", 5, "cancelled", *SAME)
CAPTURING = BankCaptureRequested("ord_1", 5, "capturing", *SAME, 1, 100_000)
THE_OTHER_CARD = BankCaptureRequested("ord_1", 5, "capturing", *SAME, 2, 35_000)
PAID = ShipmentRequested("ord_1", 6, "paid", *SAME, Delivery("post", 500, needs_shipment=True))
PENDING = ShipmentPending("ord_1", "shp_1", "cus_1")
SHIPPED = ShipmentHandedOver("ord_1", "shp_1", "RA1RU", "cus_1")
COMPLETED = OrderCompleted("ord_1", 8, "completed", *SAME)
CANCELLED = OrderCancelled("ord_1", 5, "cancelled", *SAME, "payment_timeout")
UNDONE = OrderChangeUndone(
    "ord_1", 4, "booking_pending", "cus_1", 3, (), 90_000, "RUB", (Line("CUP", "Blue cup", 4, 45_000),),
    (ShortLine("CUP", 4, 3),),
)  # fmt: skip
NOT_COUNTED = replace(UNDONE, short=(), promo="total_too_low")
KEPT = AddressNotChanged("ord_1", 7, "shipping_pending", *SAME, "not_here")
REVIVED = OrderRevived("ord_1", 6, "pay_pending", "cus_1", 2, (), 135_000, "RUB")
RETURNED = OrderReturned("ord_1", 9, "completed", *SAME, "ret_1", (), 45_000)
REFUNDED = MoneyRefunded("ord_1", 1, 35_000, "RUB", "ret_1/1", "cus_1")
TO_CARD = PaymentRefunded("ord_1", 2, 10_000, "RUB", "ret_1/2", "cus_1")
TO_THE_MONEY = (PLACED, AWAITED, STARTED, PARTLY, CAPTURING, THE_OTHER_CARD)
A_LONG_WAY = (*TO_THE_MONEY, PAID, PENDING, SHIPPED, COMPLETED, RETURNED, REFUNDED, TO_CARD)


def told(*bodies: Body) -> OneService:
    service = OneService(notifications_service(NotificationRules(("email",))))
    service.hears(*bodies)
    return service


def test_every_status_that_an_order_takes_is_in_the_list() -> None:
    assert list(told(*A_LONG_WAY).records(Notification)) == [
        "ord_1/order_placed",
        "ord_1/payment_awaited/2",
        "ord_1/payment_started/1",
        "ord_1/payment_awaited/4",
        "ord_1/order_capturing",
        "ord_1/order_paid",
        "ord_1/shipping_pending",
        "ord_1/order_shipped",
        "ord_1/order_completed",
        "ord_1/order_returned/ret_1",
        "ord_1/order_refunded/ret_1/1",
        "ord_1/order_refunded/ret_1/2",
    ]


def test_letters_go_out_at_the_turns_that_matter_and_once_however_often_it_waits_for_payment() -> None:
    assert list(told(*A_LONG_WAY, *A_LONG_WAY).records(Dispatch)) == [
        "ord_1/payment_awaited/email",
        "ord_1/order_paid/email",
        "ord_1/order_shipped/email",
        "ord_1/order_completed/email",
        "ord_1/order_refunded/ret_1/1/email",
        "ord_1/order_refunded/ret_1/2/email",
    ]


def test_an_order_that_was_not_paid_in_time_is_told_by_one_letter() -> None:
    assert list(told(EXPIRED, CANCELLED).records(Dispatch)) == ["ord_1/order_cancelled/email"]


def test_an_order_that_was_revived_and_is_cancelled_again_is_told_again() -> None:
    again = OrderCancelled("ord_1", 9, "cancelled", "cus_1", 2, (), 135_000, "RUB", "stock_refused")

    assert list(told(CANCELLED, REVIVED, again, REVIVED, again).records(Dispatch)) == [
        "ord_1/order_cancelled/email",
        "ord_1/order_revived/2/email",
        "ord_1/order_cancelled/2/email",
    ]


def test_what_could_not_be_changed_is_told_once_by_a_letter() -> None:
    service = told(UNDONE, KEPT, UNDONE, KEPT)

    assert list(service.records(Notification)) == ["ord_1/order_change_undone/3", "ord_1/address_not_changed/7"]
    assert list(service.records(Dispatch)) == [
        "ord_1/order_change_undone/3/email",
        "ord_1/address_not_changed/7/email",
    ]


def test_an_order_that_was_changed_asks_for_its_payment_by_another_letter() -> None:
    changed = PaymentAwaited("ord_1", 5, "booked", "cus_1", 2, (), 90_000, "RUB", 90_000, 300)

    assert list(told(AWAITED, changed).records(Dispatch)) == [
        "ord_1/payment_awaited/email",
        "ord_1/payment_awaited/2/email",
    ]


def test_a_shipment_that_is_asked_for_every_day_is_told_once() -> None:
    service = told(PAID, PENDING)

    service.hears(PAID, PENDING, PAID)

    assert list(service.records(Dispatch)) == ["ord_1/order_paid/email"]


def test_whatever_comes_first_the_list_is_the_same() -> None:
    for heard in permutations((AWAITED, PARTLY, PAID, PARTLY, PAID)):
        assert sorted(told(*heard).records(Notification)) == [
            "ord_1/order_paid",
            "ord_1/payment_awaited/2",
            "ord_1/payment_awaited/4",
        ]
        assert sorted(told(*heard).records(Dispatch)) == ["ord_1/order_paid/email", "ord_1/payment_awaited/email"]


def test_a_fact_of_an_older_version_that_names_no_customer_is_told_to_nobody() -> None:
    assert told(ShipmentHandedOver("ord_1", "shp_1")).records(Notification) == {}


@pytest.mark.parametrize(
    ("kind", "body", "language", "text"),
    [
        (
            "payment_awaited",
            PARTLY,
            "en",
            "Please pay ₽350.00 for order ord_1 within 5 min, or it will be cancelled.",
        ),
        ("payment_started", STARTED, "en", "You are paying ₽1,000.00 for order ord_1 by card."),
        ("payment_started", STARTED, "ru", "Вы оплачиваете 1 000,00 ₽ за заказ ord_1 картой."),
        ("order_paid", PAID, "ru", "Деньги за заказ ord_1 получены: 1 350,00 ₽. Теперь мы готовим его к отправке."),
        (
            "order_shipped",
            SHIPPED,
            "en",
            "The carrier has the parcel with order ord_1. Its tracking number is RA1RU.",
        ),
        ("order_returned", RETURNED, "en", "What you sent back of order ord_1 is here. You get back ₽450.00."),
        (
            "order_revived",
            REVIVED,
            "en",
            "Your payment for order ord_1 has come after all: ₽1,350.00. The order goes on.",
        ),
        (
            "order_change_undone",
            UNDONE,
            "en",
            (
                "Order ord_1 is what it was before: ₽900.00."
                " There is not enough in stock: “Blue cup” — you wanted 4, we have 3."
            ),
        ),
        (
            "order_change_undone",
            NOT_COUNTED,
            "ru",
            "Заказ ord_1 остался прежним, на сумму 900,00 ₽. Промокод не действует: сумма заказа для него мала.",
        ),
        (
            "address_not_changed",
            KEPT,
            "en",
            "The parcel with order ord_1 goes where it was to go. The carrier had it already.",
        ),
        ("order_refunded", REFUNDED, "en", "We have returned ₽350.00 for order ord_1 to your wallet."),
        ("order_refunded", TO_CARD, "ru", "Мы вернули 100,00 ₽ за заказ ord_1 на карту, с которой вы платили."),
    ],
)
def test_each_turn_says_what_its_reader_can_act_on(kind: Kind, body: Body, language: Language, text: str) -> None:
    assert words(kind, facts_of(body), language).text.replace("\u00a0", " ") == text
