"""The house's accounts over HTTP, for staff: what moved in each, rolled up from the journal when it is asked."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec
from litestar import get
from litestar.params import FromQuery

from sagamart.platform.http import Malformed, Queries, roles
from sagamart.shop.wallet.records import MovementKind

DAYS_DEFAULT = 30
DAYS_MAX = 366


class HouseEntry(msgspec.Struct, frozen=True):
    """All movements of one kind in one account: how many there were, and what they come to."""

    account: str
    kind: MovementKind
    currency: str
    movements: int
    amount_minor: int


class HouseView(msgspec.Struct, frozen=True):
    """What moved in the house's accounts on these days (UTC), the first and the last included.

    `house:revenue` is what orders paid, discounts taken off; `house:refunds` (with a minus) what was given back of it.
    `house:bank` (with a minus) is what the bank took for the shop and still has to hand over, `house:clearing` (with a
    minus) what came in over the counter and did not go out again.
    """

    posted_from: date
    posted_to: date
    entries: tuple[HouseEntry, ...]


@get("/v1/wallet/house", guards=[roles("OPERATOR", "ADMIN")])
async def house(
    queries: Queries, posted_from: FromQuery[date | None] = None, posted_to: FromQuery[date | None] = None
) -> HouseView:
    """What moved in the house's accounts, by kind and currency: in the last 30 days, or in at most 366 others."""
    last = posted_to or datetime.now(UTC).date()
    try:
        first = posted_from or last - timedelta(days=DAYS_DEFAULT - 1)
        until = _midnight(last + timedelta(days=1))
    except OverflowError as error:
        raise Malformed("posted_to", "there is no such day") from error
    if not 0 <= (last - first).days < DAYS_MAX:
        raise Malformed("posted_from", f"from one day to a later one, {DAYS_MAX} of them at most")
    rows = await queries.house_accounts(since=_midnight(first), until=until)
    return HouseView(first, last, tuple([HouseEntry(*row.values()) for row in rows]))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
