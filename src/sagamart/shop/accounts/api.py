"""The HTTP routes of accounts.

Rules:
- An `Idempotency-Key` cannot replay a log-in or a refresh, since tokens are not kept: the second use is refused (422).
- Answers that hold tokens are `Cache-Control: no-store`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sagamart.messaging.requests import StoredReply
from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Limit,
    Malformed,
    NotFound,
    Page,
    Problem,
    Queries,
    RequestBody,
    if_match,
    json_response,
    key_of,
    logged_in,
    page_of,
    roles,
    versioned,
)
from sagamart.platform.tokens import ACCESS_TOKEN_LIFETIME_S, Tokens
from sagamart.shop.accounts import credentials_api, letters_api, machines_api, people_api, personal_api
from sagamart.shop.accounts.decide import Profile, Session
from sagamart.shop.accounts.failures import admit, note_failure, origins_of
from sagamart.shop.accounts.machines_api import ClientCredentials, basic_credentials, invalid_client, verified
from sagamart.shop.accounts.messages import ChangeProfile, ChangeRoles, EndSession, RotateSession, StartSession
from sagamart.shop.accounts.passwords import PASSWORD_CHARACTERS_MAX, PASSWORDS
from sagamart.shop.accounts.personal_api import NotedRoleChange, profile_of_row, role_changes
from sagamart.shop.accounts.records import Language, Role
from sagamart.shop.accounts.refresh_tokens import REFRESH_TOKEN_CHARACTERS_MAX, RefreshToken, new_family, parse
from sagamart.shop.accounts.registration import Email, Name, NewCustomer, registration

ROLES_MAX = 5
CREDENTIAL_CHARACTERS_MAX = 200
JWKS_FRESH_S = 300
"""So long a verifier may keep the public keys: a new key must be published that long before it signs."""

UserId = Annotated[str, PathParameter(pattern=r"^cus_[0-9a-f]{32}$(?!\n)", description="A user's id")]


class Credentials(RequestBody, frozen=True):
    """What somebody logs in with: a person with e-mail and password, a program with client id and secret."""

    email: Email | None = None
    password: Annotated[str, msgspec.Meta(max_length=PASSWORD_CHARACTERS_MAX)] | None = None
    grant_type: Literal["client_credentials"] | None = None
    client_id: Annotated[str, msgspec.Meta(max_length=CREDENTIAL_CHARACTERS_MAX)] | None = None
    client_secret: Annotated[str, msgspec.Meta(max_length=CREDENTIAL_CHARACTERS_MAX)] | None = None

    def __repr__(self) -> str:
        return "Credentials()"  # it holds a password, and representations end in logs


ChangeId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f-]{36}$(?!\n)")]


class HeldToken(RequestBody, frozen=True):
    """The latest refresh token that a client has."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=REFRESH_TOKEN_CHARACTERS_MAX)]

    def __repr__(self) -> str:
        return "HeldToken()"  # the same


class ProfileChange(RequestBody, frozen=True):
    """What somebody may change of the own profile; what is left out or null stays as it is."""

    name: Name | None = None
    language: Language | None = None


class RoleAssignment(RequestBody, frozen=True):
    """All roles that a user shall have."""

    roles: Annotated[tuple[Role, ...], msgspec.Meta(min_length=1, max_length=ROLES_MAX)]


class TokenPair(msgspec.Struct, frozen=True, omit_defaults=True):
    """An access token for requests and, for a person, a refresh token for the next pair (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str | None = None
    refresh_expires_at: datetime | None = None


@post("/v1/users", status_code=201)
async def register(data: NewCustomer, ask: Ask, language: Language) -> Response[Profile]:
    """Become a customer."""
    command = await registration(data, PASSWORDS, language)
    # The digest of `content` is kept; with the password in it, guesses could be tried against it at no cost.
    return await ask(command, content=(data.email.lower(), data.name, data.language))


@post("/v1/tokens", status_code=201, opt={"form": True, "also": (401,)})
async def log_in(request: Request[Any, Any, Any], data: Credentials, ask: Ask, queries: Queries) -> Response[TokenPair]:
    """Log in: 201 with an access token and a refresh token.

    A program sends `grant_type=client_credentials` (JSON or a form, the secret also by the Basic scheme) and gets an
    access token alone.  Too many failures, of one account or from one address, are answered with 429 for a while.
    """
    if data.grant_type is not None:
        return await _machine_logs_in(request, data, ask, queries)
    if data.email is None or data.password is None:
        raise Malformed("email" if data.email is None else "password", "is missing")
    origins = origins_of(f"user {data.email.lower()}", request)
    await admit(origins, queries)
    found = await queries.credentials_of(email=data.email.lower())
    # The check is made for unknown users too: the answer and its time must not tell who is a customer.
    right = await PASSWORDS.matches(data.password, None if found is None else found["password_hash"])
    if found is None or not right:
        await note_failure(origins, ask)
        raise Problem(401, "wrong_credentials", "There is no user with this e-mail address and password")

    token = new_family()
    reply = await ask.reply_to(
        StartSession(token.family_id, token.family_hash, found["customer_id"], token.token_hash, found["epoch"]),
        content=token.token_hash,
    )
    return _answer(request, reply, token)


async def _machine_logs_in(
    request: Request[Any, Any, Any], data: Credentials, ask: Ask, queries: Queries
) -> Response[TokenPair]:
    """An access token for a program; nothing is kept of it, so nothing has to be handled."""
    credentials = basic_credentials(request) or ClientCredentials(data.client_id or "", data.client_secret or "")
    origins = origins_of(f"client {credentials.client_id}", request)
    await admit(origins, queries)
    caller = await verified(credentials, queries)
    if caller is None:
        await note_failure(origins, ask)
        raise invalid_client()
    pair = TokenPair(_tokens(request).sign(caller), "Bearer", ACCESS_TOKEN_LIFETIME_S)
    return json_response(pair, status=201, headers={"Cache-Control": "no-store"})


@post("/v1/tokens/refresh", status_code=200, opt={"also": (401,)})
async def refresh(request: Request[Any, Any, Any], data: HeldToken, ask: Ask) -> Response[TokenPair]:
    """Spend a refresh token for a new pair.  A token that was spent before ends the whole log-in."""
    held = parse(data.refresh_token)
    if held is None:
        raise Problem(401, "session_invalid", "Log in again")
    fresh = held.next()
    reply = await ask.reply_to(
        RotateSession(held.family_id, held.family_hash, held.token_hash, fresh.token_hash), content=fresh.token_hash
    )
    return _answer(request, reply, fresh)


@post("/v1/tokens/revocation", status_code=204)
async def log_out(data: HeldToken, ask: Ask) -> Response[None]:
    """Log out: no refresh token of this log-in is good any more; its last access token ends within ten minutes."""
    held = parse(data.refresh_token)
    if held is None:
        return Response(None, status_code=204)
    return await ask(EndSession(held.family_id, held.family_hash), content=held.family_hash)


@get("/v1/me", guards=[logged_in], opt={"also": (304, 404)})
async def own_profile(request: Request[Any, Any, Any], caller: Caller, queries: Queries) -> Response[Profile]:
    """The caller's own profile, with its ETag."""
    return await _profile(request, caller.id, queries)


