"""How the services of this process are doing, over HTTP, for operators.  The front door joins all processes."""

import asyncio
from collections.abc import Mapping

from litestar import get
from litestar.handlers import HTTPRouteHandler

from sagamart.messaging.vitals import Vital, Vitals
from sagamart.platform.http.dead_letters import STAFF
from sagamart.platform.http.fresh import Fresh
from sagamart.platform.http.paging import JoinedPage


def vital_routes(vitals: Mapping[str, Vitals]) -> list[HTTPRouteHandler]:
    """The route over these services."""

    async def look() -> JoinedPage[Vital]:
        return JoinedPage(await asyncio.gather(*(one.look() for one in vitals.values())))

    known = Fresh(look)

    @get("/v1/operations/vitals", guards=[STAFF], tags=["operations"])
    async def list_vitals() -> JoinedPage[Vital]:
        """What waits in every service, and whether it works; a second old at most."""
        return await known()

    return [list_vitals]
