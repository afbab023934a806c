"""The bank's rules: what is refused and why, which event tells of it, and how it is signed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from sagamart.bank.cards import KINDS, kind_of, plain
from sagamart.bank.ids import new_id
from sagamart.bank.merchants import is_on
from sagamart.bank.records import OperationKind, OperationStatus, PaymentRecord, Refusal
from sagamart.bank.rules import (
    event_of,
    is_lapsed,
    refusal_of_capture,
    refusal_of_payment,
    refusal_of_refund,
    refusal_of_void,
)
from sagamart.bank.signature import key_of, signature_header

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HELD = PaymentRecord(
    payment_id="pay_1",
    merchant_id="shop",
    key="key-1",
    kind="hold",
    status="held",
    amount_minor=1000,
    currency="RUB",
    reference="ord_1",
    description="",
    card="4000000000000001",
    return_url=None,
    hold_s=60,
    hold_expires_at=NOW + timedelta(seconds=60),
    created_at=NOW,
)
CAPTURED = replace(HELD, status="captured", captured_minor=800, refunded_minor=300)


@pytest.mark.parametrize(
    ("card", "kind", "available_minor", "refusal"),
    [
        ("4000000000000001", "hold", 1000, None),
        ("4000000000000001", "hold", 999, "insufficient_funds"),
        ("4000000000000004", "hold", 1000, "card_declined"),
        ("4000000000000007", "hold", 1000, None),
        ("4000000000000007", "charge", 1000, "card_declined"),
        ("4111111111111111", "hold", 1000, "unknown_card"),
        ("4000000000000099", "hold", 1000, "unknown_card"),
    ],
)
def test_a_card_pays_or_says_why_not(card: str, kind: Any, available_minor: int, refusal: Refusal | None) -> None:
    payment = replace(HELD, kind=kind, card=card)

    assert refusal_of_payment(kind_of(card), payment, available_minor) == refusal


@pytest.mark.parametrize(
    ("payment", "amount_minor", "currency", "refusal"),
    [
        (HELD, 1000, "RUB", None),
        (HELD, 1, "RUB", None),
        (HELD, 1001, "RUB", "exceeds_held"),
        (HELD, 1000, "EUR", "currency_mismatch"),
        (replace(HELD, hold_expires_at=NOW), 1000, "RUB", "hold_expired"),
        (replace(HELD, status="expired"), 1000, "RUB", "hold_expired"),
        (replace(HELD, status="voided"), 1000, "RUB", "wrong_status"),
        (replace(HELD, status="needs_confirmation"), 1000, "RUB", "wrong_status"),
        (CAPTURED, 200, "RUB", "wrong_status"),
        (replace(HELD, card="4000000000000007"), 1000, "RUB", "capture_declined"),
    ],
)
def test_a_hold_is_captured_once_and_never_above_what_is_held(
    payment: PaymentRecord, amount_minor: int, currency: str, refusal: Refusal | None
) -> None:
    assert refusal_of_capture(payment, amount_minor, currency, NOW) == refusal


@pytest.mark.parametrize(
    ("payment", "refusal"),
    [
        (HELD, None),
        (replace(HELD, status="needs_confirmation"), None),
        (replace(HELD, hold_expires_at=NOW), "hold_expired"),
        (CAPTURED, "wrong_status"),
        (replace(HELD, status="voided"), "wrong_status"),
    ],
)
def test_only_what_is_held_or_waits_is_voided(payment: PaymentRecord, refusal: Refusal | None) -> None:
    assert refusal_of_void(payment, NOW) == refusal


@pytest.mark.parametrize(
    ("payment", "amount_minor", "currency", "refusal"),
    [
        (CAPTURED, 500, "RUB", None),
        (CAPTURED, 501, "RUB", "exceeds_captured"),
        (CAPTURED, 500, "EUR", "currency_mismatch"),
        (HELD, 1, "RUB", "wrong_status"),
        (replace(CAPTURED, card="4000000000000017"), 500, "RUB", "refund_declined"),
    ],
)
def test_never_more_is_given_back_than_was_captured(
    payment: PaymentRecord, amount_minor: int, currency: str, refusal: Refusal | None
) -> None:
    assert refusal_of_refund(payment, amount_minor, currency) == refusal


def test_a_hold_lapses_in_its_last_moment_and_nothing_else_does() -> None:
    assert not is_lapsed(HELD, NOW + timedelta(seconds=59))
    assert is_lapsed(HELD, NOW + timedelta(seconds=60))
    assert not is_lapsed(replace(HELD, status="voided"), NOW + timedelta(seconds=60))


@pytest.mark.parametrize(
    ("kind", "status", "event"),
    [
        ("hold", "succeeded", "payment.held"),
        ("charge", "succeeded", "payment.captured"),
        ("capture", "refused", "payment.capture_refused"),
        ("hold", "pending", None),
        ("void", "refused", None),
    ],
)
def test_each_end_has_its_event(kind: OperationKind, status: OperationStatus, event: str | None) -> None:
    assert event_of(kind, status) == event


def test_the_free_digits_of_a_card_make_no_difference() -> None:
    assert kind_of(plain("4000 0012-3456 0004")) is KINDS["0004"]
    assert kind_of("4000000000000000") is None
    assert kind_of("40000012345600041") is None


def test_a_signature_is_what_the_standard_says() -> None:
    # The example of Standard Webhooks' own documentation of the scheme.
    body = b'{"test": 2432232314}'
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    header = signature_header([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert header == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_live_secrets_give_two_signatures_the_newest_first() -> None:
    old, new = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

    both = signature_header([new, old], "evt_1", 1, b"{}")

    assert both == f"{signature_header([new], 'evt_1', 1, b'{}')} {signature_header([old], 'evt_1', 1, b'{}')}"


def test_what_is_no_base64_is_no_secret() -> None:
    with pytest.raises(ValueError, match="base64"):
        key_of("whsec_*")


def test_ids_are_in_the_order_of_their_moments_and_are_version_7() -> None:
    first = new_id("pay", NOW, b"\xff" * 10)
    second = new_id("pay", NOW + timedelta(milliseconds=1), b"\x00" * 10)

    assert first < second
    assert (first[:4], first[16], first[20]) == ("pay_", "7", "b")
    assert len(first) == len("pay_") + 32


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("http://shop.example/orders/1?a=b", True),
        ("https://shop.example:8443/", True),
        ("https://SHOP.example/", True),
        ("https://shop.example.evil.example/", False),
        ("https://evil.example/?shop.example", False),
        ("https://shop.example@evil.example/", False),
        ("https://evil.example\\@shop.example/", False),
        ("https://me:secret@shop.example/", False),
        ("javascript://shop.example/%0aalert(1)", False),
        ("https://shop.example:port/", False),
        ("//shop.example/", False),
    ],
)
def test_an_address_is_on_a_registered_host_or_it_is_not_taken(url: str, is_ours: bool) -> None:  # noqa: FBT001  a column of the table
    assert is_on(["shop.example"], url) is is_ours
