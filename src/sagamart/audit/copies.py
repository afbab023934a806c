"""What services must agree on about customers and products: every copy equals its source once quiet."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sagamart.audit.snapshots import Row
from sagamart.audit.story import Breach

Rows = Mapping[str, Sequence[Row]]
Rule = Callable[[Rows], Iterator[Breach]]

CUSTOMER_QUERIES = {
    "accounts": "customers_by_id",
    "wallet": "wallets_by_customer",
    "notifications": "told_by_customer",
}
PRODUCT_QUERIES = {
    "catalogue": "products_by_sku",
    "orders": "copies_by_sku",
    "stock": "skus_by_name",
    "shipping": "measures_by_sku",
}
METHOD_QUERIES = {"shipping": "methods_by_name", "orders": "copies_by_method"}

COPIED = ("title", "price_minor", "currency", "active")
MEASURED = ("weight_g", "length_mm", "width_mm", "height_mm")
OFFERED = ("price_minor", "currency", "needs_shipment", "needs_address", "active")


def every_customer_has_a_wallet(rows: Rows) -> Iterator[Breach]:
    """Registration opens a wallet, unless a deposit has opened it earlier."""
    if rows["accounts"] and not rows["wallet"]:
        yield 10, "registered, but has no wallet"


def every_wallet_is_told_of(rows: Rows) -> Iterator[Breach]:
    """Who has a wallet was told so, once."""
    if rows["wallet"] and not rows["notifications"]:
        yield 10, "has a wallet, but was not told"
    if rows["notifications"] and not rows["wallet"]:
        yield 11, "was told of a wallet that does not exist"


def every_copy_is_the_product(rows: Rows) -> Iterator[Breach]:
    """Orders sells what the catalogue offers."""
    product, copy = _first(rows["catalogue"]), _first(rows["orders"])
    known = copy if copy is not None and copy["catalogue_version"] > 0 else None
    yield from _copied(product, known, "catalogue_version", COPIED, "orders")


def every_product_is_measured(rows: Rows) -> Iterator[Breach]:
    """Shipping packs what the catalogue describes."""
    yield from _copied(_first(rows["catalogue"]), _first(rows["shipping"]), "catalogue_version", MEASURED, "shipping")


def every_method_is_offered(rows: Rows) -> Iterator[Breach]:
    """Orders offers the ways to deliver that shipping has."""
    method, copy = _first(rows["shipping"]), _first(rows["orders"])
    yield from _copied(method, copy, "method_version", OFFERED, "orders")


def every_copy_knows_what_is_sold_out(rows: Rows) -> Iterator[Breach]:
    """Orders knows whether some of a sku is free.  Stock tells the turns only; before the first one nothing is."""
    sku, copy = _first(rows["stock"]), _first(rows["orders"])
    told = copy is not None and copy["stock_version"] > 0
    if sku is None:
        if told:
            yield 11, "orders has heard of a sku that stock has never had"
    elif not told:
        if sku["available"]:
            yield 15, f"{sku['available']} are free, but orders has not heard of it"
    elif copy is not None and copy["sold_out"] == (sku["available"] > 0):
        yield 15, f"{sku['available']} are free, but orders has it {'' if copy['sold_out'] else 'not '}sold out"


def every_product_shows_whether_it_is_sold_out(rows: Rows) -> Iterator[Breach]:
    """The catalogue shows whether some of a sku is free, once stock has told of it."""
    sku, product = _first(rows["stock"]), _first(rows["catalogue"])
    if sku is None or product is None:
        return
    if product["stock_version"] and product["available"] != (sku["available"] > 0):
        shown = "available" if product["available"] else "sold out"
        yield 15, f"{sku['available']} are free, but the catalogue shows it {shown}"
    if product["available"] is None and sku["available"]:
        yield 15, f"{sku['available']} are free, but the catalogue has not heard of it"


CUSTOMER_RULES: Sequence[tuple[frozenset[str], Rule]] = (
    (frozenset({"accounts", "wallet"}), every_customer_has_a_wallet),
    (frozenset({"wallet", "notifications"}), every_wallet_is_told_of),
)
PRODUCT_RULES: Sequence[tuple[frozenset[str], Rule]] = (
    (frozenset({"catalogue", "orders"}), every_copy_is_the_product),
    (frozenset({"catalogue", "shipping"}), every_product_is_measured),
    (frozenset({"stock", "orders"}), every_copy_knows_what_is_sold_out),
    (frozenset({"stock", "catalogue"}), every_product_shows_whether_it_is_sold_out),
)
METHOD_RULES: Sequence[tuple[frozenset[str], Rule]] = ((frozenset({"shipping", "orders"}), every_method_is_offered),)


def _copied(source: Row | None, copy: Row | None, version: str, fields: Sequence[str], owner: str) -> Iterator[Breach]:
    """A copy is of the source's version, and says the same."""
    if source is None:
        if copy is not None:
            yield 11, f"{owner} has a copy of what does not exist"
    elif copy is None:
        yield 15, f"{owner} has no copy of it"
    elif copy[version] != source["version"]:
        yield 15, f"{owner} has version {copy[version]} of {source['version']}"
    else:
        for field in fields:
            if copy[field] != source[field]:
                yield 15, f"{field} is {source[field]!r}, but {owner} has {copy[field]!r}"


def _first(rows: Sequence[Row]) -> Row | None:
    return rows[0] if rows else None
