"""A curse on the stock: a message of one kind that cannot be handled while it lies there."""

from typing import Any

import msgspec

from sagamart.contracts.order_requests import BookingRequested
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Message
from sagamart.messaging.records import Records
from sagamart.messaging.service import Handler, Service

CURSED = "CURSED"


class Curse:
    """While it lies on the stock, a booking of CURSED pieces makes the handler raise."""

    def __init__(self) -> None:
        self.lies = True

    def on(self, service: Service) -> Service:
        """The same service with the one handler that breaks."""
        handlers = [self._broken(one) if one.takes is BookingRequested else one for one in service.handlers.values()]
        return Service(service.name, tables=service.tables, handlers=handlers, migrations=service.migrations)

    def _broken(self, handler: Handler[Any]) -> Handler[Any]:
        def decide(message: Message[BookingRequested], records: Records) -> Decision:
            if self.lies and any(line.sku == CURSED for line in message.body.lines):
                raise RuntimeError("the shelf has fallen over")
            return handler.decide(message, records)

        return msgspec.structs.replace(handler, decide=decide)
