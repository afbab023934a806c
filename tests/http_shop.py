"""A small shop behind the front door: one service whose worker answers at once and remembers what it was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar import Litestar, Request, Response, get, post, put
from litestar.testing import TestClient
from msgspec import Meta

from sagamart.messaging.decision import Refusal, Reply
from sagamart.messaging.message import Body, Message
from sagamart.messaging.requests import Overloaded, StoredReply, stored
from sagamart.messaging.requests import Request as Wish
from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Language,
    Limit,
    Mounted,
    NotFound,
    Page,
    Process,
    RequestBody,
    build_app,
    key_of,
    logged_in,
    page_of,
    roles,
    versioned,
)
from sagamart.platform.settings import HttpSettings
from sagamart.platform.tokens import Tokens, keys_by_id

KEY = Ed25519PrivateKey.from_private_bytes(b"the key of a shop that is a test")
TOKENS = Tokens(keys_by_id([KEY.public_key()]), issuer="shop", audience="shop", signer=KEY)
ANNA = Caller("cus_anna", frozenset({"CUSTOMER"}))
STAFF = Caller("sta_olga", frozenset({"STOCK_OPERATOR"}))
ADMIN = Caller("sta_igor", frozenset({"ADMIN"}))

BUY_APPLES = {"lines": [{"sku": "apple", "quantity": 2}]}


class PlaceOrder(Body, frozen=True):
    order_id: str
    customer_id: str

    @property
    def key(self) -> str:
        return self.order_id


class NewLine(RequestBody, frozen=True):
    sku: Annotated[str, Meta(max_length=64)]
    quantity: Annotated[int, Meta(ge=1, le=1000)]


class NewOrder(RequestBody, frozen=True):
    lines: Annotated[list[NewLine], Meta(min_length=1, max_length=200)]


class OrderView(msgspec.Struct, frozen=True):
    order_id: str
    version: int = 1
    language: str = "en"


class UnpaidOrderExists(Refusal, frozen=True):
    order_id: str


@post("/v1/orders", guards=[logged_in], opt={"idempotent": "required"}, status_code=202)
async def place(data: NewOrder, ask: Ask, caller: Caller) -> Response[OrderView]:
    return await ask(lambda message_id: PlaceOrder(f"ord_{message_id}", caller.id), content=data)


@get("/v1/orders/{order_id:str}", guards=[logged_in])
async def show(order_id: str, request: Request[Any, Any, Any], language: Language) -> Response[OrderView]:
    if order_id == "ord_broken":
        raise ValueError("select password from customers")
    if order_id != "ord_1":
        raise NotFound(f"There is no order {order_id}")
    return versioned(request, OrderView(order_id, 7, language), 7)


@put("/v1/orders/{order_id:str}", guards=[logged_in])
async def change(order_id: str, data: NewOrder, expected_version: int) -> OrderView:
    return OrderView(order_id, expected_version + len(data.lines))


@get("/v1/products")
async def products(limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Page[OrderView]:
    first = (key_of(cursor, int) or 0) + 1
    found = [OrderView(str(number), number) for number in range(first, min(first + limit + 1, 6))]
    return page_of(found, limit, lambda view: view.version)


@get("/v1/stock", guards=[roles("STOCK_OPERATOR", "ADMIN")])
async def stock(caller: Caller) -> OrderView:
    return OrderView(caller.id)


class Shop:
    """The service's worker: it answers as `answer` says."""

    def __init__(self) -> None:
        self.asked: list[tuple[Message[Any], Wish]] = []
        self.answer: Reply | Refusal | Overloaded = Reply(202, OrderView("ord_1"), "/v1/orders/ord_1")

    async def ask(self, message: Message[Any], wish: Wish) -> StoredReply:
        self.asked.append((message, wish))
        if isinstance(self.answer, Overloaded):
            raise self.answer
        return stored(self.answer)


@contextmanager
def open_shop(shop: Shop | None = None, process: Process | None = None) -> Iterator[TestClient[Any]]:
    """A client of the shop, without limits unless `process` has some."""
    process = process or Process(HttpSettings(rate_limit_per_s=0), node="node-1")
    with TestClient(shop_app(shop or Shop(), process), raise_server_exceptions=False) as client:
        yield client


def shop_app(shop: Shop, process: Process, tokens: Tokens = TOKENS) -> Litestar:
    """The application of the shop."""
    service = Mounted("orders", (place, show, change, products, stock), shop.ask, None)
    return build_app([service], tokens=tokens, process=process)


def as_caller(caller: Caller, **headers: str) -> dict[str, str]:
    """Headers of a logged-in caller; `Idempotency_Key="a"` becomes `Idempotency-Key: a`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"Authorization": f"Bearer {TOKENS.sign(caller)}", **named}
