"""What must be true of a shop that has come to rest.  Each rule yields what it finds wrong, as sentences."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from sagamart.contracts.orders import payment_id
from sagamart.messaging.memory_store import Store
from sagamart.shop.accounts.records import User
from sagamart.shop.catalogue.records import Product
from sagamart.shop.notifications.records import Notification
from sagamart.shop.orders.lifecycle import LIFECYCLE
from sagamart.shop.orders.records import Order, ProductCopy
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock
from sagamart.shop.stock.records import Movement, Reservation, Sku
from sagamart.shop.wallet.messages import DepositMoney, WithdrawMoney
from sagamart.shop.wallet.records import HOUSE_CLEARING, HOUSE_REVENUE, Hold, Posting, Wallet, customer_account
from simulation.customers import Asked

Findings = Iterator[str]


class Evidence(msgspec.Struct):
    """All that the rules look at."""

    stores: Mapping[str, Store]
    asked: Mapping[str, Asked]
    emitted: Mapping[str, str]
    consumers: Mapping[str, list[str]]

    def rows(self, service: str, kind: type[Any]) -> dict[str, Any]:
        """All rows of a kind, by key."""
        return self.stores[service].rows[kind]

    @property
    def orders(self) -> dict[str, Order]:
        """All orders."""
        return self.rows("orders", Order)


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


def goods_go_with_the_order(seen: Evidence) -> Findings:
    attempts = seen.rows("stock", Reservation)
    for order in seen.orders.values():
        made = attempts.get(f"{order.order_id}/{order.attempt}")
        status = made.status if made is not None else None
        right = ("committed",) if order.status == "completed" and order.needs_stock else ("released", "refused", None)
        if order.status == "completed" and not order.needs_stock:
            right = (*right, "committed")
        if status not in right:
            yield f"{order.order_id} is {order.status}, its reservation {status}"
    for reservation in attempts.values():
        if reservation.status == "booked":
            yield f"{reservation.reservation_id} is reserved for ever"


def money_goes_with_the_order(seen: Evidence) -> Findings:
    holds = seen.rows("wallet", Hold)
    for order in seen.orders.values():
        captured_minor = 0
        for number, payment in enumerate(order.payments, start=1):
            made = holds.get(payment_id(order.order_id, number))
            status = made.status if made is not None else None
            captured_minor += payment.amount_minor if status == "captured" else 0
            if status not in ("captured", "released", "refused", None):
                yield f"{order.order_id} is {order.status}, its payment {number} is {status}"
            if made is not None and made.amount_minor != payment.amount_minor:
                yield f"{order.order_id} pays {payment.amount_minor}, its hold is {made.amount_minor}"
        if captured_minor != (order.total_minor if order.status == "completed" else 0):
            yield f"{order.order_id} is {order.status} and costs {order.total_minor}, {captured_minor} was captured"
    for hold in holds.values():
        if hold.status == "held":
            yield f"{hold.hold_id} is held for ever"


def pieces_are_conserved(seen: Evidence) -> Findings:
    moved: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    for movement in seen.rows("stock", Movement).values():
        moved[movement.sku] += movement.quantity
    for asked in seen.asked.values():
        if isinstance(asked.body, ReceiveStock | AdjustStock) and asked.answers and asked.answers[0].status == 200:
            expected[asked.body.sku] += asked.body.quantity
    for order in seen.orders.values():
        for line in order.lines:
            if order.status == "completed" and line.sku is not None:
                expected[line.sku] -= line.quantity
    for sku in seen.rows("stock", Sku).values():
        if not sku.on_hand == moved[sku.sku] == expected[sku.sku]:
            yield f"{sku.sku}: {sku.on_hand} on hand, {moved[sku.sku]} moved, {expected[sku.sku]} expected"
        if sku.reserved:
            yield f"{sku.sku}: {sku.reserved} reserved, but no order is open"


def money_is_conserved(seen: Evidence) -> Findings:
    accounts: Counter[str] = Counter()
    movements: Counter[str] = Counter()
    for posting in seen.rows("wallet", Posting).values():
        accounts[posting.account] += posting.amount_minor
        movements[posting.movement_id] += posting.amount_minor
    for movement_id, total in movements.items():
        if total:
            yield f"the postings of {movement_id} sum to {total}"
    for wallet in seen.rows("wallet", Wallet).values():
        if wallet.balance_minor != accounts[customer_account(wallet.customer_id)] or wallet.held_minor:
            yield f"{wallet} does not follow from its postings, or still holds"
    revenue = sum(order.total_minor for order in seen.orders.values() if order.status == "completed")
    if accounts[HOUSE_REVENUE] != revenue:
        yield f"revenue is {accounts[HOUSE_REVENUE]}, orders completed are worth {revenue}"
    brought = 0
    for asked in seen.asked.values():
        if isinstance(asked.body, DepositMoney | WithdrawMoney) and asked.answers and asked.answers[0].status == 201:
            brought += asked.body.amount_minor * (1 if isinstance(asked.body, DepositMoney) else -1)
    if -accounts[HOUSE_CLEARING] != brought:
        yield f"{brought} was brought in, the journal says {-accounts[HOUSE_CLEARING]}"


def people_are_told_once(seen: Evidence) -> Findings:
    told = defaultdict(list)
    for notification in seen.rows("notifications", Notification).values():
        told[notification.kind].append(notification.facts.order_id or notification.customer_id)
    for kind, status in (("order_completed", "completed"), ("order_cancelled", "cancelled")):
        ended = sorted(order.order_id for order in seen.orders.values() if order.status == status)
        if sorted(told[kind]) != ended:
            yield f"{kind}: told of {sorted(told[kind])}, happened to {ended}"
    if sorted(told["wallet_opened"]) != sorted(seen.rows("accounts", User)):
        yield f"wallets opened: told {sorted(told['wallet_opened'])}"


def copies_equal_their_source(seen: Evidence) -> Findings:
    skus = seen.rows("stock", Sku)
    for product in seen.rows("catalogue", Product).values():
        copy = seen.rows("orders", ProductCopy).get(product.sku)
        if copy is None or (copy.catalogue_version, copy.price_minor) != (product.version, product.price_minor):
            yield f"{product} was copied as {copy}"
        elif copy.sold_out != (skus[product.sku].available == 0):
            yield f"{skus[product.sku]} was copied as {copy}"


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
        if store.timers:
            yield f"{name} has timers that nothing needs: {[row.key for row in store.timers.values()][:3]}"


RULES: tuple[Callable[[Evidence], Findings], ...] = (
    every_order_ends,
    every_accepted_order_exists_and_no_other,
    the_same_key_gets_the_same_answer,
    goods_go_with_the_order,
    money_goes_with_the_order,
    pieces_are_conserved,
    money_is_conserved,
    people_are_told_once,
    copies_equal_their_source,
    every_message_is_handled_by_every_consumer,
    nothing_is_left_over,
)


def audit(seen: Evidence) -> list[str]:
    """Everything that is wrong, each with the rule that says so."""
    return [f"{rule.__name__}: {found}" for rule in RULES for found in rule(seen)]
