"""The inbox: ids of messages that were handled, written in the transaction that handled them.

Rules:
- At-least-once delivery, exactly-once effect: an id that is here has no further effect.
- Ids begin with their time, so old rows are pruned by a range of the primary key.
- A message older than the horizon goes to the dead letters as `too_old`: nobody remembers whether it was handled.
"""

from datetime import datetime, timedelta

from sagamart.messaging.message import first_id_at

INBOX_DAYS = 14
"""The horizon.  Longer than any topic's retention plus the longest parking."""

KNOWN = "select array_agg(id::text) from inbox where id = any({}::uuid[])"
REMEMBER = "insert into inbox (id) select unnest({}::uuid[])"
PRUNE = "delete from inbox where id < $1::uuid"


def oldest_remembered(now: datetime) -> str:
    """Ids below this one may have been forgotten."""
    return first_id_at(now - timedelta(days=INBOX_DAYS))
