"""How the services of this process are doing, over HTTP, for operators.  The front door joins all processes."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from msgspec import structs

from sagamart.messaging.vitals import Vital, Vitals
from sagamart.platform.http.dead_letters import STAFF
from sagamart.platform.http.fresh import Fresh
from sagamart.platform.http.paging import JoinedPage

PAST_S_MAX = 300
PastSeconds = Annotated[
    int, QueryParameter(ge=0, le=PAST_S_MAX, description="So far back, too, as far as somebody has looked")
]


def vital_routes(vitals: Mapping[str, Vitals]) -> list[HTTPRouteHandler]:
    """The route over these services."""

    async def look() -> JoinedPage[Vital]:
        return JoinedPage(await asyncio.gather(*(one.look() for one in vitals.values())))

    known = Fresh(look)

    @get("/v1/operations/vitals", guards=[STAFF], tags=["operations"])
    async def list_vitals(past_s: PastSeconds = 0) -> JoinedPage[Vital]:
        """What waits in every service, and whether it works; a second old at most.

        With `past_s` what has waited is told, too: as it was each time that somebody asked, in that many seconds.
        """
        after = datetime.now(UTC) - timedelta(seconds=past_s)
        shown = (await known()).items
        return JoinedPage([structs.replace(one, past=[then for then in one.past if then.at > after]) for one in shown])

    return [list_vitals]
