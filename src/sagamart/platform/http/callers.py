"""Who is calling, and what they may do.

Rules:
- A handler without a guard is public; `logged_in` lets in whoever has a valid token, `roles(…)` only these roles.
- A token of an OpenID provider may need keys that have to be read first: a guard waits for them, within bounds.
- The token is verified where a guard or a `caller` asks for it, once per request.
- Whether a thing belongs to the caller is the handler's business: a stranger's order is `NotFound`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from sagamart.platform.http.problems import Forbidden, Problem, Unauthenticated
from sagamart.platform.openid_keys import AGAIN_S
from sagamart.platform.tokens import Caller, KeysAwayError, KeysWantedError, TokenRefusedError

Role = Literal["CUSTOMER", "OPERATOR", "STOCK_OPERATOR", "SHIPPING_OPERATOR", "ADMIN"]
Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

ROLES = "sagamart_roles"
"""Where a guard carries the roles that it lets in: the API document and the table of permissions read them."""

_CALLER = "sagamart.caller"


def caller_of(connection: Connection) -> Caller:
    """The caller of this request.  Raises Unauthenticated without a valid bearer token."""
    scope: Any = connection.scope
    known = scope.get(_CALLER)
    if known is None:
        known = scope[_CALLER] = _verified(connection)
    return known  # type: ignore[no-any-return]  # the scope is a dict of anything


def _verified(connection: Connection) -> Caller:
    sent = connection.headers.get("authorization")
    if sent is None:
        raise Unauthenticated(token_sent=False)
    scheme, _, token = sent.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated(token_sent=False)
    try:
        caller: Caller = connection.app.state["tokens"].verify(token.strip())
    except KeysAwayError as away:
        wait = {"Retry-After": str(int(AGAIN_S))}
        raise Problem(
            503, "issuer_away", "The keys of who issued this token cannot be read now", headers=wait
        ) from away
    except TokenRefusedError as refused:
        raise Unauthenticated(token_sent=True) from refused
    connection.app.state["account_admission"](caller.id)
    return caller


async def logged_in(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Guard: any caller with a valid token."""
    await let_in(connection, frozenset())


def roles(*allowed: Role) -> Guard:
    """Guard: only callers with one of these roles."""
    wanted = frozenset[str](allowed)

    async def has_role(connection: Connection, _handler: BaseRouteHandler) -> None:
        await let_in(connection, wanted)

    setattr(has_role, ROLES, wanted)
    return has_role


setattr(logged_in, ROLES, frozenset())


async def let_in(connection: Connection, allowed: frozenset[str]) -> None:
    """`check_roles`, once the keys that the token needs have been read."""
    try:
        check_roles(connection, allowed)
    except Unauthenticated as refused:
        if not isinstance(refused.__cause__, KeysWantedError):
            raise
        await refused.__cause__.read()
        check_roles(connection, allowed)


def check_roles(connection: Connection, allowed: frozenset[str]) -> None:
    """Let the caller pass with one of these roles, or with any if none is named.

    Raises Unauthenticated, or Forbidden which says what is needed.
    """
    caller = caller_of(connection)
    if allowed and allowed.isdisjoint(caller.roles):
        raise Forbidden(f"This needs one of the roles {', '.join(sorted(allowed))}")
