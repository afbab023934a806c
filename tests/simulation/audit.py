"""What must be true of a shop that has come to rest.  Each rule yields what it finds wrong, as sentences."""

from collections import Counter, defaultdict
from collections.abc import Callable

import msgspec

from sagamart.shop.accounts.records import User
from sagamart.shop.catalogue.records import Product
from sagamart.shop.notifications.records import Notification
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.records import DeliveryCopy, ProductCopy
from sagamart.shop.shipping.records import DeliveryMethod, ProductMeasures
from sagamart.shop.stock.records import Sku
from simulation.evidence import Evidence, Findings, was_completed
from simulation.goods_rules import GOODS_RULES
from simulation.money_rules import MONEY_RULES
from simulation.people import RECONCILE


def every_order_ends(seen: Evidence) -> Findings:
    for order in seen.orders.values():
        if not LIFECYCLE[order.status].final:
            yield f"{order.order_id} is stuck at {order.status}, knowing {order.known}"


def every_accepted_order_exists_and_no_other(seen: Evidence) -> Findings:
    accepted = Counter(
        (asked.answers[0].location or "").rpartition("/")[2]
        for asked in seen.asked.values()
        if asked.service == "orders" and type(asked.body).__name__ == "PlaceOrder"
        if asked.answers and asked.answers[0].status == 202
    )
    for order_id, count in accepted.items():
        if order_id not in seen.orders or count > 1:
            yield f"{order_id} was accepted {count} times, and is {seen.orders.get(order_id)}"
    for order_id in seen.orders.keys() - accepted.keys():
        yield f"{order_id} exists, but nobody was told so"


def the_same_key_gets_the_same_answer(seen: Evidence) -> Findings:
    for key, asked in seen.asked.items():
        if len(set(map(msgspec.structs.astuple, asked.answers))) != 1:
            yield f"{key!r} was answered {asked.answers}"
        if any(answer.status >= 500 for answer in asked.answers):
            yield f"{key!r} failed: {asked.answers}"


def people_are_told_once(seen: Evidence) -> Findings:
    """Of a good end or a bad one; an order that came back to life was told to be cancelled before."""
    told = defaultdict(list)
    for notification in seen.rows("notifications", Notification).values():
        told[notification.kind].append(notification.facts.order_id or notification.customer_id)
    completed = sorted(order.order_id for order in seen.orders.values() if was_completed(order))
    if sorted(told["order_completed"]) != completed:
        yield f"told of {sorted(told['order_completed'])}, completed are {completed}"
    cancelled = {order.order_id for order in seen.orders.values() if order.status == "cancelled"}
    revived = {order.order_id for order in seen.orders.values() if order.attempt > 1}
    if not cancelled <= set(told["order_cancelled"]) <= cancelled | revived:
        yield f"told of {sorted(told['order_cancelled'])}, cancelled are {sorted(cancelled)}"
    if sorted(told["wallet_opened"]) != sorted(seen.rows("accounts", User)):
        yield f"wallets opened: told {sorted(told['wallet_opened'])}"


def copies_equal_their_source(seen: Evidence) -> Findings:
    skus, measures = seen.rows("stock", Sku), seen.rows("shipping", ProductMeasures)
    for product in seen.rows("catalogue", Product).values():
        copy = seen.rows("orders", ProductCopy).get(product.sku)
        if copy is None or (copy.catalogue_version, copy.price_minor) != (product.version, product.price_minor):
            yield f"{product} was copied as {copy}"
        elif (sku := skus.get(product.sku)) is not None and copy.sold_out != (sku.available == 0):
            yield f"{sku} was copied as {copy}"
        measured = measures.get(product.sku)
        if measured is None or measured.catalogue_version != product.version:
            yield f"{product} was copied as {measured}"
    copies = seen.rows("orders", DeliveryCopy)
    for method in seen.rows("shipping", DeliveryMethod).values():
        offered = copies.get(method.method)
        if offered is None or (offered.method_version, offered.price_minor) != (method.version, method.price_minor):
            yield f"{method} was copied as {offered}"


def every_message_is_handled_by_every_consumer(seen: Evidence) -> Findings:
    for message_id, kind in seen.emitted.items():
        for consumer in seen.consumers.get(kind, ()):
            if message_id not in seen.stores[consumer].inbox:
                yield f"{kind} {message_id} was never handled by {consumer}"


def nothing_is_left_over(seen: Evidence) -> Findings:
    for name, store in seen.stores.items():
        if store.letters:
            yield f"{name} has dead letters: {[(row.type, row.error) for row in store.letters.values()][:3]}"
        if store.outbox:
            yield f"{name} has unsent messages: {[row.messages for row in store.outbox.values()][:3]}"
        left = [row.key for row in store.timers.values() if row.name != RECONCILE]
        if left:
            yield f"{name} has timers that nothing needs: {left[:3]}"


RULES: tuple[Callable[[Evidence], Findings], ...] = (
    every_order_ends,
    every_accepted_order_exists_and_no_other,
    the_same_key_gets_the_same_answer,
    *MONEY_RULES,
    *GOODS_RULES,
    people_are_told_once,
    copies_equal_their_source,
    every_message_is_handled_by_every_consumer,
    nothing_is_left_over,
)


def audit(seen: Evidence) -> list[str]:
    """Everything that is wrong, each with the rule that says so."""
    return [f"{rule.__name__}: {found}" for rule in RULES for found in rule(seen)]
