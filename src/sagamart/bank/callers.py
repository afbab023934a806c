"""Who is calling the bank: a merchant with its API key, or the administrator with the bank's."""

import hmac
from collections.abc import Mapping
from typing import Any, cast

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from sagamart.bank.merchants import KnownMerchant, Merchants
from sagamart.platform.http.callers import ROLES
from sagamart.platform.http.problems import Unauthenticated

MERCHANT = "MERCHANT"
ADMIN = "ADMIN"

_KNOWN = "sagamart.bank.merchant"


async def is_merchant(_connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard: a merchant with its API key."""


async def is_admin(_connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard: whoever has the bank's admin key."""


# `bind` takes guards that carry roles off the route; Doors checks them before anything is parsed.
setattr(is_merchant, ROLES, frozenset({MERCHANT}))
setattr(is_admin, ROLES, frozenset({ADMIN}))


class Doors:
    """Lets callers in by their keys."""

    def __init__(self, merchants: Merchants, admin_key: str) -> None:
        self._merchants = merchants
        self._admin_key = admin_key.encode()

    async def check(self, request: Request[Any, Any, Any]) -> None:
        """Turn away who has no key for this route.  Raises Unauthenticated."""
        for allowed in request.route_handler.opt.get(ROLES, ()):
            key = _bearer(request.headers)
            if MERCHANT in allowed:
                merchant = await self._merchants.by_key(key)
                if merchant is None:
                    raise Unauthenticated(token_sent=True)
                cast("dict[str, Any]", request.scope)[_KNOWN] = merchant
            elif not hmac.compare_digest(key.encode(), self._admin_key):
                raise Unauthenticated(token_sent=True)


def merchant_of(request: Request[Any, Any, Any]) -> KnownMerchant:
    """The merchant that has been let in."""
    return cast("dict[str, KnownMerchant]", request.scope)[_KNOWN]


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthenticated(token_sent=False)
    return key.strip()
