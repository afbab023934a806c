"""Parcels that go another way: to another address, back because nobody took them, or heard to have arrived."""

from typing import Any

from bank_at_work import until
from market import BY_COURIER, HOME, MUG_MINOR, SHIPPING_OPERATOR, WAY_MINOR, Market, OpenMarket
from open_shop import OPERATOR
from sagamart.platform.http import Caller

MUGS_MINOR = 2 * MUG_MINOR
ALL = {"lines": [{"line": 0, "quantity": 2}]}


async def sent(market: Market, ann: Caller) -> tuple[str, str]:
    """An order of two mugs that the carrier has, and its shipment."""
    order_id = await market.order(ann, delivery=BY_COURIER)
    await market.pays(ann, order_id, "wallet")
    shipment_id = await market.parcel_of(ann, order_id)
    (await market.hands_over(shipment_id)).raise_for_status()
    return order_id, shipment_id


async def done(market: Market, order_id: str) -> Any:
    """Staff say that it is complete, once it is known that the carrier has the parcel."""

    async def completed() -> Any:
        seen = {"If-Match": f'"{(await market.shown(OPERATOR, order_id))["version"]}"'}
        body = {"status": "completed", "why": "The customer called"}
        answer = await market.shop.call("PUT", f"/v1/orders/{order_id}/status", body, caller=OPERATOR, **seen)
        return answer.json() if answer.is_success else None

    return await until(completed)


async def announced(market: Market, order_id: str) -> str:
    """Staff announce that all of it comes back, once it is known that the carrier has it; the return's id."""

    async def agreed() -> Any:
        answer = await market.post(f"/v1/orders/{order_id}/returns", ALL, caller=OPERATOR)
        return answer.json() if answer.is_success else None

    return str((await until(agreed))["returns"][-1]["id"])


async def test_a_parcel_that_nobody_took_comes_back_and_its_goods_are_refunded(open_market: OpenMarket) -> None:
    market = await open_market()
    ann = await market.shop.customer(1, MUGS_MINOR + WAY_MINOR)
    order_id, shipment_id = await sent(market, ann)

    return_id = await announced(market, order_id)
    path = f"/v1/shipments/{shipment_id}/returns/{return_id}/receipt"

    async def arrived() -> bool:
        return bool((await market.post(path, caller=SHIPPING_OPERATOR)).is_success)

    await until(arrived)

    await market.becomes(ann, order_id, "returned")
    await market.has(ann, MUGS_MINOR)
    await market.in_stock("MUG", 10)
    assert (await market.shop.get(f"/v1/shipments/{shipment_id}", caller=ann)).json()["status"] == "returned"
    await market.is_in_order()


async def test_what_staff_say_to_have_arrived_is_delivered_for_shipping_too_and_can_be_given_back(
    open_market: OpenMarket,
) -> None:
    market = await open_market()
    ann = await market.shop.customer(1, MUGS_MINOR + WAY_MINOR)
    order_id, shipment_id = await sent(market, ann)

    await done(market, order_id)

    async def noted() -> bool:
        found = await market.shop.get(f"/v1/shipments/{shipment_id}", caller=ann)
        return bool(found.json()["status"] == "delivered")

    await until(noted)
    await market.gets_back(ann, order_id, 0, 2)
    await market.becomes(ann, order_id, "returned")
    await market.has(ann, MUGS_MINOR)
    await market.is_in_order()


async def test_a_paid_order_goes_to_another_address_as_long_as_its_parcel_is_here(open_market: OpenMarket) -> None:
    market = await open_market()
    ann = await market.shop.customer(1, MUGS_MINOR + WAY_MINOR)
    order_id = await market.order(ann, delivery=BY_COURIER)
    await market.pays(ann, order_id, "wallet")
    shipment_id = await market.parcel_of(ann, order_id)

    asked = await goes_to(market, ann, order_id, "Sibirskaya 7")
    assert (asked.status_code, asked.json()["elsewhere"]["street"]) == (202, "Sibirskaya 7")

    async def goes_there() -> bool:
        order = await market.shown(ann, order_id)
        return bool(order["elsewhere"] is None and order["delivery"]["address"]["street"] == "Sibirskaya 7")

    await until(goes_there)
    shipment = (await market.shop.get(f"/v1/shipments/{shipment_id}", caller=ann)).json()
    assert shipment["address"]["street"] == "Sibirskaya 7"
    (await market.hands_over(shipment_id)).raise_for_status()

    async def too_late() -> bool:
        answer = await goes_to(market, ann, order_id, "Kuibysheva 3")
        return bool(answer.status_code == 409 and answer.json()["code"] == "too_late_to_readdress")

    await until(too_late)
    assert (await market.shown(ann, order_id))["delivery"]["address"]["street"] == "Sibirskaya 7"
    await market.is_in_order()


async def goes_to(market: Market, ann: Caller, order_id: str, street: str) -> Any:
    seen = {"If-Match": f'"{(await market.shown(ann, order_id))["version"]}"'}
    wish = {"delivery": {"method": "courier", "address": {**HOME, "street": street}}}
    return await market.shop.call("PUT", f"/v1/orders/{order_id}", wish, caller=ann, **seen)
