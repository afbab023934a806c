"""Stock as a service: which records each message needs, and which rule decides."""

from collections.abc import Mapping, Sequence
from typing import Any

from sagamart.contracts.order_requests import BookingRequested, StockCheckRequested
from sagamart.contracts.orders import OrderCancelled, OrderPaid, OrderReturned
from sagamart.contracts.stock import (
    ReservationRevoked,
    SkuBackInStock,
    SkuSoldOut,
    StockBooked,
    StockChecked,
    StockRefused,
)
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.stock.decide import (
    adjust,
    attempt_ids,
    book,
    check,
    commit,
    receive,
    release,
    take_back,
    wanted_pieces,
)
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock, ReservationsFound, ReservationsSought
from sagamart.shop.stock.missing import revoke
from sagamart.shop.stock.records import MOVEMENTS, RESERVATIONS, SKUS, Reservation, Sku


def _attempt(message: Message[OrderPaid] | Message[OrderReturned]) -> Sequence[Need]:
    return need(Reservation, message.body.attempt_id), _wanted(message)


def _attempts(message: Message[BookingRequested]) -> Sequence[Need]:
    return need(Reservation, *attempt_ids(message.body)), _wanted(message)


def _wanted(message: Message[Any]) -> Need:
    return need(Sku, *wanted_pieces(message.body.lines))


def _skus(message: Message[Any], have: Records) -> Mapping[str, Sku]:
    return have.pick(Sku, wanted_pieces(message.body.lines))


def _reserved_skus(_message: Message[Any], records: Records) -> Sequence[Need]:
    skus = {line.sku for reservation in records.all(Reservation).values() for line in reservation.lines}
    return (need(Sku, *skus),) if skus else ()


def _earlier_skus(message: Message[BookingRequested], records: Records) -> Sequence[Need]:
    """A first attempt has no earlier ones."""
    return _reserved_skus(message, records) if message.body.attempt > 1 else ()


def _found(message: Message[ReservationsFound]) -> Sequence[Need]:
    body = message.body
    sku = need(Sku, body.sku)
    return (need(Reservation, *body.reservations), sku) if body.reservations else (sku,)


STOCK = Service(
    "stock",
    tables=(RESERVATIONS, SKUS, MOVEMENTS),
    migrations="sagamart.shop.stock.migrations",
    handlers=(
        Handler(
            takes=StockCheckRequested,
            needs=lambda m: (_wanted(m),),
            decide=lambda m, have: check(m.body, _skus(m, have)),
            emits=(StockChecked, StockRefused),
        ),
        Handler(
            takes=BookingRequested,
            needs=_attempts,
            then=_earlier_skus,
            decide=lambda m, have: book(m, have.all(Reservation), have.all(Sku)),
            emits=(StockBooked, StockRefused, SkuSoldOut, SkuBackInStock, ReservationsSought),
        ),
        Handler(
            takes=OrderPaid,
            needs=_attempt,
            decide=lambda m, have: commit(m, have.find(Reservation, m.body.attempt_id), _skus(m, have)),
            emits=(ReservationsSought,),
        ),
        Handler(
            takes=OrderReturned,
            needs=_attempt,
            decide=lambda m, have: take_back(m, have.find(Reservation, m.body.attempt_id), _skus(m, have)),
            emits=(SkuBackInStock, SkuSoldOut, ReservationsSought),
        ),
        Handler(
            takes=OrderCancelled,
            needs=lambda m: (need(Reservation, *attempt_ids(m.body)),),
            then=_reserved_skus,
            decide=lambda m, have: release(m, have.all(Reservation), have.all(Sku)),
            emits=(SkuBackInStock,),
        ),
        Handler(
            takes=ReceiveStock,
            needs=lambda m: (need(Sku, m.body.sku),),
            decide=lambda m, have: receive(m, have.find(Sku, m.body.sku)),
            emits=(SkuBackInStock,),
        ),
        Handler(
            takes=AdjustStock,
            needs=lambda m: (need(Sku, m.body.sku),),
            decide=lambda m, have: adjust(m, have.find(Sku, m.body.sku)),
            emits=(SkuBackInStock, SkuSoldOut, ReservationsSought),
        ),
        Handler(
            takes=ReservationsFound,
            needs=_found,
            decide=lambda m, have: revoke(m.body, have.get(Sku, m.body.sku), have.all(Reservation)),
            emits=(ReservationRevoked, ReservationsSought),
        ),
    ),
    outside=(ReservationsSought,),
)
