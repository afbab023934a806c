"""What services must agree on about customers and products: every copy equals its source once quiet."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sagamart.audit.order_stories import Breach
from sagamart.audit.snapshots import Row

Rows = Mapping[str, Sequence[Row]]
Rule = Callable[[Rows], Iterator[Breach]]

CUSTOMER_QUERIES = {
    "accounts": "customers_by_id",
    "wallet": "wallets_by_customer",
    "notifications": "told_by_customer",
}
PRODUCT_QUERIES = {"catalogue": "products_by_sku", "orders": "copies_by_sku", "stock": "skus_by_name"}

COPIED = ("title", "price_minor", "currency", "active")


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
    copied = copy is not None and copy["catalogue_version"] > 0
    if product is None:
        if copied:
            yield 11, "orders has a copy of a product that does not exist"
    elif copy is None or not copied:
        yield 15, "orders has no copy of this product"
    elif copy["catalogue_version"] != product["version"]:
        yield 15, f"orders has version {copy['catalogue_version']} of {product['version']}"
    else:
        for field in COPIED:
            if copy[field] != product[field]:
                yield 15, f"{field} is {product[field]!r}, but orders has {copy[field]!r}"


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


CUSTOMER_RULES: Sequence[tuple[frozenset[str], Rule]] = (
    (frozenset({"accounts", "wallet"}), every_customer_has_a_wallet),
    (frozenset({"wallet", "notifications"}), every_wallet_is_told_of),
)
PRODUCT_RULES: Sequence[tuple[frozenset[str], Rule]] = (
    (frozenset({"catalogue", "orders"}), every_copy_is_the_product),
    (frozenset({"stock", "orders"}), every_copy_knows_what_is_sold_out),
)


def _first(rows: Sequence[Row]) -> Row | None:
    return rows[0] if rows else None
