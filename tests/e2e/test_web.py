"""The pages in a real browser, in a demo shop that really runs: a customer's whole way, and that nobody is kept out.

Each window is watched: an error in its console, or a breach of the content policy, fails the test.
"""

from re import compile as pattern
from subprocess import PIPE, Popen
from time import monotonic

import httpx
import pytest
from playwright.sync_api import expect

from e2e.browsing import PATIENCE_S, PHONE, NewVisitor, Visitor, Window
from e2e.clerk import shipping_clerk
from e2e.shop_program import SAGAMART, environment

ANNA, BORIS, CLARA, ADA = (f"{name}@sagamart.example" for name in ("anna", "boris", "clara", "admin"))
CARD = "4000 0000 0000 0002"
DEADLINE_MS = PATIENCE_S * 1000
HOME = {
    "recipient": "Anna",
    "phone": "+7 342 0000000",
    "country": "RU",
    "postal_code": "614000",
    "city": "Perm",
    "street": "Lenina 1",
}


def put_in(visitor: Visitor, sku: str) -> None:
    visitor.open(f"/products/{sku}")
    visitor.press(visitor.text("product.put_in"))
    visitor.page.wait_for_url(f"{visitor.address}/basket")


def check_out(visitor: Visitor, *, delivery: str = "pickup", pay: str) -> None:
    """On from the basket to an order that is fetched from the shop, paid in this way."""
    visitor.open("/checkout")
    visitor.page.locator(f"[name=method][value={delivery}]").check()
    visitor.page.locator(f"[name=pay][value={pay}]").check()
    place(visitor)


def place(visitor: Visitor) -> None:
    """Order, once the total is what was chosen."""
    expect(visitor.page.locator(".htmx-request")).to_have_count(0, timeout=DEADLINE_MS)
    visitor.page.locator("[name=act][value=place]").click()


def confirm_at_the_bank(visitor: Visitor) -> None:
    visitor.page.wait_for_url(lambda url: not url.startswith(visitor.address), timeout=DEADLINE_MS)
    visitor.page.locator("[name=card]").fill(CARD)
    visitor.page.locator("[name=answer][value=confirm]").click()
    visitor.page.wait_for_url(f"{visitor.address}/**", timeout=DEADLINE_MS)


def meets_no_barrier(visitor: Visitor) -> None:
    assert visitor.barriers() == [], visitor.page.url


def is_at_last(visitor: Visitor, status: str) -> None:
    """Wait until the order's page has this word for its state, without asking for the page again."""
    expect(visitor.page.locator(".order-state")).to_have_text(status, ignore_case=True, timeout=DEADLINE_MS)


def test_a_customer_finds_a_product_and_pays_from_the_wallet(visitor: NewVisitor) -> None:
    anna = visitor()
    page = anna.open("/")
    page.locator("#q").fill("oolon")
    expect(page.locator(".product")).to_have_count(1, timeout=DEADLINE_MS)
    page.get_by_role("link", name="Oolong tea").click()

    anna.press("Put into the basket")
    page.locator("main [name=email]").fill(ANNA)
    page.locator("main [name=password]").fill("sagamart-demo")
    anna.press("Log in")
    page.wait_for_url("**/products/TEA-OOLONG?quantity=1")
    anna.press("Put into the basket")
    anna.press("Go to checkout")

    page.locator("[name=method][value=courier]").check()
    for name, text in {**HOME, "promo_code": "WELCOME-10"}.items():
        page.locator(f"[name={name}]").fill(text)
    page.locator("[name=promo_code]").press("Tab")
    expect(page.locator("#total")).to_contain_text("₽1,056.00", timeout=DEADLINE_MS)
    place(anna)

    is_at_last(anna, "created")
    anna.sees("The parcel is being made ready")
    anna.press("Receipt")
    anna.sees("₽1,056.00")
    anna.open("/wallet")
    anna.sees("\u2212₽1,056.00")


def test_a_customer_pays_by_card_on_the_banks_page_and_comes_back_in_russian(visitor: NewVisitor) -> None:
    boris = visitor(Window(language="ru", theme="dark"))
    boris.log_in(BORIS)
    put_in(boris, "SOAP-LAVENDER")
    check_out(boris, pay="card")

    confirm_at_the_bank(boris)

    expect(boris.page).to_have_url(pattern(r"/orders/ord_"))
    expect(boris.page.locator(".steps .done")).to_have_count(4, timeout=DEADLINE_MS)
    expect(boris.page.locator(".order-state")).to_have_text("Создан")
    boris.sees("Выполнен")


