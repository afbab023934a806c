"""What the timeline writes down: everything about an order, and nothing personal."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pkgutil import iter_modules

import msgspec
import pytest

from sagamart import contracts
from sagamart.contracts.order_requests import BookingRequested, HoldRequested, ShipmentRequested
from sagamart.contracts.orders import Address, Delivery, Line, OrderEnd, OrderPaid
from sagamart.contracts.payments import PaymentRedirected
from sagamart.contracts.shipping import ShipmentHandedOver
from sagamart.contracts.wallet import MoneyHeld
from sagamart.messaging.message import Body, Message
from sagamart.shop.timeline.decide import write_down
from sagamart.shop.timeline.heard import CUT, ELSEWHERE, HARMLESS, HEARD, PERSONAL
from sagamart.shop.timeline.records import StoryEntry
from sagamart.shop.timeline.service import TIMELINE, TimelineRules, timeline_service
from sagamart.shop.timeline.words import WORDS, words

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEPT = timedelta(days=90)
LINES = (Line(None, "To Ann with love", 1, 5_000), Line("CUP", "Blue cup", 2, 45_000))
BOOKING = BookingRequested("ord_1", 2, "booking_pending", "cus_1", 1, LINES, 95_000, "RUB")
ANN = Address("Ann Lee", "GB", "London", "12 Reed Lane", "N1 9GU", "+44 20 7946 0000", "ring twice")


def said(body: Body, source: str = "orders") -> Message[Body]:
    return Message(
        id="msg_2",
        type=type(body).__name__,
        key=body.key,
        source=source,
        at=AT,
        correlation="msg_0",
        body=body,
        cause="msg_1",
        node="node-1",
    )


def written(body: Body, source: str = "orders") -> StoryEntry:
    (entry,) = write_down(said(body, source), KEPT).save
    assert isinstance(entry, StoryEntry)
    return entry


def leaves(kind: type[Body]) -> Iterator[type[Body]]:
    """The messages among a class and what derives from it."""
    if not kind.__subclasses__():
        yield kind
    for derived in kind.__subclasses__():
        yield from leaves(derived)


def about_orders() -> set[type[Body]]:
    for module in iter_modules(contracts.__path__):
        import_module(f"{contracts.__name__}.{module.name}")
    return {
        kind
        for kind in leaves(Body)
        if kind.__module__.startswith(contracts.__name__)
        and "order_id" in kind.__struct_fields__
        and not issubclass(kind, OrderEnd)
    }


def test_it_hears_every_message_of_the_contracts_that_is_about_an_order() -> None:
    assert set(HEARD) == about_orders()
    assert len(HEARD) == len(set(HEARD))


def test_of_every_field_that_it_hears_it_is_decided_whether_it_is_kept() -> None:
    fields = {name for kind in HEARD for name in kind.__struct_fields__}

    assert fields == HARMLESS | ELSEWHERE | PERSONAL | set(CUT)


def test_what_orders_asks_is_written_down_with_the_order_as_it_stood() -> None:
    assert written(BOOKING) == StoryEntry(
        message_id="msg_2",
        order_id="ord_1",
        customer_id="cus_1",
        type="BookingRequested",
        source="orders",
        node="node-1",
        at=AT,
        kept_until=AT + KEPT,
        cause="msg_1",
        correlation="msg_0",
        order_version=2,
        status="booking_pending",
        body=written(BOOKING).body,
    )
    assert msgspec.to_builtins(written(BOOKING).body) == {
        "attempt": 1,
        "total_minor": 95_000,
        "currency": "RUB",
        "lines": [
            {"sku": None, "quantity": 1, "price_minor": 5_000},
            {"sku": "CUP", "quantity": 2, "price_minor": 45_000},
        ],
    }


def test_what_others_answer_is_written_down_without_customer_version_and_status() -> None:
    entry = written(MoneyHeld("ord_1", 1, 95_000, "RUB"), "wallet")

    assert (entry.source, entry.customer_id, entry.order_version, entry.status) == ("wallet", None, None, None)
    assert entry.body == {"payment": 1, "amount_minor": 95_000, "currency": "RUB"}


def test_lines_are_kept_only_where_they_matter() -> None:
    hold = HoldRequested("ord_1", 3, "pay_pending", "cus_1", 1, LINES, 95_000, "RUB", 1, 95_000)
    paid = OrderPaid("ord_1", 5, "paid", "cus_1", 1, LINES, 95_000, "RUB")

    assert "lines" not in written(hold).body
    assert "lines" in written(paid).body


@pytest.mark.parametrize(
    "body",
    [
        BOOKING,
        ShipmentRequested(
            "ord_1",
            5,
            "paid",
            "cus_1",
            1,
            LINES,
            95_000,
            "RUB",
            Delivery("courier", 500, needs_shipment=True, address=ANN),
        ),
        ShipmentHandedOver("ord_1", "shp_1", "RA-Reed-1"),
        PaymentRedirected("ord_1", 1, 95_000, "RUB", "https://bank.example/pay/Reed"),
    ],
    ids=lambda body: type(body).__name__,
)
def test_nothing_personal_gets_into_the_story(body: Body) -> None:
    kept = msgspec.json.encode(written(body).body).decode()

    assert [word for word in ("Ann", "Reed", "London", "7946", "ring", "N1", "bank.example") if word in kept] == []


def test_every_message_has_words_in_both_languages() -> None:
    assert set(WORDS) == {kind.__name__ for kind in HEARD}
    assert all(texts["en"] and texts["ru"] and texts["en"] != texts["ru"] for texts in WORDS.values())
    assert words("StockBooked", "ru") == "Товары зарезервированы"
    assert words("SomethingOfLongAgo", "en") == "SomethingOfLongAgo"


def test_a_timeline_that_is_off_hears_nothing() -> None:
    assert timeline_service(TimelineRules(on=False)).consumes == frozenset()
    assert TIMELINE.consumes == {kind.__name__ for kind in HEARD}
