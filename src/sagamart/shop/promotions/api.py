"""Promo codes over HTTP: staff make and change them, customers see whether one counts and what it takes off."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from sagamart.contracts.promotions import PromoRefusal
from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Language,
    Limit,
    Malformed,
    NotFound,
    Page,
    Queries,
    RequestBody,
    key_of,
    logged_in,
    page_of,
    roles,
    versioned,
)
from sagamart.shop.promotions.decide import BP_PER_WHOLE, Wish, discount_minor, normal, refusal_of
from sagamart.shop.promotions.messages import ChangeCode, CreateCode
from sagamart.shop.promotions.records import PROMO_CODES, PromoCode

STAFF = roles("OPERATOR", "ADMIN")
MINOR_MAX = 1_000_000_000_000
USES_MAX = 1_000_000_000
CODE_PATTERN = r"^[A-Z0-9][A-Z0-9_-]{2,39}$(?!\n)"
TYPED_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{2,39}$(?!\n)"
CURRENCY_PATTERN = r"^[A-Z]{3}$(?!\n)"

CodeName = Annotated[str, Parameter(pattern=TYPED_PATTERN, description="The code, in capitals or not")]
Minor = Annotated[int, Meta(ge=0, le=MINOR_MAX, description="In the currency's minor unit", examples=[50_000])]
UsesMax = Annotated[int, Meta(ge=1, le=USES_MAX, examples=[100])]
Moment = Annotated[datetime, Meta(tz=True, examples=["2026-12-01T00:00:00Z"])]

REASONS: Mapping[PromoRefusal, Mapping[Language, str]] = {
    "unknown_code": {"en": "There is no such code", "ru": "Такого промокода нет"},
    "not_valid_now": {"en": "The code has been withdrawn", "ru": "Промокод отозван"},
    "not_yet_valid": {"en": "The code is not valid yet", "ru": "Промокод ещё не действует"},
    "expired": {"en": "The code has expired", "ru": "Срок действия промокода истёк"},
    "used_up": {"en": "The code is used up", "ru": "Промокод больше не действует: он исчерпан"},
    "used_up_by_customer": {"en": "You have used the code already", "ru": "Вы уже использовали этот промокод"},
    "other_currency": {"en": "The code is for another currency", "ru": "Промокод действует в другой валюте"},
    "total_too_low": {"en": "The code needs a larger order", "ru": "Сумма заказа мала для этого промокода"},
    "given_back": {"en": "The order was cancelled", "ru": "Заказ отменён"},
}
"""Why a code does not count, in the customer's words."""


class NewCode(RequestBody, frozen=True):
    """A code that takes off a share (`percent_bp`, basis points: 1000 is 10 %) or an amount, one of the two."""

    code: Annotated[str, Meta(pattern=CODE_PATTERN, examples=["SPRING-10"])]
    currency: Annotated[str, Meta(pattern=CURRENCY_PATTERN, examples=["RUB"], description="ISO 4217")]
    percent_bp: Annotated[int, Meta(ge=0, le=BP_PER_WHOLE, examples=[1_000])] = 0
    amount_minor: Minor = 0
    goods_min_minor: Minor = 0
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    uses_max: UsesMax | None = None
    customer_uses_max: UsesMax | None = 1
    active: bool = True


class CodeChange(RequestBody, frozen=True):
    """What shall be otherwise; what is left out stays, and null takes a limit away (RFC 7396)."""

    goods_min_minor: Minor | UnsetType = UNSET
    valid_from: Moment | UnsetType = UNSET
    valid_until: Moment | UnsetType | None = UNSET
    uses_max: UsesMax | UnsetType | None = UNSET
    customer_uses_max: UsesMax | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET


class CodeCheck(msgspec.Struct, frozen=True):
    """Whether a code counts for these goods now, and what it takes off; or why not, also in words."""

    code: str
    counts: bool
    discount_minor: int
    reason: PromoRefusal | None
    explanation: str | None


GoodsMinor = Annotated[int, QueryParameter(ge=0, le=MINOR_MAX, description="Sum of the lines, in minor units")]
GoodsCurrency = Annotated[str, QueryParameter(pattern=CURRENCY_PATTERN, description="ISO 4217")]


@post("/v1/promo-codes", guards=[STAFF], status_code=201)
async def create_code(data: NewCode, ask: Ask) -> Response[PromoCode]:
    """Make a code.  It means one thing, for ever."""
    if (data.percent_bp == 0) is (data.amount_minor == 0):
        raise Malformed("percent_bp", "a code takes off a share or an amount, one of the two")
    return await ask(CreateCode(**msgspec.structs.asdict(data)), content=data)


@get("/v1/promo-codes", guards=[STAFF])
async def list_codes(queries: Queries, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT) -> Page[PromoCode]:
    """All codes by name, with how often each is used."""
    rows = await queries.codes_after(after=key_of(cursor, str) or "", limit=limit + 1)
    return page_of(PROMO_CODES.read(rows), limit, lambda last: last.code)


@get("/v1/promo-codes/{code:str}", guards=[STAFF], opt={"also": (304,)})
async def read_code(request: Request[Any, Any, Any], code: CodeName, queries: Queries) -> Response[PromoCode]:
    """One code, with its ETag."""
    found = PROMO_CODES.read(await queries.codes_named(code=normal(code)))
    if not found:
        raise NotFound("There is no such promo code")
    return versioned(request, found[0], found[0].version)


@patch("/v1/promo-codes/{code:str}", guards=[STAFF])
async def change_code(code: CodeName, data: CodeChange, ask: Ask, expected_version: int) -> Response[PromoCode]:
    """Change when and how often a code counts, or withdraw it (`active`: false), under its If-Match."""
    change = ChangeCode(normal(code), expected_version, **msgspec.structs.asdict(data))
    return await ask(change, content=(data, expected_version))


@get("/v1/promo-codes/{code:str}/check", guards=[logged_in])
async def check_code(  # noqa: PLR0913, PLR0917  each is something that Litestar hands in
    code: CodeName,
    goods_minor: GoodsMinor,
    currency: GoodsCurrency,
    caller: Caller,
    language: Language,
    queries: Queries,
) -> CodeCheck:
    """Whether the code would count for the caller now.  It is redeemed, and may be used up by then, with the order."""
    name = normal(code)
    found = PROMO_CODES.read(await queries.codes_named(code=name))
    known = found[0] if found else None
    used = await queries.used_by_customer(code=name, customer_id=caller.id) or 0
    reason = refusal_of(known, Wish(goods_minor, currency, await queries.moment(), used))
    if known is None or reason is not None:
        why = reason or "unknown_code"
        return CodeCheck(name, counts=False, discount_minor=0, reason=why, explanation=REASONS[why][language])
    off_minor = discount_minor(known, goods_minor)
    return CodeCheck(name, counts=True, discount_minor=off_minor, reason=None, explanation=None)


ROUTES: Sequence[HTTPRouteHandler] = (create_code, list_codes, read_code, change_code, check_code)
