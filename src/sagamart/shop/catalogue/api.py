"""The HTTP routes of the catalogue.  Reading needs no log-in; writing is for OPERATOR and ADMIN."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from msgspec import UNSET, Meta, UnsetType

from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Limit,
    NotFound,
    Page,
    Queries,
    RequestBody,
    key_of,
    page_of,
    roles,
    versioned,
)
from sagamart.shop.catalogue import importing, photos
from sagamart.shop.catalogue.fields import (
    Currency,
    Description,
    LengthMm,
    PriceMinor,
    Sku,
    TaxRateBp,
    Title,
    WeightG,
)
from sagamart.shop.catalogue.messages import ChangeProduct, CreateProduct
from sagamart.shop.catalogue.photos import SkuInPath
from sagamart.shop.catalogue.records import Product, ShownProduct
from sagamart.shop.catalogue.search import LAST_TEXT, Filters, Sort, Wanted, look_for

QUESTION_CHARACTERS_MAX = 200
PRICE_MINOR_MAX = 1_000_000_000_000
Question = Annotated[
    str | None,
    QueryParameter(
        name="q", pattern=r"^[^\x00]*$", max_length=QUESTION_CHARACTERS_MAX, description="Words, the last may be begun"
    ),
]


PriceBound = Annotated[int | None, QueryParameter(ge=0, le=PRICE_MINOR_MAX, description="In minor units, included")]
WantedCurrency = Annotated[str | None, QueryParameter(pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217")]
InStock = Annotated[
    bool | None, QueryParameter(description="Only what may be ordered, or only what is sold out; by default both")
]
Sorted = Annotated[Sort | None, QueryParameter(description="By default relevance where there is a question, else sku")]


class ProductPage(Page[ShownProduct], frozen=True):
    """Some products.  `corrected_question` is what was looked for where `q` as it stood found nothing."""

    corrected_question: str | None = None


class PricePlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of prices ended."""

    since: datetime
    price_id: Annotated[str, Meta(pattern=r"^[0-9a-f-]{36}$(?!\n)")]


class PriceSince(msgspec.Struct, frozen=True):
    """What a product has cost from a moment on."""

    price_minor: int
    currency: str
    since: datetime


class NewProduct(RequestBody, frozen=True):
    """What shall be sold."""

    sku: Sku
    title: Title
    price_minor: PriceMinor
    currency: Currency
    description: Description = ""
    weight_g: WeightG = 0
    length_mm: LengthMm | None = None
    width_mm: LengthMm | None = None
    height_mm: LengthMm | None = None
    tax_rate_bp: TaxRateBp = 0
    active: bool = True


class ProductChange(RequestBody, frozen=True):
    """What shall be otherwise; what is left out stays, and null takes a measure away (RFC 7396)."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    price_minor: PriceMinor | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    weight_g: WeightG | UnsetType = UNSET
    length_mm: LengthMm | UnsetType | None = UNSET
    width_mm: LengthMm | UnsetType | None = UNSET
    height_mm: LengthMm | UnsetType | None = UNSET
    tax_rate_bp: TaxRateBp | UnsetType = UNSET
    active: bool | UnsetType = UNSET


@post("/v1/products", guards=[roles("OPERATOR", "ADMIN")], status_code=201)
async def create_product(data: NewProduct, ask: Ask, caller: Caller) -> Response[Product]:
    """Put a product into the catalogue."""
    return await ask(CreateProduct(by=caller.id, **msgspec.structs.asdict(data)), content=data)


@get("/v1/products")
async def list_products(  # noqa: PLR0913, PLR0917  they are the fields of the query string
    queries: Queries,
    question: Question = None,
    active: bool = True,  # noqa: FBT001, FBT002  it is a field of the query string, not of a call
    currency: WantedCurrency = None,
    price_from: PriceBound = None,
    price_to: PriceBound = None,
    in_stock: InStock = None,
    sort: Sorted = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> ProductPage:
    """Products, those on the shelf unless asked otherwise: in the order of skus, or the best answers to `q` first.

    Where `q` finds nothing, its mistyped words are mended, and `corrected_question` says how.
    """
    wanted = Wanted(question, Filters(active, currency, price_from, price_to, in_stock), sort)
    found = await look_for(queries, wanted, cursor, limit)
    return ProductPage([ShownProduct(**row) for row in found.rows], found.next_cursor, found.corrected)


@get("/v1/products/{sku:str}", opt={"also": (304,)})
async def read_product(request: Request[Any, Any, Any], sku: SkuInPath, queries: Queries) -> Response[ShownProduct]:
    """One product, with its ETag, and whether some of it may be ordered."""
    row = await queries.product_of(sku=sku)
    if row is None:
        raise NotFound("There is no such product")
    product = ShownProduct(**row)
    return versioned(request, product, product.version, "" if product.available else "sold-out")


@patch("/v1/products/{sku:str}", guards=[roles("OPERATOR", "ADMIN")])
async def change_product(
    sku: SkuInPath, data: ProductChange, ask: Ask, caller: Caller, expected_version: int
) -> Response[Product]:
    """Change a product, under its If-Match."""
    change = ChangeProduct(sku, caller.id, expected_version, **msgspec.structs.asdict(data))
    return await ask(change, content=(data, expected_version))


@get("/v1/products/{sku:str}/prices")
async def list_prices(
    sku: SkuInPath, queries: Queries, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Page[PriceSince]:
    """What a product has cost, the newest price first."""
    if await queries.product_of(sku=sku) is None:
        raise NotFound("There is no such product")
    place = key_of(cursor, PricePlace)
    before = {"since": None, "price_id": LAST_TEXT} if place is None else msgspec.structs.asdict(place)
    rows = await queries.prices_before(sku=sku, **before, limit=limit + 1)
    ids = [row["price_id"] for row in rows]
    prices = [PriceSince(row["price_minor"], row["currency"], row["since"]) for row in rows]
    return page_of(prices, limit, lambda last: PricePlace(last.since, ids[limit - 1]))


ROUTES: Sequence[HTTPRouteHandler] = (
    create_product,
    list_products,
    read_product,
    change_product,
    list_prices,
    *photos.ROUTES,
    *importing.ROUTES,
)