def test_a_customer_buys_with_the_keyboard_alone_in_russian(visitor: NewVisitor) -> None:
    clara = visitor(Window(language="ru"))
    clara.log_in(CLARA)
    page, keys = clara.open("/"), clara.page.keyboard

    clara.tab_to(page.locator("#q"))
    keys.type("oolon")
    expect(page.locator(".product")).to_have_count(1, timeout=DEADLINE_MS)
    clara.tab_to(page.get_by_role("link", name="Oolong tea"))
    keys.press("Enter")
    page.wait_for_url("**/products/TEA-OOLONG")
    clara.skip_to_the_content()
    clara.tab_to(clara.control(clara.text("product.put_in")))
    keys.press("Enter")
    page.wait_for_url("**/basket")
    clara.skip_to_the_content()
    clara.tab_to(clara.control(clara.text("basket.checkout")))
    keys.press("Enter")
    page.wait_for_url("**/checkout")
    clara.skip_to_the_content()
    pickup = page.locator("[name=method][value=pickup]")
    clara.tab_to(page.locator("[name=method]:checked"))
    for _ in range(page.locator("[name=method]").count()):
        if pickup.is_checked():
            break
        keys.press("ArrowDown")
    clara.tab_to(page.locator("[name=act][value=place]"))
    expect(page.locator(".htmx-request")).to_have_count(0, timeout=DEADLINE_MS)
    keys.press("Enter")

    is_at_last(clara, clara.text("orders.stage_created"))


def test_an_order_is_paid_in_parts_from_two_sources_and_in_two_languages(visitor: NewVisitor) -> None:
    clara, there = visitor(), visitor()
    for window in (clara, there):
        window.log_in(CLARA)
    put_in(clara, "LAMP-DESK")
    check_out(clara, pay="later")
    clara.sees(clara.text("order.pay_title", amount=clara.money(310_000)))

    there.open(clara.page.url)
    there.page.locator("#amount").fill("70")
    clara.page.locator("#amount").fill("1000,50")
    clara.press(clara.text("order.from_wallet"))
    there.sees(clara.text("order.pay_title", amount=clara.money(209_950)))
    expect(there.page.locator("#amount")).to_have_value("70")  # the page has changed around what is being typed
    clara.speak("ru")
    clara.sees(clara.text("order.pay_title", amount=clara.money(209_950)))
    clara.press(clara.text("order.by_card"))
    confirm_at_the_bank(clara)

    expect(clara.page.locator(".steps .done")).to_have_count(4, timeout=DEADLINE_MS)


def test_an_order_that_is_cancelled_in_one_window_is_so_in_the_other_without_a_click(visitor: NewVisitor) -> None:
    here, there = visitor(), visitor(PHONE._replace(language="ru"))
    for window in (here, there):
        window.log_in(CLARA)
    put_in(here, "MUG-BLUE")
    check_out(here, pay="later")
    is_at_last(here, here.text("orders.stage_awaiting_payment"))
    there.open(here.page.url)

    here.press(here.text("order.cancel"))

    is_at_last(here, here.text("orders.stage_cancelled"))
    is_at_last(there, there.text("orders.stage_cancelled"))
    here.sees("You cancelled it")
    there.sees("Вы отменили заказ")


def has_sent_home(visitor: Visitor, sku: str) -> str:
    """The id of an order that a courier is to bring, paid from the wallet; its page is open."""
    put_in(visitor, sku)
    visitor.open("/checkout")
    visitor.page.locator("[name=method][value=courier]").check()
    for name, text in HOME.items():
        visitor.page.locator(f"[name={name}]").fill(text)
    place(visitor)
    expect(visitor.page.locator(".steps .now")).to_have_text(visitor.text("order.step_sent"), timeout=DEADLINE_MS)
    return visitor.page.url.rpartition("/")[2]


