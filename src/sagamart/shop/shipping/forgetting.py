"""Being forgotten: Shipments keep no address of a customer who was erased.

- What is on its way keeps its address until it has come to its end: a parcel must arrive.
- Which shipments there are is read by an adapter, a page at a time; what of them is erased is decided here, on their
  rows.
- It is looked at once more a day later, since a token of that customer may have been good for some minutes, and then
  every day until nothing is left.
- The journal of what carriers took stays, tracking numbers included: it proves that a parcel was sent.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from sagamart.contracts.accounts import CustomerErased
from sagamart.messaging.decision import NOTHING, Arm, Decision
from sagamart.messaging.message import Message
from sagamart.shop.shipping.messages import ForgetShipmentsAgain, ShipmentTracesFound, ShipmentTracesSought
from sagamart.shop.shipping.records import ENDED, Shipment

AGAIN_S = 86_400


def begin(message: Message[CustomerErased]) -> Decision:
    """A customer is to be forgotten: look for the shipments."""
    return Decision(send=[ShipmentTracesSought(message.body.customer_id, first=True)])


def look_again(message: Message[ForgetShipmentsAgain]) -> Decision:
    """A day has passed."""
    return Decision(send=[ShipmentTracesSought(message.body.customer_id, first=False)])


def forget(message: Message[ShipmentTracesFound], shipments: Sequence[Shipment]) -> Decision:
    """Erase the addresses that were found of shipments that have ended; look again for the rest."""
    found = message.body
    saved = [
        replace(one, version=one.version + 1, address=None)
        for one in shipments
        if one.status in ENDED and one.address is not None
    ]
    if found.more:
        return Decision(save=saved, send=[ShipmentTracesSought(found.customer_id, first=found.first)])
    again = Arm("forget", AGAIN_S, ForgetShipmentsAgain(found.customer_id))
    done = not (found.first or found.open or found.shipment_ids)
    return NOTHING if done else Decision(save=saved, timers=[again])
