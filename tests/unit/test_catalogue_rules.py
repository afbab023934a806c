"""The rules of the catalogue, on literals."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from sagamart.contracts.catalogue import ProductChanged
from sagamart.messaging.decision import Decision, Reply
from sagamart.messaging.message import Body, Message
from sagamart.shop.catalogue.decide import (
    CurrencyWithoutPrice,
    SkuTaken,
    UnknownProduct,
    VersionChanged,
    change,
    create,
)
from sagamart.shop.catalogue.messages import ChangeProduct, CreateProduct
from sagamart.shop.catalogue.records import Price, Product

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MESSAGE_ID = "019aa000-0000-7000-8000-000000000001"
MUG = Product(1, "MUG", "Blue mug", "Holds 300 ml", 45_000, "RUB", 350, 80, 80, 100, 2_000, active=True)


def said(body: Body) -> Message[Any]:
    return Message(
        id=MESSAGE_ID,
        type=type(body).__name__,
        key=body.key,
        source="http",
        at=NOON,
        correlation=MESSAGE_ID,
        body=body,
    )


NEW_MUG = said(
    CreateProduct("MUG", "cus_op", "Blue mug", "Holds 300 ml", 45_000, "RUB", 350, 80, 80, 100, 2_000, active=True)
)


def announced(version: int, title: str, price_minor: int, currency: str = "RUB", *, active: bool) -> ProductChanged:
    return ProductChanged(
        "MUG",
        version,
        title,
        price_minor,
        currency,
        active,
        weight_g=350,
        length_mm=80,
        width_mm=80,
        height_mm=100,
        tax_rate_bp=2_000,
    )


def test_a_new_product_is_announced_with_its_first_price() -> None:
    assert create(NEW_MUG, None) == Decision(
        save=[MUG, Price(MESSAGE_ID, "MUG", 45_000, "RUB", NOON, "cus_op")],
        send=[announced(1, "Blue mug", 45_000, "RUB", active=True)],
        reply=Reply(201, MUG, "/v1/products/MUG"),
    )


def test_a_sku_names_one_product() -> None:
    assert create(NEW_MUG, MUG) == Decision(reply=SkuTaken("MUG"))


def test_a_new_price_is_kept_beside_the_old_one() -> None:
    after = msgspec.structs.replace(MUG, version=2, price_minor=49_900)
    assert change(said(ChangeProduct("MUG", "cus_op", 1, price_minor=49_900)), MUG) == Decision(
        save=[after, Price(MESSAGE_ID, "MUG", 49_900, "RUB", NOON, "cus_op")],
        send=[announced(2, "Blue mug", 49_900, "RUB", active=True)],
        reply=Reply(200, after),
    )


def test_what_is_no_price_is_announced_but_no_part_of_the_price_history() -> None:
    after = msgspec.structs.replace(MUG, version=2, active=False)
    assert change(said(ChangeProduct("MUG", "cus_op", 1, active=False)), MUG) == Decision(
        save=[after],
        send=[announced(2, "Blue mug", 45_000, "RUB", active=False)],
        reply=Reply(200, after),
    )


def test_a_measure_can_be_taken_away() -> None:
    decision = change(said(ChangeProduct("MUG", "cus_op", 1, length_mm=None)), MUG)
    assert decision.save == [msgspec.structs.replace(MUG, version=2, length_mm=None)]


def test_a_change_that_changes_nothing_makes_no_new_version() -> None:
    decision = change(said(ChangeProduct("MUG", "cus_op", 1, title="Blue mug", price_minor=45_000)), MUG)
    assert decision == Decision(reply=Reply(200, MUG))


def test_a_product_that_changed_meanwhile_is_not_overwritten() -> None:
    now = msgspec.structs.replace(MUG, version=7, price_minor=50_000)
    assert change(said(ChangeProduct("MUG", "cus_op", 1, price_minor=49_900)), now) == Decision(reply=VersionChanged(7))


def test_what_is_not_in_the_catalogue_cannot_be_changed() -> None:
    assert change(said(ChangeProduct("CUP", "cus_op", 1, active=False)), None) == Decision(reply=UnknownProduct("CUP"))


def test_a_new_currency_needs_its_own_price() -> None:
    assert change(said(ChangeProduct("MUG", "cus_op", 1, currency="EUR")), MUG) == Decision(
        reply=CurrencyWithoutPrice("RUB")
    )
    decision = change(said(ChangeProduct("MUG", "cus_op", 1, currency="EUR", price_minor=590)), MUG)
    assert decision.send == [announced(2, "Blue mug", 590, "EUR", active=True)]


def test_the_currency_that_a_product_has_may_be_said_again() -> None:
    decision = change(said(ChangeProduct("MUG", "cus_op", 1, currency="RUB", title="Mug")), MUG)
    assert decision.send == [announced(2, "Mug", 45_000, "RUB", active=True)]


def test_a_change_survives_its_way_through_storage_with_what_was_left_out_left_out() -> None:
    wish = ChangeProduct("MUG", "cus_op", 1, length_mm=None, price_minor=49_900)
    assert msgspec.json.decode(msgspec.json.encode(wish), type=ChangeProduct) == wish
    assert b"title" not in msgspec.json.encode(wish)
