"""What operators and their tools ask of a process: is it alive, is it ready, what is it, how is it doing.

Rules:
- Alive says that the loop turns, and nothing about what it needs: a restart does not mend a database.
- Ready asks each need in parallel, each within `CHECK_WAIT_S`, and names those that fail; why is in the log.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
import structlog
from litestar import Response, get, put
from litestar.handlers import HTTPRouteHandler

from sagamart.platform import logs
from sagamart.platform.http.bodies import RequestBody
from sagamart.platform.http.callers import Guard, roles
from sagamart.platform.http.problems import Problem
from sagamart.platform.metrics import Metrics

CHECK_WAIT_S = 2.0

Check = Callable[[], Awaitable[object]]
"""Raises where the need is not met."""

log = structlog.get_logger("sagamart.http")


class Info(msgspec.Struct, frozen=True):
    """What runs here; `paused` are the services among them that take no messages from others now."""

    version: str
    node: str
    services: Sequence[str]
    paused: Sequence[str] = ()


class Readiness(msgspec.Struct, frozen=True):
    """Every need by name."""

    status: str
    checks: Sequence[str]


class Liveness(msgspec.Struct, frozen=True):
    """The loop turns."""

    status: str = "alive"


class LogLevel(RequestBody, frozen=True):
    """The least level that is written."""

    level: logs.Level


@get("/healthz", tags=["operations"])
async def alive() -> Liveness:
    """Whether the process is alive."""
    return Liveness()


@get("/v1/operations/log-level", guards=[roles("ADMIN")], tags=["operations"])
async def log_level() -> LogLevel:
    """The least level that this process writes."""
    return LogLevel(logs.level())


@put("/v1/operations/log-level", guards=[roles("ADMIN")], tags=["operations"])
async def set_log_level(data: LogLevel) -> LogLevel:
    """Write from this level on, in this process, until it ends."""
    log.warning("log level changed", level_before=logs.level(), level_now=data.level)
    logs.set_level(data.level)
    return data


def operations_routes(
    info: Callable[[], Info], checks: Mapping[str, Check], metrics: Metrics, guards: Sequence[Guard] = ()
) -> list[HTTPRouteHandler]:
    """The routes of this process.  `guards` say who reads what it is and how it fares; its health is no secret."""

    @get("/readyz", tags=["operations"])
    async def ready() -> Readiness:
        """Whether the process can serve: its databases, its transport, its migrations."""
        failed = [name for name in await asyncio.gather(*(_failing(*one) for one in checks.items())) if name]
        if failed:
            raise Problem(503, "not_ready", f"Not ready: {', '.join(failed)}", facts={"failed": failed})
        return Readiness("ready", tuple(checks))

    @get("/info", guards=list(guards), tags=["operations"])
    async def about() -> Info:
        """Version, node and services."""
        return info()

    return [alive, ready, about, metrics_route(metrics, guards), log_level, set_log_level]


def metrics_route(metrics: Metrics, guards: Sequence[Guard] = ()) -> HTTPRouteHandler:
    """The route of these figures."""

    @get("/metrics", guards=list(guards), include_in_schema=False)
    async def measured() -> Response[bytes]:
        """Metrics in the text format of Prometheus."""
        return Response(await metrics.looked(), headers={"Content-Type": metrics.media_type})

    return measured


async def _failing(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_WAIT_S):
            await check()
    except Exception as error:  # whatever is wrong with a need, the process is not ready
        log.warning("not ready", check=name, exc_info=error)
        return name
    return ""
