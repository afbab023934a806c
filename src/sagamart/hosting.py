"""What a company runs beside its services: one door before them, pages for people, an audit, a maker of databases."""

import asyncio
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from sagamart.audit import AUDIT
from sagamart.door import Replicas, front_door
from sagamart.platform import logs
from sagamart.platform.databases import Passwords, provision
from sagamart.platform.http.application import VERSION, Process, build_app
from sagamart.platform.http.auditing import audit_routes
from sagamart.platform.http_client import Address
from sagamart.platform.internal.posting import Destinations
from sagamart.platform.keys import accepted_tokens
from sagamart.platform.metrics import Metrics
from sagamart.platform.traces import traced
from sagamart.programs import DSN, CannotStartError, Say, dsns_of, listening, reached, until_stopped
from sagamart.rooms import auditor_of
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES
from sagamart.web import build_pages

PAGES = "web"
"""What is served beside the services, and is none: the pages for people."""

AUDIT_S_MAX = 3600.0
"""So long one audit of a company's databases may take."""

ASKED_OF_A_NAME = 3
"""How often a door that knows a service by one name tries it, since another replica may answer each time."""


async def door(settings: ShopSettings, say: Say) -> None:
    """One address before services that run elsewhere.  Raises CannotStartError, KeyFileError."""
    known = replicas_of(settings)
    logs.configure(settings.node or "door", VERSION, settings.logs.level, settings.logs.format)
    tokens = accepted_tokens(settings)
    metrics = Metrics()
    async with (
        Replicas(known) as replicas,
        listening(front_door(settings, replicas, tokens, metrics), settings, metrics) as address,
    ):
        say(f"The door is open at {address}")
        await until_stopped()


async def pages(settings: ShopSettings, say: Say) -> None:
    """The pages, over the API at `settings.web.api_url`.  Raises CannotStartError, SettingsError."""
    node = settings.node or PAGES
    logs.configure(node, VERSION, settings.logs.level, settings.logs.format)
    metrics = Metrics()
    metrics.about(VERSION, node)
    async with (
        traced(settings.traces, node, VERSION) as traces,
        listening(
            build_pages(settings.web, settings.http, metrics=metrics, traces=traces), settings, metrics
        ) as address,
    ):
        say(f"The pages at {address}, over the API at {settings.web.api_url}")
        await until_stopped()


async def auditing(settings: ShopSettings, say: Say) -> None:
    """The audit of all services, again and again; operators ask it, through the door, what it found last.

    Raises CannotStartError, KeyFileError.
    """
    dsns = await reached(dsns_of(settings.database.dsn, list(SLICES), DSN), DSN)
    node = settings.node or AUDIT
    logs.configure(node, VERSION, settings.logs.level, settings.logs.format)
    tokens = accepted_tokens(settings)
    metrics = Metrics()
    auditor = auditor_of(dsns, metrics, AUDIT_S_MAX)
    process = Process(settings.http, node, metrics=metrics, routes=audit_routes(auditor))
    async with listening(build_app([], tokens=tokens, process=process), settings, metrics) as address:
        say(f"The audit at {address}, every {settings.audit.every_s} s")
        repeating = asyncio.create_task(auditor.repeat(settings.audit.every_s), name="audits")
        try:
            await until_stopped()
        finally:
            repeating.cancel()
            await auditor.stop()


def replicas_of(settings: ShopSettings) -> dict[str, list[Address]]:
    """Where each service is, and the audit, if there is one.  Raises CannotStartError."""
    setting = ",".join(settings.door.destinations)
    try:
        destinations = Destinations(settings.door.destinations)
    except ValueError as error:
        raise CannotStartError(f"SAGAMART_DOOR_DESTINATIONS={setting}: {error}") from error
    places = {name: destinations.of(name) for name in (*SLICES, AUDIT)}
    lost = [name for name in SLICES if not places[name]]
    if lost:
        raise CannotStartError(f"SAGAMART_DOOR_DESTINATIONS={setting}: does not say where {', '.join(lost)} is")
    return {name: some * ASKED_OF_A_NAME if len(some) == 1 else some for name, some in places.items() if some}


async def provisioned(settings: ShopSettings, names: Sequence[str], say: Say) -> None:
    """Databases and roles for these services, with the passwords of their DSNs.  Raises CannotStartError."""
    admin = settings.database.admin_dsn
    if not admin:
        raise CannotStartError("set SAGAMART_DATABASE_ADMIN_DSN to a role that may create databases and roles")
    owners = dsns_of(settings.database.owner_dsn, names, "SAGAMART_DATABASE_OWNER_DSN")
    runtimes = dsns_of(settings.database.dsn, names, "SAGAMART_DATABASE_DSN")
    for name in names:
        await provision(admin, name, Passwords(_password(owners[name]), _password(runtimes[name])))
        say(f"{name}: its database and roles are there")


def _password(dsn: str) -> str:
    return unquote(urlsplit(dsn).password or "")