@patch("/v1/me", guards=[logged_in], opt={"also": (412,)})
async def change_own_profile(
    request: Request[Any, Any, Any], data: ProfileChange, ask: Ask, caller: Caller
) -> Response[Profile]:
    """Change the own name or language.  If-Match is optional, since nobody else writes these."""
    change = ChangeProfile(caller.id, data.name, data.language, if_match(request))
    return await ask(change, content=data)


@get("/v1/users/{user_id:str}", guards=[roles("ADMIN")], opt={"also": (304,)})
async def profile_of(request: Request[Any, Any, Any], user_id: UserId, queries: Queries) -> Response[Profile]:
    """Any user's profile, with its ETag."""
    return await _profile(request, user_id, queries)


@put("/v1/users/{user_id:str}/roles", guards=[roles("ADMIN")])
async def assign_roles(
    user_id: UserId, data: RoleAssignment, ask: Ask, caller: Caller, expected_version: int
) -> Response[Profile]:
    """Give a user these roles and no others, under the If-Match of the profile."""
    return await ask(ChangeRoles(user_id, data.roles, caller.id, expected_version), content=data)


@get("/v1/users/{user_id:str}/role-changes", guards=[roles("ADMIN")])
async def list_role_changes(
    user_id: UserId, queries: Queries, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Page[NotedRoleChange]:
    """Who gave and took this user's roles, the oldest change first."""
    found = await role_changes(user_id, queries, key_of(cursor, ChangeId) or "", limit + 1)
    return page_of(found, limit, lambda change: change.change_id)


@get("/.well-known/jwks.json", sync_to_thread=False)
def public_keys(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """The keys that access tokens are verified with (RFC 7517)."""
    return Response(_tokens(request).jwks(), headers={"Cache-Control": f"public, max-age={JWKS_FRESH_S}"})


ROUTES: Sequence[HTTPRouteHandler] = (
    register,
    log_in,
    refresh,
    log_out,
    own_profile,
    change_own_profile,
    profile_of,
    assign_roles,
    list_role_changes,
    public_keys,
    *credentials_api.ROUTES,
    *people_api.ROUTES,
    *letters_api.ROUTES,
    *personal_api.ROUTES,
    *machines_api.ROUTES,
)


async def _profile(request: Request[Any, Any, Any], user_id: str, queries: Queries) -> Response[Profile]:
    found = await queries.user_of(customer_id=user_id)
    if found is None:
        raise NotFound("There is no such user")
    profile = profile_of_row(found)
    return versioned(request, profile, profile.version)


def _answer(request: Request[Any, Any, Any], reply: StoredReply, token: RefreshToken) -> Response[TokenPair]:
    """The pair, once the message has committed: neither token is in it, nor in the stored reply."""
    if reply.refused:
        return Response(reply.body, status_code=reply.status, media_type=reply.media_type)  # type: ignore[arg-type]  # a problem instead of a pair
    session = msgspec.json.decode(reply.body, type=Session)
    access_token = _tokens(request).sign(Caller(session.customer_id, frozenset(session.roles), session.family_id))
    pair = TokenPair(access_token, "Bearer", ACCESS_TOKEN_LIFETIME_S, token.text, session.expires_at)
    return json_response(pair, status=reply.status, headers={"Cache-Control": "no-store"})


def _tokens(request: Request[Any, Any, Any]) -> Tokens:
    tokens: Tokens = request.app.state["tokens"]
    return tokens
