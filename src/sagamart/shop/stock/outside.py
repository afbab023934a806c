"""What stock reads outside its decisions: which orders have been promised pieces that are missing."""

from sagamart.messaging.message import Message
from sagamart.messaging.outside import Outside
from sagamart.platform.http import Queries
from sagamart.shop.stock.messages import ReservationsFound, ReservationsSought

PAGE_MAX = 200


def seeking(queries: Queries) -> Outside:
    """What finds the reservations of a sku, the newest order first, a page at a time."""

    async def seek(message: Message[ReservationsSought]) -> ReservationsFound:
        asked = message.body
        rows = await queries.newest_reservations_of(sku=asked.sku, before=asked.before, limit=PAGE_MAX)
        before = rows[-1]["order_id"] if len(rows) == PAGE_MAX else None
        return ReservationsFound(asked.sku, asked.pieces, tuple([row["reservation_id"] for row in rows]), before)

    return Outside(name="reservations of missing pieces", calls={ReservationsSought: seek})
