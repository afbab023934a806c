"""A customer of an OpenID provider at our door, with a provider that answers HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar, Response, get

from http_shop import TOKENS, Shop, shop_app
from openid_provider import ISSUER, PlayedProvider, signed
from sagamart.platform.http import Process
from sagamart.platform.http.server import Server
from sagamart.platform.openid import OpenIdProvider
from sagamart.platform.settings import HttpSettings, OpenIdSettings
from sagamart.platform.tokens import Tokens

CLAIMS = {"iss": ISSUER, "aud": "shop-api", "sub": "anna", "exp": 2**40, "groups": ["warehouse"]}


class Shown:
    """What the provider's address answers: its key set, or something else."""

    def __init__(self) -> None:
        self.provider = PlayedProvider()
        self.status = 200
        self.spaces = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        @get("/keys")
        async def keys() -> Response[Any]:
            self.provider.reads += 1
            moved = {"Location": "/elsewhere"} if self.status == httpx.codes.FOUND else {}
            return Response({**self.provider.key_set, "": " " * self.spaces}, status_code=self.status, headers=moved)

        @get("/elsewhere")
        async def elsewhere() -> dict[str, Any]:
            return self.provider.key_set

        async with Server(Litestar([keys, elsewhere], openapi_config=None), host="127.0.0.1", port=0) as server:
            yield f"http://127.0.0.1:{server.port}/keys"


@asynccontextmanager
async def shop_that_trusts(address: str, shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    settings = OpenIdSettings(
        issuer=ISSUER,
        jwks=address,
        audiences=("shop-api",),
        roles_claim="groups",
        roles=("warehouse=STOCK_OPERATOR",),
    )
    tokens = Tokens({}, issuer=TOKENS.issuer, audience=TOKENS.audience)
    tokens.accept(OpenIdProvider.of(settings))
    app = shop_app(shop, Process(HttpSettings(rate_limit_per_s=0)), tokens)
    transport = httpx.ASGITransport(app=cast("Any", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": "k-1"}


async def test_a_customer_of_the_provider_orders_and_its_staff_does_what_the_settings_let_it() -> None:
    shown, shop = Shown(), Shop()
    async with shown.listening() as address, shop_that_trusts(address, shop) as client:
        order = {"lines": [{"sku": "apple", "quantity": 2}]}
        placed = await client.post("/v1/orders", json=order, headers=bearer(signed(CLAIMS)))
        stock = await client.get("/v1/stock", headers=bearer(signed(CLAIMS)))
        no_staff = await client.get("/v1/stock", headers=bearer(signed({**CLAIMS, "groups": ["everyone"]})))
        expired = await client.get("/v1/stock", headers=bearer(signed({**CLAIMS, "exp": 1})))

    assert [answer.status_code for answer in (placed, stock, no_staff, expired)] == [202, 200, 403, 401]
    assert shop.asked[0][0].body.customer_id == stock.json()["order_id"]
    assert shown.provider.reads == 1


@pytest.mark.parametrize(("status", "spaces"), [(500, 0), (302, 0), (200, 300_000)], ids=["broken", "moved", "endless"])
async def test_a_provider_that_cannot_be_read_is_named_and_the_caller_told_to_come_again(
    status: int, spaces: int
) -> None:
    shown = Shown()
    shown.status, shown.spaces = status, spaces
    async with shown.listening() as address, shop_that_trusts(address, Shop()) as client:
        answer = await client.get("/v1/stock", headers=bearer(signed(CLAIMS)))

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "issuer_away", "30")
    assert shown.provider.reads == 1
