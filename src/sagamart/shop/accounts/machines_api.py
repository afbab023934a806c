"""Programs that log in by themselves: the administrators' routes, and the log-in (OAuth 2.0, client credentials).

A secret is shown once, when it is made; afterwards only its digest exists.
"""

import base64
import binascii
import secrets
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.params import PathParameter
from msgspec import Meta

from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Limit,
    Page,
    Problem,
    Queries,
    RequestBody,
    json_response,
    key_of,
    page_of,
    roles,
)
from sagamart.shop.accounts.machines import MachineView
from sagamart.shop.accounts.messages import AdmitMachine, DismissMachine
from sagamart.shop.accounts.records import MachineRole
from sagamart.shop.accounts.registration import Name

SECRET_BYTES = 32
CLIENT_ID_BYTES = 16
_CLIENT_ID = r"^cli_[0-9a-f]{32}$(?!\n)"
_NO_SECRET = "0" * 64

ClientId = Annotated[str, PathParameter(pattern=_CLIENT_ID, description="A client's id")]
ClientIdText = Annotated[str, Meta(pattern=_CLIENT_ID)]


class NewMachine(RequestBody, frozen=True):
    """A program that shall log in by itself."""

    name: Name
    roles: Annotated[tuple[MachineRole, ...], Meta(min_length=1, max_length=3)]


class AdmittedMachine(msgspec.Struct, frozen=True):
    """A program with its secret, which is shown this once."""

    client_id: str
    name: str
    roles: tuple[MachineRole, ...]
    made_by: str
    made_at: datetime
    client_secret: str
    revoked_at: datetime | None = None


class ClientCredentials(NamedTuple):
    """What a program logs in with."""

    client_id: str
    secret: str


@post("/v1/clients", guards=[roles("ADMIN")], status_code=201)
async def admit_machine(data: NewMachine, ask: Ask, caller: Caller) -> Response[AdmittedMachine]:
    """Let a program log in with a client id and a secret.  An Idempotency-Key cannot show the secret again (422)."""
    client_id = f"cli_{secrets.token_hex(CLIENT_ID_BYTES)}"
    secret = secrets.token_urlsafe(SECRET_BYTES)
    reply = await ask.reply_to(
        AdmitMachine(client_id, caller.id, data.name, _digest(secret), data.roles), content=(data, _digest(secret))
    )
    if reply.refused:
        return Response(reply.body, status_code=reply.status, media_type=reply.media_type)  # type: ignore[arg-type]  # a problem instead of a machine
    machine = msgspec.json.decode(reply.body, type=MachineView)
    shown = AdmittedMachine(client_secret=secret, **msgspec.structs.asdict(machine))
    return json_response(shown, status=201, headers={"Cache-Control": "no-store", "Location": reply.location or ""})


@get("/v1/clients", guards=[roles("ADMIN")])
async def list_machines(queries: Queries, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Page[MachineView]:
    """Programs that may log in, and those that may no more."""
    rows = await queries.machines_after(after=key_of(cursor, ClientIdText) or "", limit=limit + 1)
    machines = [MachineView(**{**row, "roles": tuple(msgspec.json.decode(row["roles"]))}) for row in rows]
    return page_of(machines, limit, lambda machine: machine.client_id)


@delete("/v1/clients/{client_id:str}", guards=[roles("ADMIN")], status_code=204)
async def dismiss_machine(client_id: ClientId, ask: Ask, caller: Caller) -> Response[None]:
    """Let a program log in no more; its last access token ends within ten minutes."""
    return await ask(DismissMachine(client_id, caller.id))


async def verified(credentials: ClientCredentials, queries: Queries) -> Caller | None:
    """The program with these credentials."""
    found = await queries.machine_of(client_id=credentials.client_id)
    kept = _NO_SECRET if found is None else found["secret_hash"]
    if not compare_digest(kept, _digest(credentials.secret)) or found is None:
        return None
    return Caller(found["client_id"], frozenset(msgspec.json.decode(found["roles"])))


def basic_credentials(request: Request[Any, Any, Any]) -> ClientCredentials | None:
    """What the Authorization header holds by the Basic scheme (RFC 6749, 2.3.1), if it does."""
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(sent.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise invalid_client() from error
    return ClientCredentials(client_id, secret)


def invalid_client() -> Problem:
    """401 as OAuth 2.0 has it: `error` is its word, `code` ours."""
    return Problem(
        401,
        "wrong_credentials",
        "There is no client with this id and secret",
        facts={"error": "invalid_client"},
        headers={"WWW-Authenticate": "Basic"},
    )


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


ROUTES = (admit_machine, list_machines, dismiss_machine)
