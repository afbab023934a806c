"""Who may do what: every operation of the joined application is tried by each kind of caller."""

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Iterator
from hashlib import sha256
from typing import Any

import httpx
import msgspec
import pytest_asyncio
from litestar.routes import HTTPRoute

from open_shop import Opened, OpenShop
from permission_table import EXPECTED, HEAD
from sagamart.platform.http import Caller
from sagamart.settings import BankSection, ShopSettings
from sagamart.shop.orders.records import DeliveryCopy, Order

ROLES = {
    "stranger": "CUSTOMER",
    "owner": "CUSTOMER",
    "OPERATOR": "OPERATOR",
    "STOCK_OP": "STOCK_OPERATOR",
    "SHIPPING_OP": "SHIPPING_OPERATOR",
    "ADMIN": "ADMIN",
}
PASSWORD = "otter counts nine reeds"
MONEY = {"amount_minor": 1, "currency": "RUB"}
ADDRESS = {
    "recipient": "Ann Lee",
    "phone": "+44 20 7946 0000",
    "country": "GB",
    "postal_code": "N1 9GU",
    "city": "London",
    "street": "12 Reed Lane",
}
NO_TOKEN = f"tok_{'0' * 32}.{'A' * 86}"
DEPOSIT_MINOR = 1_000
SKU = "MUG"
PHOTO = b"\x89PNG\r\n\x1a\n a picture"
PHOTO_ID = f"{sha256(PHOTO).hexdigest()}.png"
UNKNOWN_LETTER = "stock.018f0000-0000-7000-8000-000000000000"

METHOD: dict[str, Any] = {
    "method": "courier",
    "title_en": "Courier",
    "title_ru": "Курьер",
    "price_minor": 1,
    "currency": "RUB",
    "needs_address": False,
}
CODE = {"code": "SPRING", "currency": "RUB", "percent_bp": 1_000}
QUESTIONS = {"/v1/promo-codes/{code}/check": "?goods_minor=100&currency=RUB", "/v1/users": "?staff=true"}

WITH_A_BANK = ShopSettings(bank=BankSection(url="http://127.0.0.1:1"))
"""Nobody listens there: what the bank is asked is asked in vain."""

numbers = itertools.count(1)


class Town(msgspec.Struct):
    """A shop with one person of each kind, and things that belong to the owner."""

    shop: OpenShop
    people: dict[str, Caller]
    order_id: str
    address_id: str
    payment_id: str
    shipment_id: str

    @property
    def owner(self) -> Caller:
        """Whom the requests are about."""
        return self.people["owner"]

    def path(self, template: str) -> str:
        """The path of an operation, about the owner's things."""
        path = template.replace("<version>", docs_version(self.shop)).format(
            user_id=self.owner.id,
            sku=SKU,
            order_id=self.order_id,
            payment_id=self.payment_id,
            bank="bank",
            letter_id=UNKNOWN_LETTER,
            photo_id=PHOTO_ID,
            address_id=self.address_id,
            client_id="cli_" + "0" * 32,
            service="nowhere",
            webhook_id="whk_" + "0" * 32,
            delivery_id="dlv_" + "0" * 32,
            key="ord_1",
            name="stock",
            asset="swagger-ui.css",
            method=METHOD["method"],
            shipment_id=self.shipment_id,
            return_id="ret_none",
            code=CODE["code"],
        )
        return path + QUESTIONS.get(template, "")

    async def body(self, operation: str) -> Any:
        """What is sent: right in itself, so that only the caller decides."""
        make = BODIES.get(operation)
        return await make(self) if make is not None else None

    async def ask(self, operation: str, who: str) -> int:
        """The status that somebody gets."""
        return (await self.send(operation, who, await self.body(operation))).status_code

    async def send(self, operation: str, who: str, body: Any) -> httpx.Response:
        """What somebody gets for this body."""
        method, template = operation.split()
        return await self.shop.call(
            method,
            self.path(template),
            body,
            caller=self.people.get(who),
            key=f"key-{next(numbers)}",
            **await self.precondition(method, template),
        )

    async def precondition(self, method: str, template: str) -> dict[str, str]:
        """The version that a writer has seen; of the own profile nobody needs to name one."""
        own = template.startswith(("/v1/me", "/v1/basket")) or template.endswith("/preferences")
        if method in ("GET", "POST") or own:
            return {}
        for part in (
            "/v1/products/{sku}",
            "/v1/orders/{order_id}",
            "/v1/delivery-methods/{method}",
            "/v1/promo-codes/{code}",
        ):
            if template.startswith(part):
                seen = await self.shop.get(self.path(part), caller=self.people["ADMIN"])
                return {"If-Match": seen.headers["etag"]}
        return {"If-Match": '"1"'}


