"""Placing an order, and changing one: what the guards let pass gets its prices fixed, and goes its way.

What is refused here never becomes an order.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from sagamart.messaging.decision import Decision, Reply
from sagamart.messaging.message import Message
from sagamart.shop.orders.decide import fixed
from sagamart.shop.orders.guards import OF_CHANGE, OF_PLACING, Wish, delivered, delivery_minor, priced, refused
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.messages import ChangeOrder, PlaceOrder, WantedLine
from sagamart.shop.orders.records import Basket, Content, DeliveryCopy, Order, Plan, ProductCopy, UnpaidOrders
from sagamart.shop.orders.stepping import step
from sagamart.shop.orders.view import link_to, view
from sagamart.shop.orders.wishes import grant, unheard


def place(
    message: Message[PlaceOrder],
    slots: UnpaidOrders | None,
    earlier: Mapping[str, Order],
    products: Mapping[str, ProductCopy],
    method: DeliveryCopy | None,
) -> Decision:
    """A wish becomes an order, if no guard refuses it.  `earlier` are the orders that took a slot of this customer."""
    asked = message.body
    unpaid = tuple(sorted(one for one, order in earlier.items() if LIFECYCLE[order.status].unpaid))
    wish = Wish(asked.lines, asked.rules, products, unpaid, asked.currency, asked.delivery, method)
    refusal = refused(wish, OF_PLACING)
    if refusal is not None:
        return Decision(reply=refusal)

    # From here it is an order.
    begun = step(_new(wish, message), message)
    (order,) = [row for row in begun.save if isinstance(row, Order)]
    taken = UnpaidOrders(
        1 if slots is None else slots.version + 1,
        asked.customer_id,
        (*wish.unpaid, order.order_id),
        asked.rules.unpaid_orders_max,
    )
    reply = Reply(202, view(order, asked.language), link_to(order.order_id))
    return replace(begun, save=[*begun.save, taken], reply=reply)


def filled(message: Message[PlaceOrder], basket: Basket | None) -> Message[PlaceOrder]:
    """The wish for what lies in the basket."""
    laid = basket.lines if basket is not None else ()
    lines = tuple(WantedLine(line.sku, line.quantity, line.price_minor) for line in laid)
    return replace(message, body=replace(message.body, lines=lines))


def emptied(decision: Decision, message: Message[PlaceOrder], basket: Basket | None) -> Decision:
    """What became an order does not lie in the basket any more.  Who was refused still has it."""
    if basket is None or not decision.save:
        return decision
    after = Basket(basket.version + 1, basket.customer_id, (), message.at)
    return replace(decision, save=[*decision.save, after])


def _new(wish: Wish, message: Message[PlaceOrder]) -> Order:
    """The order before its first version.  With a promo code its total is fixed once that is redeemed."""
    asked = message.body
    lines = priced(wish)
    order = Order(
        version=0,
        order_id=asked.order_id,
        customer_id=asked.customer_id,
        status="new",
        lines=lines,
        total_minor=0,
        currency=next(iter(wish.currencies), asked.rules.currency),
        placed_at=message.at,
        changed_at=message.at,
        plan=Plan(asked.rules.terms, delivered(wish, lines, wish.products), asked.promo_code),
    )
    total = fixed(order, 0)
    return total if asked.promo_code is None else replace(total, payments=())


def change_order(
    message: Message[ChangeOrder],
    order: Order | None,
    products: Mapping[str, ProductCopy],
    methods: Mapping[str, DeliveryCopy],
) -> Decision:
    """Give an order other lines or another delivery, if no guard refuses them.  The lifecycle says whether it can.

    Pieces that it keeps cost what they cost.  The delivery that it keeps is priced anew for other lines, and another
    one for the lines that it keeps.
    """
    asked = message.body
    unfit = unheard(order, asked)
    if order is None or unfit is not None:
        return Decision(reply=unfit)
    if not LIFECYCLE[order.status].unpaid:
        return grant(message, order)  # it has its prices
    wanted = {} if asked.lines is None else products
    method = None if asked.delivery is None else methods.get(asked.delivery.method)
    kept = (order.lines, order.knows("booked"))
    wish = Wish(asked.lines or (), asked.rules, wanted, (), order.currency, asked.delivery, method, *kept)
    refusal = refused(wish, OF_CHANGE)
    if refusal is not None:
        return Decision(reply=refusal)
    lines = order.lines if asked.lines is None else priced(wish)
    delivery = order.plan.delivery if asked.delivery is None else delivered(wish, lines, products)
    if asked.delivery is None and delivery is not None and delivery.method in methods:
        delivery = replace(delivery, price_minor=delivery_minor(methods[delivery.method], lines, products))
    return grant(replace(message, body=replace(asked, content=Content(lines, delivery))), order)
