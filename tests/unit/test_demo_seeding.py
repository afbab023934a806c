"""The demo's data is such that it shows what it is meant to show."""

import io

import msgspec
import pytest
from rich.console import Console

from sagamart.demo.assortment import DEAR, EVERYDAY, METHODS, PEOPLE, PRODUCTS
from sagamart.demo.display import Display
from sagamart.demo.journeys import Journey, Wish, wishes
from sagamart.demo.seeding import log_ins, money_of, terms_of, wish_for
from sagamart.shop.accounts.passwords import is_guessable
from sagamart.shop.accounts.registration import NewCustomer
from sagamart.shop.catalogue.api import NewProduct
from sagamart.shop.orders.bodies import NewOrder
from sagamart.shop.shipping.methods_api import NewMethod


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.email)
def test_everybody_of_the_demo_may_register(person: object) -> None:
    fields = {name: getattr(person, name) for name in ("email", "name", "password", "language")}

    newcomer = msgspec.convert(fields, NewCustomer)

    assert not is_guessable(newcomer.password, newcomer.email)


@pytest.mark.parametrize("currency", ["RUB", "EUR"])
@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.sku)
def test_every_product_of_the_demo_may_be_offered(product: object, currency: str) -> None:
    offered = msgspec.convert(wish_for(product, currency), NewProduct)  # type: ignore[arg-type]  # it is a product

    assert offered.currency == currency


@pytest.mark.parametrize("currency", ["RUB", "EUR"])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.method)
def test_every_delivery_of_the_demo_may_be_offered(method: object, currency: str) -> None:
    offered = msgspec.convert(terms_of(method, currency), NewMethod)  # type: ignore[arg-type]  # it is a method

    assert offered.currency == currency


def test_every_order_of_the_demo_can_be_read_by_the_shop() -> None:
    for wish in wishes(20):
        assert len(msgspec.convert(wish.body, NewOrder).lines or ()) == 2


@pytest.mark.parametrize("currency", ["RUB", "EUR"])
def test_a_customer_can_pay_many_everyday_orders_but_never_the_dear_product(currency: str) -> None:
    money = money_of(currency)

    assert money < DEAR.price_minor(currency)
    assert money / 2 > 3 * max(product.price_minor(currency) for product in EVERYDAY)


def test_the_log_ins_are_shown_with_their_passwords_in_full_on_a_terminal_of_80_columns() -> None:
    shown = io.StringIO()

    Console(file=shown, width=80).print(log_ins(PEOPLE))

    assert all(f" {role} " in f" {shown.getvalue()} ".replace("\n", " ") for one in PEOPLE for role in one.roles)
    assert all(person.email in shown.getvalue() and person.password in shown.getvalue() for person in PEOPLE)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_demo_is_shown_on_a_terminal_and_in_a_file(terminal: bool) -> None:  # noqa: FBT001  pytest hands it in
    shown = io.StringIO()
    journey = Journey(1, "anna", Wish("payable", {"MUG-BLUE": 1}))

    with Display(Console(file=shown, force_terminal=terminal, width=200), "http://shop") as display:
        display.begun(journey)
        journey.sees({"id": "ord_12345678", "status": "completed", "total_minor": 100, "currency": "EUR"}, 12.0)
        display.ended(journey)
        display.end("1 order")

    for words in ("http://shop", "12345678", "anna", "1 MUG-BLUE", "€1.00", "completed 12 ms", "1 order"):
        assert words in shown.getvalue()
