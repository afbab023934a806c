"""Whether the pages live and can be used, where they run as a process of their own.

In one process with the API these paths are the API's.
"""

from litestar import Response, get

from sagamart.web.visit import Visit


@get("/healthz")
async def alive() -> Response[dict[str, str]]:
    """The process answers."""
    return Response({"status": "ok"})


@get("/readyz")
async def ready(visit: Visit) -> Response[dict[str, str]]:
    """The API answers too.  Raises ApiProblem."""
    await visit.api.ask("GET", "/healthz")
    return Response({"status": "ok"})


ROUTES = (alive, ready)