def test_a_parcel_comes_while_one_looks_and_goods_of_it_are_given_back_in_two_languages(visitor: NewVisitor) -> None:
    anna = visitor()
    anna.log_in(ANNA)
    order_id = has_sent_home(anna, "NOTEBOOK-A5")

    anna.page.locator("summary").click()
    anna.page.locator("[name=street]").fill("Sibirskaya 7")
    anna.press(anna.text("order.readdress"))
    expect(anna.page.locator("address")).to_contain_text("Sibirskaya 7", timeout=DEADLINE_MS)
    with shipping_clerk(anna.address) as clerk:
        clerk.bring(order_id)
        expect(anna.page.locator(".steps .done")).to_have_count(4, timeout=DEADLINE_MS)
        anna.speak("ru")
        anna.page.locator("summary").click()
        anna.page.locator("[name=pieces]").fill("1")
        anna.press(anna.text("order.return"))
        anna.sees(anna.text("order.return_awaited"))
        keeps_no_clerk_out(visitor(), f"/console/shipments/{clerk.shipment_of(order_id)}")
        clerk.take_back(order_id)

    anna.sees(anna.text("order.return_received"))


def test_a_parcel_that_nobody_took_comes_back_and_is_refunded(visitor: NewVisitor) -> None:
    anna, ada = visitor(), visitor(Window(language="ru"))
    anna.log_in(ANNA)
    ada.log_in(ADA)
    order_id = has_sent_home(anna, "MUG-BLUE")
    with shipping_clerk(anna.address) as clerk:
        ada.open(f"/console/shipments/{clerk.hand_over(order_id)}")
        ada.page.locator("main summary").click()
        ada.press(ada.text("console.undelivered"))
        ada.sees(ada.text("console.done_undelivered"))
        clerk.take_back(order_id)

    is_at_last(anna, anna.text("orders.stage_cancelled"))
    anna.sees(anna.text("order.return_received"))


def keeps_no_clerk_out(ada: Visitor, shipment: str) -> None:
    """A shipment's page, and the one in the console that says that there is none."""
    ada.log_in(ADA)
    for path in (shipment, "/console/shipments/attic"):
        ada.open(path)
        meets_no_barrier(ada)
    ada.complaints[:] = [one for one in ada.complaints if "/attic" not in one]


def test_a_wallet_is_topped_up_by_card_in_two_languages(visitor: NewVisitor) -> None:
    boris = visitor()
    boris.log_in(BORIS)
    boris.open("/wallet")
    boris.page.locator("#top-up").fill("250.75")
    boris.press(boris.text("wallet.to_the_bank"))
    boris.speak("ru")
    meets_no_barrier(boris)
    boris.press(boris.text("bank.go"))
    meets_no_barrier(boris)
    confirm_at_the_bank(boris)

    boris.sees(boris.text("wallet.top_up_credited"))
    meets_no_barrier(boris)


def test_everything_works_without_scripts(visitor: NewVisitor) -> None:
    clara = visitor(Window(scripts=False))
    clara.log_in(CLARA)
    page = clara.open("/")
    page.locator("#q").fill("soap")
    clara.press("Find")
    expect(page.locator(".product")).to_have_count(1)
    put_in(clara, "SOAP-LAVENDER")
    page.locator("[name=quantity]").fill("3")
    clara.press("Count again")
    clara.sees("₽870.00")
    check_out(clara, pay="wallet")

    expect(page).to_have_url(pattern(r"/orders/ord_"))
    deadline = monotonic() + PATIENCE_S
    while page.locator(".steps .done").count() < 4 and monotonic() < deadline:
        page.reload()
    expect(page.locator(".steps .done")).to_have_count(4)
    clara.sees("₽870.00")
    page.locator("[name=language][value=ru]").click()
    clara.sees("Товары")


def test_whoever_uses_the_keyboard_skips_to_the_content_first(visitor: NewVisitor) -> None:
    somebody = visitor()
    somebody.open("/")

    somebody.skip_to_the_content()


def test_the_pages_run_as_a_process_of_their_own_over_the_shops_address(shop_address: str) -> None:
    command = [str(SAGAMART), "serve", "web"]
    mine = environment(web_api_url=shop_address, http_port="0")
    with Popen(command, stderr=PIPE, text=True, env=mine) as alone:  # noqa: S603  our own program
        try:
            assert alone.stderr is not None
            said = next(line for line in alone.stderr if line.startswith("The pages at "))
            address = said.removeprefix("The pages at ").partition(",")[0]
            answers = [httpx.get(f"{address}{path}", timeout=PATIENCE_S) for path in ("/?q=oolong", "/readyz")]
        finally:
            alone.terminate()

    assert "Oolong tea" in answers[0].text
    assert answers[1].status_code == 200


