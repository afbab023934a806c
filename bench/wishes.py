"""The orders of a run, made before its clock starts: two lines each, customers in turn, products at random."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec

from ground import CUSTOMERS, PRODUCTS, asked, customer, sku
from sagamart.messaging.message import Message
from sagamart.messaging.requests import Request
from sagamart.shop.orders.messages import PlaceOrder, PlacingRules, WantedLine, order_id_of

LINES = 2
RULES = PlacingRules(custom_lines=False, unpaid_orders_max=1, currency="RUB")
Wish = tuple[Message[Any], Request]


def baskets(count: int, *, seed: int, zipf: float = 0.0) -> list[tuple[int, Sequence[int]]]:
    """Customer and products of each order.  `zipf` 0: all products alike; 1: the nth is wanted 1/n as often."""
    chance = random.Random(seed)
    weights = [1 / (rank + 1) ** zipf for rank in range(PRODUCTS)]
    wanted = chance.choices(range(PRODUCTS), weights, k=count * LINES)
    people = chance.sample(range(CUSTOMERS), CUSTOMERS)
    return [(people[n % CUSTOMERS], wanted[n * LINES : n * LINES + LINES]) for n in range(count)]


def wishes(count: int, *, seed: int, zipf: float = 0.0) -> list[Wish]:
    """The messages of these orders, each with its request."""
    return [_wish(*basket) for basket in baskets(count, seed=seed, zipf=zipf)]


def _wish(who: int, products: Sequence[int]) -> Wish:
    lines = tuple(WantedLine(sku(product), 1) for product in products)
    message, request = asked(PlaceOrder("", customer(who), lines, RULES), "POST /v1/orders", lines)
    body = PlaceOrder(order_id_of(message.id), customer(who), lines, RULES)
    return msgspec.structs.replace(message, key=body.key, body=body), request