Body = Callable[[Town], Awaitable[Any]]


def always(body: Any) -> Body:
    """The same body each time."""

    async def make(_: Town) -> Any:
        return body

    return make


async def new_user(_: Town) -> Any:
    """Somebody whom the shop does not know yet."""
    return {"email": f"new{next(numbers)}@example.com", "password": PASSWORD, "name": "New"}


async def another_address(_: Town) -> Any:
    """An e-mail address that nobody has, and the password that everybody has."""
    return {"email": f"other{next(numbers)}@example.com", "current_password": PASSWORD}


async def new_product(_: Town) -> Any:
    """Something that the catalogue does not have yet."""
    return {"sku": f"NEW-{next(numbers)}", "title": "New", "price_minor": 1, "currency": "RUB"}


async def fresh_token(town: Town) -> Any:
    """A refresh token that nobody has used."""
    pair = await town.shop.call("POST", "/v1/tokens", {"email": "owner@example.com", "password": PASSWORD})
    return {"refresh_token": pair.json()["refresh_token"]}


async def new_method(_: Town) -> Any:
    """A way of delivery that is not offered yet."""
    return {**METHOD, "method": f"courier-{next(numbers)}"}


async def new_code(_: Town) -> Any:
    """A promo code that does not exist yet."""
    return {**CODE, "code": f"SPRING-{next(numbers)}"}


async def deposit_for_the_owner(town: Town) -> Any:
    """Money into the owner's wallet, whoever brings it."""
    return {**MONEY, "customer_id": town.owner.id}


BODIES: dict[str, Body] = {
    "POST /v1/users": new_user,
    "POST /v1/tokens": always({"email": "owner@example.com", "password": PASSWORD}),
    "POST /v1/tokens/refresh": fresh_token,
    "POST /v1/tokens/revocation": fresh_token,
    "PATCH /v1/me": always({"language": "en"}),
    "PUT /v1/users/{user_id}/roles": always({"roles": ["CUSTOMER"]}),
    "POST /v1/users/confirmation": always({"token": NO_TOKEN}),
    "POST /v1/users/password-reset": always({"email": "nobody@example.com"}),
    "POST /v1/users/password": always({"token": NO_TOKEN, "password": PASSWORD}),
    "POST /v1/me/email": another_address,
    "PUT /v1/me/password": always({"current_password": PASSWORD, "password": PASSWORD}),
    "POST /v1/me/addresses": always(ADDRESS),
    "PUT /v1/me/addresses/{address_id}": always(ADDRESS),
    "POST /v1/clients": always({"name": "Till", "roles": ["OPERATOR"]}),
    "POST /v1/products": new_product,
    "PATCH /v1/products/{sku}": always({"title": SKU.title()}),
    "PUT /v1/products/{sku}/photo": always(PHOTO),
    "POST /v1/products/import": always(b"sku,title\n"),
    "POST /v1/stock/{sku}/receipts": always({"quantity": 1}),
    "POST /v1/stock/{sku}/adjustments": always({"quantity": 1, "reason": "found one"}),
    "POST /v1/orders": always({"lines": [{"title": "A mug", "price_minor": 1}]}),
    "PUT /v1/orders/{order_id}": always({"lines": [{"title": "A mug", "price_minor": 1}]}),
    "POST /v1/orders/{order_id}/payments": always({"source": "wallet"}),
    "POST /v1/orders/{order_id}/returns": always({"lines": [{"line": 0, "quantity": 1}]}),
    "PUT /v1/orders/{order_id}/status": always({"status": "completed", "why": "to see"}),
    "PUT /v1/basket": always({"lines": []}),
    "POST /v1/delivery-methods": new_method,
    "PUT /v1/delivery-methods/{method}": always({name: METHOD[name] for name in METHOD if name != "method"}),
    "POST /v1/shipments/{shipment_id}/hand-over": always({"carrier": "Post", "tracking": "RA123456789RU"}),
    "POST /v1/promo-codes": new_code,
    "PATCH /v1/promo-codes/{code}": always({"active": True}),
    "PATCH /v1/notifications/preferences": always({"sms": False}),
    "POST /v1/webhooks": always({"url": "https://erp.example/", "events": ["order.paid"]}),
    "PATCH /v1/webhooks/{webhook_id}": always({"active": True}),
    "PUT /v1/operations/bank/misbehaviour": always({"switches": {"down": "once"}, "why": "to see"}),
    "POST /v1/wallet/deposits": deposit_for_the_owner,
    "POST /v1/wallet/withdrawals": always(MONEY),
    "POST /v1/wallet/top-ups": always(MONEY),
    "POST /v1/bank-webhooks/{bank}": always({"operation": {"payment": {"key": "pay_1-1", "version": 1}}}),
    "POST /v1/operations/payments/{payment_id}/resolution": always({"outcome": "nothing_taken", "why": "a letter"}),
    "POST /v1/operations/dead-letters/{letter_id}/release": always({"why": "to see"}),
    "POST /v1/operations/dead-letters/{letter_id}/discard": always({"why": "to see"}),
    "POST /v1/operations/parked-keys/{service}/{key}/release": always({"why": "to see"}),
    "POST /v1/operations/orders/{order_id}/cancellation": always({"why": "to see"}),
    "POST /v1/operations/consumers/{service}/pause": always({"why": "to see"}),
    "POST /v1/operations/consumers/{service}/resume": always({"why": "to see"}),
    "PUT /v1/operations/log-level": always({"level": "info"}),
}


