"""What shipping reads outside its decisions: which shipments of a customer there are to forget."""

from sagamart.messaging.message import Message
from sagamart.messaging.outside import Outside
from sagamart.platform.http import Queries
from sagamart.shop.shipping.messages import ShipmentTracesFound, ShipmentTracesSought
from sagamart.shop.shipping.records import ENDED

PAGE_MAX = 200


def seeking(queries: Queries) -> Outside:
    """What finds the shipments that still have an address."""

    async def seek(message: Message[ShipmentTracesSought]) -> ShipmentTracesFound:
        asked = message.body
        rows = await queries.shipments_with_traces(customer_id=asked.customer_id, ended=list(ENDED), limit=PAGE_MAX)
        ended = tuple(row["shipment_id"] for row in rows if row["ended"])
        return ShipmentTracesFound(
            asked.customer_id, asked.first, ended, open=len(ended) < len(rows), more=len(ended) == PAGE_MAX
        )

    return Outside(name="shipments to forget", calls={ShipmentTracesSought: seek})
