"""One front door for services in processes of their own: a small reverse proxy, and the same routes for a big one.

`sagamart cluster` opens it, and `sagamart door` before services that run anywhere.  A proxy of your choice can do the
same work: `nginx.py` writes its configuration from the same table of routes.
"""

from typing import Any

from msgspec.structs import replace

from sagamart.audit import AUDIT
from sagamart.door.figures import Relays
from sagamart.door.proxy import Asgi, Door
from sagamart.door.replicas import Replicas
from sagamart.door.routes import RouteTable, auditing_routes, route_table
from sagamart.platform.http import Mounted, Process, build_app
from sagamart.platform.http.limits import Clients
from sagamart.platform.http.operations import Check
from sagamart.platform.http.vitals import vital_routes
from sagamart.platform.metrics import Metrics
from sagamart.platform.tokens import Tokens
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES

__all__ = ["Door", "Replicas", "RouteTable", "front_door", "route_table"]

NODE = "door"


def front_door(settings: ShopSettings, replicas: Replicas, tokens: Tokens, metrics: Metrics) -> Asgi:
    """The application of a door to these services.  It answers by itself for the joined API documents and itself.

    Everybody reaches it, so what it is and how it fares is for staff, whatever the processes behind it do.  It is ready
    without the audit, which no customer asks.
    """
    services = [name for name in replicas.services if name != AUDIT]
    mounted = [Mounted(name, SLICES[name](settings).routes, _nobody, None) for name in services]
    checks = {name: _reached(replicas, name) for name in services}
    watched = replace(settings.http, monitoring="staff")
    # None of these is ever asked here: they are for the documents.
    others = [*vital_routes({}), *(auditing_routes() if AUDIT in replicas.services else ())]
    own = build_app(mounted, tokens=tokens, process=Process(watched, NODE, checks, metrics, routes=others))
    return Door(route_table(), replicas, own, Relays(metrics), Clients(settings.http.trusted_proxies))


async def _nobody(*_request: Any) -> Any:
    raise RuntimeError("the door hands requests on; it answers none for a service")


def _reached(replicas: Replicas, service: str) -> Check:
    async def check() -> None:
        async for replica, connection in replicas.reachable(service):
            replica.keep(connection)
            return
        raise ConnectionError(f"no replica of {service} can be reached")

    return check
