"""How fast orders come and where they stand, over HTTP, for operators: by the second, over the last minutes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter

from sagamart.contracts.orders import Status
from sagamart.messaging.message import first_id_at
from sagamart.platform.http import Queries, roles

COUNTED_MAX = 50_000
"""Of more orders than these only the newest are counted."""

SECONDS_DEFAULT = 60
SECONDS_MAX = 300


class Second(msgspec.Struct, frozen=True):
    """The orders that were placed in one second, by where they stand now."""

    at: datetime
    statuses: Mapping[Status, int]


class Pace(msgspec.Struct, frozen=True):
    """Orders of the last `seconds`, until `now`; seconds without any are left out.

    `truncated`: there were more than are counted, and the first seconds lack them.
    """

    now: datetime
    seconds: int
    statuses: Mapping[Status, int]
    placed: Sequence[Second]
    truncated: bool


@get("/v1/operations/orders/pace", guards=[roles("OPERATOR", "ADMIN")], tags=["operations"])
async def pace(
    queries: Queries, seconds: Annotated[int, QueryParameter(ge=1, le=SECONDS_MAX)] = SECONDS_DEFAULT
) -> Pace:
    """How many orders were placed in each of the last seconds, and where they stand."""
    now = datetime.now(UTC)
    after = "ord_" + first_id_at(now - timedelta(seconds=seconds)).replace("-", "")
    rows = await queries.pace(after=after, counted=COUNTED_MAX)
    placed: dict[datetime, dict[Status, int]] = {}
    statuses: dict[Status, int] = {}
    for row in rows:
        placed.setdefault(row["second"], {})[row["status"]] = row["orders"]
        statuses[row["status"]] = statuses.get(row["status"], 0) + row["orders"]
    counted = sum(statuses.values())
    return Pace(now, seconds, statuses, [Second(*one) for one in placed.items()], counted >= COUNTED_MAX)
