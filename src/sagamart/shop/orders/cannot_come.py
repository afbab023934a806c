"""Messages that cannot come in a status, and why.  One that does is a fault: it goes to the dead letters.

The saga linter accepts no other gap in the table.
"""

from collections.abc import Mapping
from typing import Final

from sagamart.contracts.orders import Status
from sagamart.contracts.stock import StockRefused
from sagamart.contracts.wallet import MoneyCaptured, MoneyRefused
from sagamart.messaging.message import Body

CANNOT_COME: Final[Mapping[tuple[Status, type[Body]], str]] = {
    ("capturing", StockRefused): "the goods were booked, and an attempt is answered in one way for ever",
    ("capturing", MoneyRefused): "the money was held, and an attempt is answered in one way for ever",
    ("completed", StockRefused): "the goods were booked, and an attempt is answered in one way for ever",
    ("completed", MoneyRefused): "the money was held, and an attempt is answered in one way for ever",
    ("cancelled", MoneyCaptured): "only capturing asks for a capture, and it cannot be cancelled",
}