@pytest_asyncio.fixture
async def town(open_shop: Opened) -> Town:
    """Give a shop in which the owner has an order, cancelled for want of money, and a top-up that no bank answers."""
    shop = await open_shop(WITH_A_BANK)
    await shop.sells(SKU, 100, pieces=5)
    people = {who: await settler(shop, who, role) for who, role in ROLES.items()}
    wish = {"lines": [{"title": "A golden mug", "price_minor": 2 * DEPOSIT_MINOR}]}
    told = shop.batch_of("notifications", lambda batch: any(one.kind == "order_cancelled" for one in batch.saved))
    recorded = shop.batch_of("timeline", lambda batch: any(one.status == "cancelled" for one in batch.saved))
    order = await shop.post("/v1/orders", wish, caller=people["owner"], Prefer="wait=30")
    assert order.json()["status"] == "cancelled"
    await asyncio.gather(told, recorded)
    operator = people["OPERATOR"]
    await shop.call("PUT", f"/v1/products/{SKU}/photo", PHOTO, caller=operator, **{"If-Match": '"1"'})
    book = await shop.post("/v1/me/addresses", ADDRESS, caller=people["owner"])
    top_up = await shop.post("/v1/wallet/top-ups", MONEY, caller=people["owner"], key="top-up")
    (await shop.post("/v1/promo-codes", CODE, caller=operator)).raise_for_status()
    things = (order.json()["id"], book.json()["addresses"][0]["id"], top_up.json()["id"], await parcel(shop, people))
    return Town(shop, people, *things)


async def parcel(shop: OpenShop, people: dict[str, Caller]) -> str:
    """What the owner has ordered and paid, and what waits to be sent."""
    known = shop.batch_of("orders", lambda batch: any(isinstance(row, DeliveryCopy) for row in batch.saved))
    (await shop.post("/v1/delivery-methods", METHOD, caller=people["SHIPPING_OP"])).raise_for_status()
    await known
    pending = shop.batch_of("orders", lambda batch: any(_is_to_be_sent(row) for row in batch.saved))
    wish = {"lines": [{"title": "A mug", "price_minor": 1}], "delivery": {"method": METHOD["method"]}}
    (await shop.post("/v1/orders", wish, caller=people["owner"], key="parcel")).raise_for_status()
    await pending
    return str((await shop.get("/v1/shipments", caller=people["owner"])).json()["items"][0]["id"])


def _is_to_be_sent(row: Any) -> bool:
    return isinstance(row, Order) and row.status == "shipping_pending"


async def settler(shop: OpenShop, who: str, role: str) -> Caller:
    """Somebody who has registered and has some money; the role is in the token only."""
    newcomer = {"email": f"{who.lower()}@example.com", "password": PASSWORD, "name": who}
    profile = await shop.call("POST", "/v1/users", newcomer)
    operator = Caller("cus_" + "0" * 31 + "a", frozenset({"OPERATOR"}))
    deposit = {"amount_minor": DEPOSIT_MINOR, "currency": "RUB", "customer_id": profile.json()["id"]}
    answer = await shop.post("/v1/wallet/deposits", deposit, caller=operator, key=who)
    answer.raise_for_status()
    return Caller(profile.json()["id"], frozenset({role}))


INJECTED = {"role": "ADMIN", "balance": 1_000_000, "price": 1, "owner_id": "cus_1", "status": "completed"}
"""What nobody may say about a thing by the way."""

OWN_WORDS = {("PUT /v1/orders/{order_id}/status", "status")}  # where the word is what is asked for
SIGNED = "POST /v1/bank-webhooks/{bank}"  # its body is looked at when the bank has signed it, and not before


