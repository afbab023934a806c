"""Demo data: people, products, stock, money, delivery and a promo code, put into a shop through its public API.

Rules:
- What is there stays as it is: each thing is looked up before it is made, and made under a fixed key.  So a second
  start changes nothing, nor does one after a start that broke off.
- The administrator exists already; everybody else is made here.
"""

from collections.abc import Callable, Mapping, Sequence

import httpx
from rich.table import Table

from sagamart.demo.assortment import (
    ADMIN,
    CUSTOMER_MONEY,
    CUSTOMERS,
    METHODS,
    OPERATOR,
    PEOPLE,
    PRODUCTS,
    PROMO_CODE,
    PROMO_PERCENT_BP,
    SHIPPING_OPERATOR,
    STOCK_OPERATOR,
    DemoMethod,
    DemoProduct,
    Person,
)
from sagamart.demo.client import DemoError, Session, ShopClient, accepted, shop_at


async def seed(
    url: str, *, admin: Person = ADMIN, currency: str = "RUB", say: Callable[[str], None] = lambda _: None
) -> Sequence[Person]:
    """Fill the shop at this URL; gives everybody who can log in.  `currency` is that of its wallets.

    Raises DemoError where the shop does not answer, does not know the administrator, or refuses.
    """
    async with shop_at(url) as shop:
        administrator = await shop.session(admin.email, admin.password)
        if administrator is None:
            raise DemoError(f"The shop at {url} does not know {admin.email} under this password.")
        operator = await _employed(shop, administrator, OPERATOR)
        stock_operator = await _employed(shop, administrator, STOCK_OPERATOR)
        shipping_operator = await _employed(shop, administrator, SHIPPING_OPERATOR)
        for method in METHODS:
            await _delivered(shipping_operator, method, currency)
        await _promised(operator, currency)
        made = [await _offered(operator, stock_operator, product, currency) for product in PRODUCTS]
        paid = [await _endowed(shop, operator, customer, currency) for customer in CUSTOMERS]
    say(f"Demo data: {sum(made)} products and {sum(paid)} customers are new.")
    return [admin, *(person for person in PEOPLE if person is not ADMIN)]


def log_ins(people: Sequence[Person]) -> Table:
    """Everybody who can log in, as a table to be printed."""
    title = "Try the shop as"
    # Without a frame it fits a terminal of 80 columns, where an address that is cut off cannot be copied.
    table = Table("log in as", "password", "name", "roles", title=title, box=None, pad_edge=False)
    for person in people:
        table.add_row(person.email, person.password, person.name, ", ".join(person.roles))
    return table


async def _employed(shop: ShopClient, administrator: Session, person: Person) -> Session:
    """A colleague with the roles of the demo."""
    session = await _registered(shop, person)
    user_id = (await session.ask("GET", "/v1/me"))["id"]
    profile = await administrator.send("GET", f"/v1/users/{user_id}")
    if set(accepted(profile)["roles"]) != set(person.roles):
        await administrator.ask(
            "PUT", f"/v1/users/{user_id}/roles", json={"roles": person.roles}, if_match=profile.headers["ETag"]
        )
        await session.log_in()  # a token has the roles of the moment of logging in
    return session


async def _registered(shop: ShopClient, person: Person) -> Session:
    """Somebody who can log in, registered if that is not so."""
    session = await shop.session(person.email, person.password)
    if session is not None:
        return session
    wish = {"email": person.email, "password": person.password, "name": person.name, "language": person.language}
    accepted(await shop.send("POST", "/v1/users", json=wish, headers={"Idempotency-Key": f"demo-{person.email}"}))
    session = await shop.session(person.email, person.password)
    if session is None:
        raise DemoError(f"{person.email} has registered with another password than that of the demo.")
    return session


async def _offered(operator: Session, stock_operator: Session, product: DemoProduct, currency: str) -> bool:
    """A product that is for sale and in stock; says whether it is new."""
    found = await operator.send("GET", f"/v1/products/{product.sku}")
    new = found.status_code == httpx.codes.NOT_FOUND
    if new:
        wish = wish_for(product, currency)
        await operator.ask("POST", "/v1/products", json=wish, key=f"demo-product-{product.sku}")
    level = await stock_operator.send("GET", f"/v1/stock/{product.sku}")
    if level.status_code == httpx.codes.NOT_FOUND:
        await stock_operator.ask(
            "POST", f"/v1/stock/{product.sku}/receipts", json={"quantity": product.pieces}, key="demo-first-pieces"
        )
    return new


async def _delivered(shipping_operator: Session, method: DemoMethod, currency: str) -> None:
    """A way of delivery that is offered."""
    found = await shipping_operator.send("GET", f"/v1/delivery-methods/{method.method}")
    if found.status_code == httpx.codes.NOT_FOUND:
        await shipping_operator.ask("POST", "/v1/delivery-methods", json=terms_of(method, currency))


async def _promised(operator: Session, currency: str) -> None:
    """The promo code."""
    found = await operator.send("GET", f"/v1/promo-codes/{PROMO_CODE}")
    if found.status_code == httpx.codes.NOT_FOUND:
        wish = {"code": PROMO_CODE, "currency": currency, "percent_bp": PROMO_PERCENT_BP}
        await operator.ask("POST", "/v1/promo-codes", json=wish)


async def _endowed(shop: ShopClient, operator: Session, customer: Person, currency: str) -> bool:
    """A customer with money, unless there was some before; says whether it is new."""
    session = await _registered(shop, customer)
    if (await session.ask("GET", "/v1/wallet/entries?limit=1"))["items"]:
        return False
    user_id = (await session.ask("GET", "/v1/me"))["id"]
    wish = {"amount_minor": money_of(currency), "currency": currency, "customer_id": user_id}
    await operator.ask("POST", "/v1/wallet/deposits", json=wish, key=f"demo-deposit-{user_id}")
    return True


def wish_for(product: DemoProduct, currency: str) -> Mapping[str, object]:
    """What the catalogue is asked to offer."""
    return {
        "sku": product.sku,
        "title": product.title,
        "description": product.description,
        "price_minor": product.price_minor(currency),
        "currency": currency,
        "weight_g": product.weight_g,
        "tax_rate_bp": 2000,
    }


def terms_of(method: DemoMethod, currency: str) -> Mapping[str, object]:
    """What shipping is asked to offer."""
    return {
        "method": method.method,
        "title_en": method.title_en,
        "title_ru": method.title_ru,
        "price_minor": method.price_minor(currency),
        "currency": currency,
        "needs_shipment": method.comes,
        "needs_address": method.comes,
    }


def money_of(currency: str) -> int:
    """What a customer gets, in minor units; in other currencies as many as in euros."""
    return CUSTOMER_MONEY.get(currency, CUSTOMER_MONEY["EUR"])
