"""Changing, moving, cancelling and giving back a placed order over HTTP."""

from typing import Any

import pytest

from orders_at_work import (
    ANNA,
    BORIS,
    BY_COURIER,
    CUPS_MINOR,
    HOME,
    ONE_PLATE,
    OPERATOR,
    STOREKEEPER,
    WAY_MINOR,
    OrdersAtWork,
)
from sagamart.contracts.order_requests import (
    BankRefundRequested,
    BookingRequested,
    RefundRequested,
    ReturnRequested,
    ShipmentStopRequested,
)
from sagamart.contracts.orders import OrderCancelled, ReturnedLine
from sagamart.contracts.promotions import PromoRedeemed
from sagamart.contracts.shipping import (
    ReturnReceived,
    ShipmentDelivered,
    ShipmentHandedOver,
    ShipmentPending,
    ShipmentStopped,
)
from sagamart.contracts.stock import StockBooked
from sagamart.platform.http import Caller


async def test_a_delivery_and_a_promo_code_make_up_the_total(shop: OrdersAtWork) -> None:
    order_id = await shop.placed(delivery=BY_COURIER, promo_code="SPRING-10")
    assert (await shop.shown(order_id))["status"] == "new"

    await shop.service.hears(PromoRedeemed(order_id, 1, "SPRING-10", 9_000))

    seen = await shop.shown(order_id)
    assert seen["total_minor"] == CUPS_MINOR - 9_000 + WAY_MINOR
    assert (seen["discount_minor"], seen["promo_code"]) == (9_000, "SPRING-10")
    assert seen["delivery"] == {
        "method": "courier",
        "price_minor": WAY_MINOR,
        "needs_shipment": True,
        "address": HOME,
    }


@pytest.mark.parametrize(
    ("delivery", "status", "code"),
    [({"method": "pigeon"}, 422, "unknown_delivery_method"), ({"method": "courier"}, 422, "address_missing")],
)
async def test_a_delivery_that_is_not_offered_or_cannot_arrive_is_refused(
    shop: OrdersAtWork, delivery: Any, status: int, code: str
) -> None:
    answer = await shop.place(delivery=delivery)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


NO_ORDERS: tuple[dict[str, Any], ...] = (
    {"delivery": {"method": "Courier!"}},
    {"delivery": {"method": "courier", "address": {**HOME, "country": "Russia"}}},
    {"delivery": {"method": "courier", "address": {**HOME, "city": "Perm\n"}}},
    {"delivery": {"method": "courier", "address": {"city": "Perm"}}},
    {"delivery": {**BY_COURIER, "price_minor": 0}},
    {"promo_code": "A"},
    {"promo_code": "SPRING 10"},
    {"discount_minor": 1},
    {"pay": "never"},
    {"from_basket": True},
)


async def test_what_is_no_delivery_and_no_promo_code_is_malformed(shop: OrdersAtWork) -> None:
    answers = [await shop.place(**more) for more in NO_ORDERS]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(400, "malformed")}


async def change(shop: OrdersAtWork, order_id: str, wish: Any, *, caller: Caller = ANNA) -> Any:
    seen = await shop.version_of(order_id)
    return await shop.call("PUT", f"/v1/orders/{order_id}", wish, caller=caller, headers=seen)


