"""What must be true of the goods, the parcels and the promo codes of a shop at rest."""

from collections import Counter

from sagamart.contracts.orders import attempt_id
from sagamart.shop.orders.records import Order, Plan
from sagamart.shop.promotions.records import CustomerUses, PromoCode, Redemption
from sagamart.shop.shipping.records import HandOver, Return, Shipment
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock
from sagamart.shop.stock.records import Movement, Reservation, Sku
from simulation.evidence import Evidence, Findings, is_paid, returned_pieces


def pieces_out(order: Order) -> Counter[str]:
    """Pieces per sku that customers have because of this order."""
    out: Counter[str] = Counter()
    if is_paid(order):
        back = returned_pieces(order)
        for place, line in enumerate(order.lines):
            if line.sku is not None:
                out[line.sku] += line.quantity - back.get(place, 0)
    return +out


def goods_go_with_the_order(seen: Evidence) -> Findings:
    """A sold order's present attempt is committed; a cancelled one keeps nothing; nothing stays reserved."""
    attempts = seen.rows("stock", Reservation)
    for order in seen.orders.values():
        made = attempts.get(attempt_id(order.order_id, order.attempt))
        status = made.status if made is not None else None
        right = {"released", "refused", "restocked", None}
        if is_paid(order):
            right = {"committed"} if order.needs_stock else {"committed", None}
        if status not in right:
            yield f"{order.order_id} is {order.status}, its reservation {status}"
    for reservation in attempts.values():
        if reservation.status == "booked":
            yield f"{reservation.reservation_id} is reserved for ever"


def pieces_are_conserved(seen: Evidence) -> Findings:
    """What is on hand is what came and went; of each order exactly what its customer has went."""
    moved: Counter[str] = Counter()
    went: dict[str, Counter[str]] = {}
    expected: Counter[str] = Counter()
    for movement in seen.rows("stock", Movement).values():
        moved[movement.sku] += movement.quantity
        if movement.kind in ("committed", "returned"):
            went.setdefault(movement.reference, Counter())[movement.sku] -= movement.quantity
    for body in (*seen.granted(ReceiveStock), *seen.granted(AdjustStock)):
        expected[body.sku] += body.quantity
    for order in seen.orders.values():
        out = pieces_out(order)
        expected.subtract(out)
        if +went.get(order.order_id, Counter()) != out:
            yield f"{order.order_id} is {order.status}: {dict(out)} are out, but {went.get(order.order_id)} went"
    for sku in seen.rows("stock", Sku).values():
        if not sku.on_hand == moved[sku.sku] == expected[sku.sku] + sku.missing:
            yield f"{sku}: {moved[sku.sku]} moved, {expected[sku.sku]} expected"
        if sku.reserved:
            yield f"{sku.sku}: {sku.reserved} reserved, but no order is open"
        if sku.missing and sku.on_hand > sku.reserved:
            yield f"{sku}: pieces are missing, and others are free"


def parcels_go_with_the_order(seen: Evidence) -> Findings:
    """Sent once, and only what was paid; a cancelled order's parcel stays here; what came back was announced."""
    left: Counter[str] = Counter(row.shipment_id for row in seen.rows("shipping", HandOver).values())
    for shipment in seen.rows("shipping", Shipment).values():
        order = seen.orders.get(shipment.order_id)
        gone = shipment.status in {"handed_over", "delivered", "returned"}
        if left[shipment.shipment_id] != (len(shipment.parcels) if gone else 0):
            yield f"{shipment.shipment_id} is {shipment.status}, {left[shipment.shipment_id]} parcels were handed over"
        plan = order.plan if order is not None and shipment.parcels else Plan()
        if plan.delivery is not None and (plan.elsewhere, plan.delivery.address) != (None, shipment.address):
            yield f"{shipment.shipment_id} goes to {shipment.address}, its order says {plan}"
        if gone and (order is None or not is_paid(order)):
            yield f"{shipment.shipment_id} was sent, but its order is {order}"
    for order in seen.orders.values():
        announced = {one.return_id for one in order.returns}
        known = {one.return_id for one in seen.rows("shipping", Return).values() if one.order_id == order.order_id}
        if order.needs_shipment and announced != known:
            yield f"{order.order_id} announced {announced}, shipping knows {known}"


def codes_are_used_as_often_as_they_are_redeemed(seen: Evidence) -> Findings:
    """Given back once, where the order was cancelled; never beyond a limit; the discount is the order's."""
    used: Counter[str] = Counter()
    by_customer: Counter[tuple[str, str]] = Counter()
    redeemed: dict[str, Redemption] = {}
    for one in seen.rows("promotions", Redemption).values():
        if one.status == "redeemed":
            used[one.code] += 1
            by_customer[one.code, one.customer_id] += 1
            redeemed[one.order_id] = one
    for code in seen.rows("promotions", PromoCode).values():
        if code.used != used[code.code] or (code.uses_max is not None and code.used > code.uses_max):
            yield f"{code} is redeemed {used[code.code]} times"
    for own in seen.rows("promotions", CustomerUses).values():
        if own.used != by_customer[own.code, own.customer_id]:
            yield f"{own} is redeemed {by_customer[own.code, own.customer_id]} times"
    for order in seen.orders.values():
        mine = redeemed.get(order.order_id)
        due = (order.attempt, order.plan.discount_minor) if is_paid(order) and order.plan.promo_code else None
        if (None if mine is None else (mine.attempt, mine.discount_minor)) != due:
            yield f"{order.order_id} is {order.status} with {due}, redeemed is {mine}"


GOODS_RULES = (
    goods_go_with_the_order,
    pieces_are_conserved,
    parcels_go_with_the_order,
    codes_are_used_as_often_as_they_are_redeemed,
)
