"""Stock: what there is of every product and where it went, taking pieces in, and correcting a wrong count."""

import asyncio
from typing import Any

from litestar import Response, get, post

from sagamart.web.console.acting import act
from sagamart.web.console.people import names_of_staff
from sagamart.web.forms import Form
from sagamart.web.visit import Visit

PRODUCTS = 20
JOURNAL = 50


@get("/console/stock")
async def stock(visit: Visit) -> Response[Any]:
    """Products, on the shelf or off it, and how many pieces of each there are."""
    asked = {name: visit.question(name) for name in ("q", "active", "cursor")}
    found = await visit.api.get("/v1/products", **asked, limit=PRODUCTS)
    levels = await asyncio.gather(
        *(visit.api.find(visit.path_of("/v1/stock", one["sku"])) for one in found["items"]),
    )
    shown = list(zip(found["items"], levels, strict=True))
    template = "console/stock_list.html" if visit.is_fragment else "console/stock.html"
    return visit.page(template, shown=shown, asked=asked, next_cursor=found["next_cursor"])


@get("/console/stock/{sku:str}")
async def one_sku(visit: Visit, sku: str) -> Response[Any]:
    """One product: what there is, what came and went, and which orders hold pieces."""
    path = visit.path_of("/v1/stock", sku)
    level, product, movements, reservations, staff = await asyncio.gather(
        visit.api.get(path),
        visit.api.reach(visit.path_of("/v1/products", sku)),
        visit.api.reach(f"{path}/movements", cursor=visit.question("movements"), limit=JOURNAL),
        visit.api.reach(f"{path}/reservations", cursor=visit.question("reservations"), limit=JOURNAL),
        names_of_staff(visit),
    )
    facts: dict[str, Any] = {"level": level, "product": product, "movements": movements, "reservations": reservations}
    return visit.page("console/sku.html", sku=sku, staff=staff, **facts)


@post("/console/stock/{sku:str}/receipts")
async def receive(visit: Visit, sku: str, form: Form) -> Response[Any]:
    """Take pieces in."""
    path = f"{visit.path_of('/v1/stock', sku)}/receipts"
    return await act(visit, form, "POST", path, {"quantity": form.number("quantity")}, told="console.done_received")


@post("/console/stock/{sku:str}/adjustments")
async def adjust(visit: Visit, sku: str, form: Form) -> Response[Any]:
    """Correct a count."""
    sign = -1 if form.text("way") == "fewer" else 1
    quantity = form.number("quantity")
    body = {
        "quantity": None if quantity is None else sign * quantity,
        "reason": form.text("why"),
        "force": form.ticked("force"),
    }
    path = f"{visit.path_of('/v1/stock', sku)}/adjustments"
    return await act(visit, form, "POST", path, body, told="console.done_adjusted")


ROUTES = (stock, one_sku, receive, adjust)
