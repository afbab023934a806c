"""Delivery methods over HTTP: anybody sees them, priced for what they want to order; staff offer and change them."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter, QueryParameter
from msgspec import Meta

from sagamart.contracts.catalogue import SKU_PATTERN
from sagamart.contracts.shipping import ShipmentRefusal, charged_g, delivery_price_minor
from sagamart.platform.http import (
    Ask,
    Language,
    Malformed,
    NotFound,
    Page,
    Queries,
    RequestBody,
    roles,
    versioned,
)
from sagamart.shop.shipping.decide import serves
from sagamart.shop.shipping.messages import SetMethod
from sagamart.shop.shipping.parcels import Wanted, pack
from sagamart.shop.shipping.records import MEASURES, METHODS, DeliveryMethod, ParcelLimits, ProductMeasures

STAFF = roles("SHIPPING_OPERATOR", "ADMIN")
METHODS_MAX = 200
LINES_MAX = 200
QUANTITY_MAX = 1_000_000
METHOD_PATTERN = r"^[a-z0-9][a-z0-9-]{0,63}$(?!\n)"
COUNTRY_PATTERN = r"^[A-Z]{2}$(?!\n)"

MethodName = Annotated[str, Parameter(pattern=METHOD_PATTERN, description="The method's name")]
Line = Annotated[
    list[str] | None,
    QueryParameter(description="What is wanted, `sku:quantity`; repeat it for more", max_items=LINES_MAX),
]
Country = Annotated[str | None, QueryParameter(pattern=COUNTRY_PATTERN, description="ISO 3166-1 alpha-2")]
Title = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", max_length=200, examples=["Courier"])]
Minor = Annotated[int, Meta(ge=0, le=1_000_000_000, description="In the currency's minor unit", examples=[30_000])]


class ParcelBounds(RequestBody, frozen=True):
    """What one parcel may weigh, how long its longest side may be, and what goes into it."""

    weight_g: Annotated[int, Meta(ge=1, le=10_000_000, description="In grams")] = 20_000
    side_mm: Annotated[int, Meta(ge=1, le=100_000, description="In millimetres")] = 1_200
    volume_cm3: Annotated[int, Meta(ge=1, le=100_000_000, description="In cubic centimetres")] = 120_000


class MethodTerms(RequestBody, frozen=True):
    """How a method delivers, and for how much.  `countries`: all where none is named."""

    title_en: Title
    title_ru: Title
    price_minor: Minor
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", examples=["RUB"], description="ISO 4217")]
    per_kg_minor: Minor = 0
    needs_shipment: bool = True
    needs_address: bool = True
    countries: Annotated[tuple[Annotated[str, Meta(pattern=COUNTRY_PATTERN)], ...], Meta(max_length=300)] = ()
    parcel_max: ParcelBounds = ParcelBounds()
    active: bool = True


class NewMethod(MethodTerms, frozen=True, kw_only=True):
    """A method that is not there yet."""

    method: Annotated[str, Meta(pattern=METHOD_PATTERN, examples=["courier"])]


class Offer(msgspec.Struct, frozen=True):
    """A method for what is wanted: its price, the parcels it takes, or why it cannot deliver that (`reason`)."""

    method: str
    title: str
    price_minor: int
    currency: str
    needs_address: bool
    parcels: int
    available: bool
    reason: ShipmentRefusal | None
    version: int


@get("/v1/delivery-methods")
async def list_methods(queries: Queries, language: Language, line: Line = None, country: Country = None) -> Page[Offer]:
    """What delivery of these lines costs, the cheapest methods first.  Readable without logging in."""
    wanted = [_wanted(place, one) for place, one in enumerate(line or ())]
    rows = await queries.measures_of(skus=[one.sku for one in wanted])
    measures = {one.sku: one for one in MEASURES.read(rows)}
    methods = METHODS.read(await queries.methods_offered(limit=METHODS_MAX))
    return Page([_offer(method, wanted, measures, country, language) for method in methods])


@get("/v1/delivery-methods/{method:str}", guards=[STAFF], opt={"also": (304,)})
async def read_method(
    request: Request[Any, Any, Any], method: MethodName, queries: Queries
) -> Response[DeliveryMethod]:
    """One method with all its terms, offered or not, with its ETag."""
    row = await queries.method_named(method=method)
    if row is None:
        raise NotFound("There is no such delivery method")
    (found,) = METHODS.read([row])
    return versioned(request, found, found.version)


@post("/v1/delivery-methods", guards=[STAFF], status_code=201)
async def create_method(data: NewMethod, ask: Ask) -> Response[DeliveryMethod]:
    """Offer a new method."""
    return await ask(_command(data.method, None, data), content=data)


@put("/v1/delivery-methods/{method:str}", guards=[STAFF])
async def change_method(
    method: MethodName, data: MethodTerms, ask: Ask, expected_version: int
) -> Response[DeliveryMethod]:
    """Give a method other terms, under its If-Match.  Orders that are placed keep theirs."""
    return await ask(_command(method, expected_version, data), content=(data, expected_version))


def _command(method: str, expected_version: int | None, terms: MethodTerms) -> SetMethod:
    return SetMethod(
        method=method,
        expected_version=expected_version,
        title_en=terms.title_en,
        title_ru=terms.title_ru,
        price_minor=terms.price_minor,
        per_kg_minor=terms.per_kg_minor,
        currency=terms.currency,
        needs_shipment=terms.needs_shipment,
        needs_address=terms.needs_address,
        countries=terms.countries,
        parcel_max=ParcelLimits(**msgspec.structs.asdict(terms.parcel_max)),
        active=terms.active,
    )


def _wanted(place: int, line: str) -> Wanted:
    """`MUG:2` -> two mugs; without a quantity, one."""
    sku, _, quantity = line.partition(":")
    number = int(quantity) if re.fullmatch(r"[0-9]{1,7}", quantity) else 0 if ":" in line else 1
    if not re.search(SKU_PATTERN, sku) or not 1 <= number <= QUANTITY_MAX:
        raise Malformed("line", f"sku:quantity, such as MUG:2, with 1 to {QUANTITY_MAX} pieces")
    return Wanted(place, sku, number)


def _offer(
    method: DeliveryMethod,
    wanted: Sequence[Wanted],
    measures: dict[str, ProductMeasures],
    country: str | None,
    language: Language,
) -> Offer:
    parcels = pack(wanted, measures, method.parcel_max) if method.needs_shipment else ()
    reason: ShipmentRefusal | None = "too_heavy" if parcels is None else None
    if not serves(method, country):
        reason = "address_not_served"
    return Offer(
        method=method.method,
        title=method.title_ru if language == "ru" else method.title_en,
        price_minor=delivery_price_minor(method.price_minor, method.per_kg_minor, _charged_g(wanted, measures)),
        currency=method.currency,
        needs_address=method.needs_address,
        parcels=len(parcels or ()),
        available=reason is None,
        reason=reason,
        version=method.version,
    )


def _charged_g(wanted: Sequence[Wanted], measures: dict[str, ProductMeasures]) -> int:
    known = [(measures[one.sku], one.quantity) for one in wanted if one.sku in measures]
    return sum(
        quantity * charged_g(one.weight_g, one.length_mm, one.width_mm, one.height_mm) for one, quantity in known
    )


ROUTES: Sequence[HTTPRouteHandler] = (list_methods, read_method, create_method, change_method)