PAGES = (
    "/",
    "/products/MUG-BLUE",
    "/basket",
    "/checkout",
    "/orders",
    "/cabinet",
    "/wallet",
    "/notifications",
    "/profile",
    "/login",
    "/register",
    "/attic",
)
SELDOM = ("/profile/erasure", "/password/forgotten", "/new-password", "/confirm")
ON_A_PHONE = ("/", "/basket", "/checkout", "/wallet", "/profile")
"""What a phone shows is the same, in another place: a page of each kind will do."""


@pytest.mark.parametrize(
    "window", [Window(), Window(theme="dark"), Window(language="ru", theme="dark", width=390, height=844)]
)
def test_no_main_page_keeps_anybody_out(visitor: NewVisitor, window: Window) -> None:
    boris = visitor(window)
    boris.log_in(BORIS)
    boris.open("/products/TEA-OOLONG")
    boris.page.locator(".buy button").click()
    boris.page.wait_for_url(f"{boris.address}/basket")
    boris.open("/orders")
    order = boris.page.locator(".order-row").first.get_attribute("href")
    assert order is not None

    found = {}
    for path in (*PAGES, order, f"{order}/receipt", *(SELDOM if window.theme == "light" else ())):
        boris.open(path)
        if (window.width > PHONE.width or path in {*ON_A_PHONE, order}) and (barriers := boris.barriers()):
            found[path] = barriers
        width = boris.page.evaluate("document.documentElement.scrollWidth")
        assert width <= window.width, f"{path} is {width} pixels wide"

    assert not found
    boris.complaints[:] = [one for one in boris.complaints if "/attic" not in one]


def test_orders_place_themselves_and_a_service_that_is_killed_loses_none(visitor: NewVisitor) -> None:
    ada = visitor()
    ada.log_in(ADA)
    page = ada.open("/console/demo")

    ada.press("Start")
    expect(page.locator(".chart .ended").nth(3)).to_be_attached(timeout=DEADLINE_MS)
    ada.press("Kill it")
    ada.sees("It is dead.")
    meets_no_barrier(ada)
    expect(page.locator(".kills .badge.good")).to_have_text("nothing was lost", timeout=DEADLINE_MS)
    ada.press("Stop")

    ada.sees("No more orders place themselves.")


def test_the_banks_misbehaviour_is_switched_on_and_off(visitor: NewVisitor) -> None:
    ada = visitor()
    ada.log_in(ADA)
    page = ada.open("/console/bank")

    page.locator("[name=down][value=once]").check(force=True)
    page.locator("#why").fill("to see a retry")
    ada.press("Save")
    ada.sees("The bank behaves so from now on.")
    expect(page.locator("[name=down][value=once]")).to_be_checked()
    meets_no_barrier(ada)
    page.locator("[name=down][value=never]").check(force=True)
    page.locator("#why").fill("seen")
    ada.press("Save")

    expect(page.locator("[name=down][value=never]")).to_be_checked()
    ada.open("/console/acts")
    ada.sees("to see a retry")
    ada.sees("Is down (503): once")


def test_an_administrator_finds_somebody_by_the_address_and_gives_them_a_role(visitor: NewVisitor) -> None:
    ada = visitor(Window(language="ru"))
    ada.log_in(ADA)
    page = ada.open("/console/people")
    page.locator("#email").fill("shipping@sagamart.example")
    ada.press(ada.text("console.search"))
    page.locator("main td a[href^='/console/people/']").first.click()

    page.locator("[name=role][value=STOCK_OPERATOR]").check()
    ada.press(ada.text("console.save"))

    ada.sees(ada.text("console.done_roles"))
    expect(page.locator("[name=role][value=STOCK_OPERATOR]")).to_be_checked()
    expect(page.locator("main tbody tr").first).to_contain_text(ada.text("console.role_STOCK_OPERATOR"))
    meets_no_barrier(ada)