def with_more(body: dict[str, Any], more: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The body with something else in it, and in each object that it holds."""
    yield {**body, **more}
    for name, value in body.items():
        if isinstance(value, dict):
            yield from ({**body, name: changed} for changed in with_more(value, more))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield from ({**body, name: [changed, *value[1:]]} for changed in with_more(value[0], more))


def with_a_body(shop: OpenShop) -> set[str]:
    """Every operation whose handler reads a body."""
    return {
        f"{method} {route.path_format}"
        for route in shop.app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.parsed_data_field is not None
        for method in handler.http_methods - {"OPTIONS"}
    }


def operations_of(shop: OpenShop) -> set[str]:
    """Every method on every path that the application offers.  OPTIONS is answered by the framework."""
    return {
        f"{method} {re.sub(r'^/docs/[0-9.]+/', '/docs/<version>/', route.path_format)}"
        for route in shop.app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS"}
    }


def docs_version(shop: OpenShop) -> str:
    """The version in the address of the pages' files."""
    (path,) = [route.path for route in shop.app.routes if re.match("/docs/[0-9]", route.path)]
    return path.split("/")[2]


async def test_every_operation_has_a_row_and_a_body_if_it_reads_one(open_shop: Opened) -> None:
    shop = await open_shop()
    assert operations_of(shop) == set(EXPECTED)
    assert with_a_body(shop) <= set(BODIES)


async def test_every_operation_lets_in_those_whom_the_table_lets_in(town: Town) -> None:
    found = {operation: {who: await town.ask(operation, who) for who in HEAD} for operation in EXPECTED}

    wrong = [
        f"{operation} by {who}: {found[operation][who]}, not {expected}"
        for operation, row in EXPECTED.items()
        for who, expected in row.items()
        if found[operation][who] != expected
    ]
    assert wrong == []


async def test_a_list_shows_nobody_else_what_is_the_owners(town: Town) -> None:
    seen = {}
    for who, caller in town.people.items():
        orders = await town.shop.get(f"/v1/orders?customer={town.owner.id}", caller=caller)
        told = await town.shop.get("/v1/notifications", caller=caller)
        seen[who] = town.order_id in orders.text, town.order_id in told.text

    assert {who for who, (orders, _) in seen.items() if orders} == {"owner", "OPERATOR", "ADMIN"}
    assert {who for who, (_, told) in seen.items() if told} == {"owner"}


async def test_nobody_is_let_in_by_what_a_request_says_about_itself(town: Town) -> None:
    stranger = town.people["stranger"]
    smuggled = [
        ("POST", "/v1/users", {**await new_user(town), "roles": ["ADMIN"]}),
        ("PATCH", "/v1/me", {"roles": ["ADMIN"]}),
        ("PATCH", "/v1/me", {"id": town.owner.id}),
        ("POST", "/v1/orders", {**await BODIES["POST /v1/orders"](town), "customer_id": town.owner.id}),
        ("POST", "/v1/orders", {**await BODIES["POST /v1/orders"](town), "status": "completed"}),
        ("POST", "/v1/orders", {**await BODIES["POST /v1/orders"](town), "discount_minor": 1}),
        ("POST", f"/v1/orders/{town.order_id}/payments", {"source": "wallet", "customer_id": town.owner.id}),
        ("POST", f"/v1/orders/{town.order_id}/payments", {"source": "wallet", "state": "captured"}),
        ("POST", f"/v1/orders/{town.order_id}/returns", {"lines": [{"line": 0, "quantity": 1, "refunded_minor": 1}]}),
        ("PUT", f"/v1/orders/{town.order_id}", {"customer_id": stranger.id}),
        ("PUT", "/v1/basket", {"lines": [], "customer_id": town.owner.id}),
        ("POST", "/v1/wallet/withdrawals", {**MONEY, "customer_id": town.owner.id}),
        ("POST", "/v1/wallet/withdrawals", {**MONEY, "balance_minor": 1_000_000}),
        ("POST", "/v1/wallet/top-ups", {**MONEY, "customer_id": town.owner.id}),
        ("POST", "/v1/wallet/top-ups", {**MONEY, "status": "captured"}),
    ]

    answers = [await town.shop.call(*one, caller=stranger, key=f"key-{next(numbers)}") for one in smuggled]

    assert [answer.status_code for answer in answers] == [400] * len(smuggled)


async def test_no_body_takes_a_word_that_is_not_its_own(town: Town) -> None:
    tried = [
        (operation, smuggled)
        for operation in sorted(BODIES.keys() - {SIGNED})
        if isinstance(body := await town.body(operation), dict)
        for word, value in INJECTED.items()
        if (operation, word) not in OWN_WORDS
        for smuggled in with_more(body, {word: value})
    ]
    answers = [(one, await town.send(one[0], "ADMIN", one[1])) for one in tried]

    taken = [(one, answer.text) for one, answer in answers if answer.json()["code"] != "malformed"]
    assert taken == []
    assert len(tried) > 150, "hardly anything was tried"
