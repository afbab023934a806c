"""The rows that timeline owns: a journal of what was said."""

from datetime import datetime
from typing import Any

from sagamart.messaging.records import Entry, Table


class StoryEntry(Entry, frozen=True):
    """One message about an order.  `source` said it at `at` (UTC), in the process `node`, because of `cause`.

    `customer_id`, `order_version` and `status` are those of the order, where the message is one of orders'; `body` is
    what `heard.py` keeps of it.  The row may go once `kept_until` has passed.
    """

    message_id: str
    order_id: str
    customer_id: str | None
    type: str
    source: str
    node: str
    at: datetime
    kept_until: datetime
    cause: str | None
    correlation: str
    order_version: int | None
    status: str | None
    body: dict[str, Any]


STORY_ENTRIES = Table(StoryEntry, "story_entries", key="message_id", expires="kept_until")
