"""Stock as a service: which records each message needs, and which rule decides."""

from collections.abc import Sequence

from sagamart.contracts.order_requests import BookingRequested
from sagamart.contracts.orders import OrderCancelled, OrderPaid
from sagamart.contracts.stock import SkuBackInStock, SkuSoldOut, StockBooked, StockRefused
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.stock.decide import adjust, attempt_ids, book, commit, receive, release, wanted_pieces
from sagamart.shop.stock.messages import AdjustStock, ReceiveStock
from sagamart.shop.stock.records import MOVEMENTS, RESERVATIONS, SKUS, Reservation, Sku


def _attempt(message: Message[BookingRequested] | Message[OrderPaid]) -> Sequence[Need]:
    return need(Reservation, message.body.attempt_id), need(Sku, *wanted_pieces(message.body.lines))


def _reserved_skus(_message: Message[OrderCancelled], records: Records) -> Sequence[Need]:
    skus = {line.sku for reservation in records.all(Reservation).values() for line in reservation.lines}
    return (need(Sku, *skus),) if skus else ()


STOCK = Service(
    "stock",
    tables=(RESERVATIONS, SKUS, MOVEMENTS),
    migrations="sagamart.shop.stock.migrations",
    handlers=(
        Handler(
            takes=BookingRequested,
            needs=_attempt,
            decide=lambda m, have: book(
                m.body, have.find(Reservation, m.body.attempt_id), have.pick(Sku, wanted_pieces(m.body.lines))
            ),
            emits=(StockBooked, StockRefused, SkuSoldOut),
        ),
        Handler(
            takes=OrderPaid,
            needs=_attempt,
            decide=lambda m, have: commit(
                m, have.find(Reservation, m.body.attempt_id), have.pick(Sku, wanted_pieces(m.body.lines))
            ),
        ),
        Handler(
            takes=OrderCancelled,
            needs=lambda m: (need(Reservation, *attempt_ids(m.body)),),
            then=_reserved_skus,
            decide=lambda m, have: release(m.body, have.all(Reservation), have.all(Sku)),
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
            emits=(SkuBackInStock, SkuSoldOut),
        ),
    ),
)
