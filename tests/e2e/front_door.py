"""The front door of a shop that runs as a program, opened to whoever knows their way about a market.

market = DistantMarket(bank, FrontDoor(http, admin), dsn_of_orders)
ann = await market.shop.customer(1, 10_000)      # registered, logged in, with money
await market.order(ann, {"sku": "MUG"})
"""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from bank_at_work import SECRET, BankAtWork, until
from e2e.buyers import PASSWORD, Customer, token_of
from market import COURIER, SHIPPING_OPERATOR, Market
from open_shop import OPERATOR, STOCK_OPERATOR, OpenShop
from sagamart.platform.http import Caller

LOOK_S = 0.1
"""Who waits for something looks so often: every look goes through several processes."""


class FrontDoor(OpenShop):
    """A shop as its clients see it: customers register and log in, and all staff are the administrator."""

    def __init__(self, http: httpx.AsyncClient, admin: Customer) -> None:  # the shop itself is elsewhere
        self.http = http
        self._admin = admin
        self._tokens: dict[str, str] = {}

    def token_of(self, caller: Caller) -> str:
        return self._tokens.get(caller.id, self._admin.token)

    async def get(self, path: str, *, caller: Caller | None = None) -> httpx.Response:
        await asyncio.sleep(LOOK_S)
        return await super().get(path, caller=caller)

    async def sells(self, sku: str, price_minor: int, *, pieces: int) -> None:
        product = {"sku": sku, "title": sku.title(), "price_minor": price_minor, "currency": "RUB"}
        (await self.post("/v1/products", product, caller=OPERATOR, key=sku)).raise_for_status()
        received = {"quantity": pieces}
        (await self.post(f"/v1/stock/{sku}/receipts", received, caller=STOCK_OPERATOR, key=sku)).raise_for_status()

    async def customer(self, number: int, deposit_minor: int = 0) -> Caller:
        credentials = {"email": f"walker{number}@example.com", "password": PASSWORD}
        registered = await self.http.post("/v1/users", json={**credentials, "name": "A Walker"})
        caller = Caller(registered.raise_for_status().json()["id"], frozenset({"CUSTOMER"}))
        self._tokens[caller.id] = await token_of(self.http, **credentials)
        if deposit_minor:
            deposit = {"amount_minor": deposit_minor, "currency": "RUB"}
            (await self.post("/v1/wallet/deposits", deposit, caller=caller, key="deposit")).raise_for_status()
        return caller


class DistantMarket(Market):
    """A market behind a front door.  Its time is everybody's: what runs out is made to by the database of orders."""

    def __init__(self, bank: BankAtWork, door: FrontDoor, orders_dsn: str) -> None:
        super().__init__(bank)
        self.shop = door
        self._orders_dsn = orders_dsn

    async def post(self, path: str, body: Any = None, *, caller: Caller, **headers: str) -> Any:
        return await self.shop.post(path, body, caller=caller, key=str(uuid4()), **headers)

    async def opens(self, *skus: str, price_minor: int, pieces: int) -> None:
        """Listen to the bank, sell these, and have them brought by a courier; returns when they can be ordered."""
        here = str(self.shop.http.base_url).rstrip("/")
        hook = {"url": f"{here}/v1/bank-webhooks/bank", "secrets": [SECRET]}
        assert (await self.bank.call("PUT", "/v1/webhook", hook)).status_code == 200
        offers = self.post("/v1/delivery-methods", COURIER, caller=SHIPPING_OPERATOR)
        _, offered = await asyncio.gather(
            asyncio.gather(*(self.shop.sells(sku, price_minor, pieces=pieces) for sku in skus)), offers
        )
        offered.raise_for_status()

        async def known() -> bool:
            await asyncio.sleep(LOOK_S)
            found = await self._orders(
                "select count(*) + (select count(*) from delivery_copies where method = $2) as known"
                " from product_copies where sku = any($1) and catalogue_version > 0",
                list(skus),
                COURIER["method"],
            )
            return bool(found[0]["known"] == len(skus) + 1)

        await until(known)

    async def runs_out(self, order_id: str, after_s: int = 0) -> None:
        assert not after_s, "the clock of a program is the machine's"
        await self._orders("update timers set due_at = now() where key = $1", order_id)

    async def _orders(self, sql: str, *arguments: Any) -> list[Any]:
        connection = await asyncpg.connect(self._orders_dsn)
        try:
            return list(await connection.fetch(sql, *arguments))
        finally:
            await connection.close()
