"""The basket: put in, change, take out."""

from typing import Any

from litestar import Response, get, post

from sagamart.web.basket import QUANTITY_MAX, basket_of, fill, put_in
from sagamart.web.forms import Form
from sagamart.web.visit import Visit


@get("/basket")
async def basket(visit: Visit) -> Response[Any]:
    """What lies in the basket."""
    if not visit.api.knows_visitor:
        return visit.page("basket.html", basket=None)
    return visit.page("basket.html", basket=await basket_of(visit))


@post("/basket")
async def change(visit: Visit, form: Form) -> Response[Any]:
    """Have as many of each as was typed, at the prices that were shown; none is out."""
    out = form.text("out")
    lines = []
    fields = zip(form.texts("sku"), form.texts("quantity"), form.texts("price_minor"), strict=False)
    for sku, quantity, price in fields:
        number = int(quantity) if quantity.isascii() and quantity.isdecimal() else 1
        if sku != out and number:
            shown = int(price) if price.isascii() and price.isdecimal() else None
            lines.append({"sku": sku, "quantity": min(number, QUANTITY_MAX), "price_minor": shown})
    await fill(visit, lines, form.number("version") or 0)
    return visit.go("/basket", told="" if out else "basket.changed")


@post("/basket/pieces")
async def add(visit: Visit, form: Form) -> Response[Any]:
    """Put pieces of a product into the basket; a stranger logs in first, and comes back to the product."""
    sku, quantity = form.text("sku"), form.number("quantity") or 1
    if not visit.api.knows_visitor:
        back = f"{visit.path_of('/products', sku)}?quantity={quantity}"
        return visit.go("/login", told="basket.log_in_first", back=back)
    await put_in(visit, sku, min(quantity, QUANTITY_MAX), form.number("price_minor"))
    return visit.go("/basket", told="basket.added")


ROUTES = (basket, change, add)
