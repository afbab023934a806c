"""What orders reads outside its decisions: which orders of a customer there are to forget."""

from sagamart.messaging.message import Message
from sagamart.messaging.outside import Outside
from sagamart.platform.http import Queries
from sagamart.shop.orders.messages import OrderTracesFound, OrderTracesSought

PAGE_MAX = 200


def seeking(queries: Queries) -> Outside:
    """What finds the orders that still have something to erase."""

    async def seek(message: Message[OrderTracesSought]) -> OrderTracesFound:
        asked = message.body
        rows = await queries.orders_with_traces(customer_id=asked.customer_id, limit=PAGE_MAX)
        ended = tuple(row["order_id"] for row in rows if row["ended"])
        return OrderTracesFound(
            asked.customer_id, asked.first, ended, open=len(ended) < len(rows), more=len(ended) == PAGE_MAX
        )

    return Outside(name="orders to forget", calls={OrderTracesSought: seek})
