"""The HTTP routes of the catalogue.  Reading needs no log-in; writing is for OPERATOR and ADMIN."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from sagamart.contracts.catalogue import SKU_PATTERN
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
from sagamart.shop.catalogue.messages import ChangeProduct, CreateProduct
from sagamart.shop.catalogue.records import Product

QUESTION_CHARACTERS_MAX = 200
Sku = Annotated[str, Meta(pattern=SKU_PATTERN, examples=["MUG-BLUE"])]
Title = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", max_length=200, examples=["Blue mug"])]
Description = Annotated[str, Meta(max_length=10_000, examples=["Holds 300 ml."])]
PriceMinor = Annotated[int, Meta(ge=0, le=1_000_000_000_000, description="In the currency's minor unit")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", examples=["EUR"], description="ISO 4217")]
WeightG = Annotated[int, Meta(ge=0, le=1_000_000)]
LengthMm = Annotated[int, Meta(ge=1, le=100_000)]
TaxRateBp = Annotated[int, Meta(ge=0, le=10_000, description="Basis points: 2000 is 20 %")]

SkuInPath = Annotated[str, PathParameter(pattern=SKU_PATTERN)]
Question = Annotated[
    str | None,
    QueryParameter(
        name="q", pattern=r"^[^\x00]*$", max_length=QUESTION_CHARACTERS_MAX, description="Words, the last may be begun"
    ),
]


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
async def list_products(
    queries: Queries,
    question: Question = None,
    active: bool = True,  # noqa: FBT001, FBT002  it is a field of the query string, not of a call
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[Product]:
    """Products in the order of their skus, those on the shelf unless asked otherwise."""
    after = key_of(cursor, Sku) or ""
    bounds = {"active": active, "after": after, "limit": limit + 1}
    if question is None:
        rows = await queries.products_after(**bounds)
    else:
        rows = await queries.products_found(**bounds, question=question)
    return page_of([Product(**row) for row in rows], limit, lambda product: product.sku)


@get("/v1/products/{sku:str}")
async def read_product(request: Request[Any, Any, Any], sku: SkuInPath, queries: Queries) -> Response[Product]:
    """One product, with its ETag."""
    row = await queries.product_of(sku=sku)
    if row is None:
        raise NotFound("There is no such product")
    product = Product(**row)
    return versioned(request, product, product.version)


@patch("/v1/products/{sku:str}", guards=[roles("OPERATOR", "ADMIN")])
async def change_product(
    sku: SkuInPath, data: ProductChange, ask: Ask, caller: Caller, expected_version: int
) -> Response[Product]:
    """Change a product, under its If-Match."""
    change = ChangeProduct(sku, caller.id, expected_version, **msgspec.structs.asdict(data))
    return await ask(change, content=(data, expected_version))


ROUTES: Sequence[HTTPRouteHandler] = (create_product, list_products, read_product, change_product)