async def test_a_customer_changes_the_delivery_of_an_order_that_is_not_paid(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    answer = await change(shop, order_id, {"delivery": BY_COURIER})

    assert (answer.status_code, answer.json()["total_minor"]) == (200, CUPS_MINOR + WAY_MINOR)
    assert len(shop.told(BookingRequested)) == 1


async def test_other_lines_are_booked_anew_at_the_prices_of_now(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    answer = await change(shop, order_id, {"lines": [ONE_PLATE]})

    assert (answer.status_code, answer.json()["status"], answer.json()["total_minor"]) == (
        202,
        "booking_pending",
        70_000,
    )
    assert [one.attempt for one in shop.told(BookingRequested)] == [1, 2]


async def test_a_change_says_which_version_it_is_of(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()
    wish = {"lines": [ONE_PLATE]}

    unsaid = await shop.call("PUT", f"/v1/orders/{order_id}", wish)
    late = await shop.call("PUT", f"/v1/orders/{order_id}", wish, headers={"If-Match": '"1"'})

    assert (unsaid.status_code, unsaid.json()["code"]) == (428, "version_required")
    assert (late.status_code, late.json()["code"], late.json()["version"]) == (412, "version_changed", 2)


NO_CHANGES: tuple[Any, ...] = (
    {},
    {"lines": []},
    {"lines": [{"sku": "CUP", "title": "Mine"}]},
    {"total_minor": 1},
    {"status": "completed"},
)


async def test_what_is_no_change_is_malformed(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    answers = [await change(shop, order_id, wish) for wish in NO_CHANGES]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(400, "malformed")}


async def test_a_change_passes_the_guards_of_an_order(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    answer = await change(shop, order_id, {"lines": [{"sku": "CUP", "price_minor": 1}]})

    assert (answer.status_code, answer.json()["code"]) == (409, "price_changed")


async def test_an_order_that_is_being_paid_cannot_be_changed(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()
    await shop.pay(order_id, "wallet", 1)

    answer = await change(shop, order_id, {"lines": [ONE_PLATE]})

    assert (answer.status_code, answer.json()["code"]) == (409, "not_changeable_now")


async def test_a_stranger_changes_nothing(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    assert (await change(shop, order_id, {"lines": [ONE_PLATE]}, caller=BORIS)).status_code == 404
    assert len(shop.told(BookingRequested)) == 1


async def move(shop: OrdersAtWork, order_id: str, to: Any, *, caller: Caller = OPERATOR) -> Any:
    body = {"status": to, "why": "The customer called"}
    seen = await shop.version_of(order_id)
    return await shop.call("PUT", f"/v1/orders/{order_id}/status", body, caller=caller, headers=seen)


async def test_staff_move_an_order_where_its_lifecycle_leads_and_it_is_kept_who_and_why(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    answer = await move(shop, order_id, "cancelled")

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["reason"]["code"] == "cancelled_by_staff"
    (act,) = await shop.acts_on(order_id)
    assert {name: act[name] for name in ("action", "by", "why", "status_before", "status_after")} == {
        "action": "move_order",
        "by": OPERATOR.id,
        "why": "The customer called",
        "status_before": "booked",
        "status_after": "cancelled",
    }


async def test_staff_move_no_order_where_its_lifecycle_does_not_lead(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    answer = await move(shop, order_id, "completed")

    assert (answer.status_code, answer.json()["code"]) == (409, "move_not_allowed")
    assert (answer.json()["order_status"], answer.json()["allowed"]) == ("booked", ["cancelled"])
    assert await shop.acts_on(order_id) == []


NO_MOVES: tuple[tuple[Any, dict[str, str], int, str], ...] = (
    ({"status": "cancelled", "why": "x"}, {}, 428, "version_required"),
    ({"status": "cancelled", "why": "x"}, {"If-Match": '"1"'}, 412, "version_changed"),
    ({"status": "cancelled"}, {"If-Match": '"2"'}, 400, "malformed"),
    ({"status": "cancelled", "why": ""}, {"If-Match": '"2"'}, 400, "malformed"),
    ({"status": "lost", "why": "x"}, {"If-Match": '"2"'}, 400, "malformed"),
)


async def test_a_move_names_a_status_a_reason_and_the_version_that_was_seen(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    for body, headers, status, code in NO_MOVES:
        answer = await shop.call("PUT", f"/v1/orders/{order_id}/status", body, caller=OPERATOR, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_only_those_who_see_all_orders_move_them(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    for caller in (ANNA, BORIS, STOREKEEPER):
        assert (await move(shop, order_id, "cancelled", caller=caller)).status_code == 403
        assert (await shop.get("/v1/operations/actions", caller=caller)).status_code == 403


async def test_what_customers_do_to_their_own_orders_is_no_act_of_staff(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()
    await shop.call("POST", f"/v1/orders/{order_id}/cancellation")

    assert await shop.acts_on(order_id) == []


async def test_cancelling_what_is_paid_stops_the_parcel_first(shop: OrdersAtWork) -> None:
    order_id = await shop.shipped()

    asked = await shop.call("POST", f"/v1/orders/{order_id}/cancellation")
    assert (asked.status_code, asked.json()["status"], asked.json()["stopping"]) == (202, "paid", True)
    assert (len(shop.told(ShipmentStopRequested)), shop.told(OrderCancelled)) == (1, [])

    await shop.service.hears(ShipmentStopped(order_id))
    seen = await shop.shown(order_id)
    assert (seen["status"], seen["payments"][0]["state"], seen["stopping"]) == ("cancelled", "refunded", False)
    assert [one.amount_minor for one in shop.told(BankRefundRequested)] == [CUPS_MINOR + WAY_MINOR]


async def test_what_is_handed_over_cannot_be_cancelled(shop: OrdersAtWork) -> None:
    order_id = await shop.shipped()
    await shop.service.hears(ShipmentPending(order_id, "shp_1"), ShipmentHandedOver(order_id, "shp_1"))

    answer = await shop.call("POST", f"/v1/orders/{order_id}/cancellation")

    assert (answer.status_code, answer.json()["code"]) == (409, "too_late_to_cancel")


def back(*lines: tuple[int, int]) -> dict[str, Any]:
    return {"lines": [{"line": line, "quantity": quantity} for line, quantity in lines]}


async def test_pieces_are_given_back_and_refunded_once_they_are_here(shop: OrdersAtWork) -> None:
    order_id = await shop.shipped()
    await shop.service.hears(ShipmentDelivered(order_id, "shp_1"))

    answer = await shop.call("POST", f"/v1/orders/{order_id}/returns", back((0, 1)))

    (agreed,) = answer.json()["returns"]
    assert answer.status_code == 200
    assert (agreed["lines"], agreed["received"], agreed["refunded_minor"]) == ([{"line": 0, "quantity": 1}], False, 0)
    assert [one.return_id for one in shop.told(ReturnRequested)] == [agreed["id"]]

    await shop.service.hears(ReturnReceived(order_id, agreed["id"], (ReturnedLine(0, 1),)))
    seen = await shop.shown(order_id)
    assert (seen["status"], seen["returns"][0]["refunded_minor"]) == ("completed", CUPS_MINOR // 2)
    assert [one.amount_minor for one in shop.told(BankRefundRequested)] == [CUPS_MINOR // 2]


async def test_staff_take_back_what_was_not_sent_and_all_of_it_makes_the_order_returned(shop: OrdersAtWork) -> None:
    order_id = await shop.completed()
    path = f"/v1/orders/{order_id}/returns"

    own = await shop.call("POST", path, back((0, 2)))
    by_staff = await shop.call("POST", path, back((0, 2)), caller=OPERATOR)

    assert (own.status_code, own.json()["code"]) == (403, "staff_take_back")
    assert (by_staff.status_code, by_staff.json()["status"]) == (200, "returned")
    assert [one.amount_minor for one in shop.told(RefundRequested)] == [CUPS_MINOR]


NO_RETURNS: tuple[tuple[Any, int, str], ...] = (
    (back((0, 3)), 409, "more_than_bought"),
    (back((7, 1)), 409, "more_than_bought"),
    (back(), 400, "malformed"),
    (back((-1, 1)), 400, "malformed"),
    (back((0, 0)), 400, "malformed"),
    ({}, 400, "malformed"),
    ({**back((0, 1)), "amount_minor": 1}, 400, "malformed"),
)


async def test_no_more_comes_back_than_was_bought(shop: OrdersAtWork) -> None:
    order_id = await shop.completed()

    for body, status, code in NO_RETURNS:
        answer = await shop.call("POST", f"/v1/orders/{order_id}/returns", body, caller=OPERATOR)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_what_is_not_here_yet_cannot_be_given_back(shop: OrdersAtWork) -> None:
    order_id = await shop.shipped()

    answer = await shop.call("POST", f"/v1/orders/{order_id}/returns", back((0, 1)))

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_return")


async def test_a_stranger_gives_nothing_back(shop: OrdersAtWork) -> None:
    order_id = await shop.completed()

    for caller, status in ((None, 401), (BORIS, 404), (STOREKEEPER, 404)):
        answer = await shop.call("POST", f"/v1/orders/{order_id}/returns", back((0, 1)), caller=caller)
        assert answer.status_code == status


async def test_a_change_that_finds_its_goods_leads_to_the_payment_again(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()
    await change(shop, order_id, {"lines": [ONE_PLATE], "delivery": BY_COURIER})

    await shop.service.hears(StockBooked(order_id, 2))

    seen = await shop.shown(order_id)
    assert (seen["status"], seen["due_minor"], [one["sku"] for one in seen["lines"]]) == ("booked", 100_000, ["PLATE"])
