"""The catalogue: products made and changed, one by one or from a file, and their photos."""

from typing import Any

from litestar import Response, get, post

from sagamart.web import money
from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.console.acting import act
from sagamart.web.forms import SHEET_FORM_BYTES_MAX, Form
from sagamart.web.problem_pages import key_of
from sagamart.web.visit import Visit

PRODUCTS = 25
NEW: Json = {
    "sku": "",
    "title": "",
    "description": "",
    "price_minor": None,
    "currency": "RUB",
    "weight_g": 0,
    "tax_rate_bp": 0,
    "active": True,
    "photo": None,
    "version": 0,
}
CSV = "text/csv"
SERVER_ERRORS = 500
PHOTO_KINDS = frozenset(("image/png", "image/jpeg", "image/webp"))


@get("/console/products")
async def products(visit: Visit) -> Response[Any]:
    """Products, on the shelf or off it."""
    asked = {name: visit.question(name) for name in ("q", "active", "cursor")}
    found = await visit.api.get("/v1/products", **asked, limit=PRODUCTS)
    template = "console/products_list.html" if visit.is_fragment else "console/products.html"
    return visit.page(template, found=found, asked=asked)


@get("/console/products/new")
async def new_product(visit: Visit) -> Response[Any]:
    """The form of a product that is not there yet."""
    return visit.page("console/product.html", product=NEW, refused="")


@get("/console/products/export")
async def export(visit: Visit) -> Response[Any]:
    """All products as a file."""
    answer = await visit.api.ask("GET", "/v1/products/export")
    headers = {"Content-Disposition": 'attachment; filename="products.csv"'}
    return Response(answer.content, media_type=CSV, headers=headers)


@post("/console/products/import", request_max_body_size=SHEET_FORM_BYTES_MAX)
async def take_file(visit: Visit, form: Form) -> Response[Any]:
    """Create and change products from a file; says which rows were refused, and why."""
    file = form.file("file")
    if file is None:
        return visit.go("/console/products", told="problem.no_file")
    headers = {"Content-Type": CSV, "Idempotency-Key": form.text("key")}
    try:
        answer = await visit.api.ask("POST", "/v1/products/import", body=await file.read(), headers=headers)
    except ApiProblem as problem:
        if problem.status >= SERVER_ERRORS:
            raise
        return visit.go("/console/products", told=key_of(problem))
    return visit.page("console/import.html", report=answer.json(), name=file.filename)


@get("/console/products/{sku:str}")
async def product(visit: Visit, sku: str) -> Response[Any]:
    """One product, to be changed."""
    path = visit.path_of("/v1/products", sku)
    found = await visit.api.get(path)
    prices = await visit.api.get(f"{path}/prices", limit=PRODUCTS)
    return visit.page("console/product.html", product=found, prices=prices["items"], refused="")


@post("/console/products")
async def create(visit: Visit, form: Form) -> Response[Any]:
    """Put a product into the catalogue."""
    body = {"sku": form.text("sku"), **_fields(form)}
    return await act(visit, form, "POST", "/v1/products", body, told="console.done_created")


@post("/console/products/{sku:str}")
async def change(visit: Visit, sku: str, form: Form) -> Response[Any]:
    """Change a product."""
    path = visit.path_of("/v1/products", sku)
    return await act(
        visit, form, "PATCH", path, _fields(form), version=form.number("version"), told="console.done_changed"
    )


@post("/console/products/{sku:str}/photo")
async def photo(visit: Visit, sku: str, form: Form) -> Response[Any]:
    """Show a product by another picture."""
    file, back = form.file("file"), visit.path_of("/console/products", sku)
    if file is None or file.content_type not in PHOTO_KINDS:
        return visit.go(back, told="problem.no_file")
    headers = {"Content-Type": file.content_type, "If-Match": f'"{form.number("version")}"'}
    path = f"{visit.path_of('/v1/products', sku)}/photo"
    try:
        await visit.api.ask("PUT", path, body=await file.read(), headers=headers)
    except ApiProblem as problem:
        if problem.status >= SERVER_ERRORS:
            raise
        return visit.go(back, told=key_of(problem))
    return visit.go(back, told="console.done_photo")


def _fields(form: Form) -> Json:
    currency = form.text("currency").upper()
    known = currency if len(currency) == len("RUB") and currency.isalpha() else "RUB"
    return {
        "title": form.text("title"),
        "description": form.text("description"),
        "price_minor": money.typed(form.text("price"), known),
        "currency": currency,
        "weight_g": form.number("weight_g") or 0,
        "tax_rate_bp": form.number("tax_rate_bp") or 0,
        "active": form.ticked("active"),
    }


ROUTES = (products, new_product, export, take_file, product, create, change, photo)
