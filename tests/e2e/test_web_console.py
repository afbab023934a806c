"""An operator's way in a real browser, in a shop that really runs: an order that is stuck is found, read and mended.

The shop is in this process, so that a curse can lie on its stock; the browser runs in a thread of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from re import compile as pattern
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from playwright.sync_api import expect

from cursing import CURSED, Curse
from e2e.browsing import PASSWORD, PATIENCE_S, Language, Visitor, Window, chromium
from open_shop import Opened, OpenShop
from sagamart.platform.http import Caller
from sagamart.platform.http.server import Server
from sagamart.programs import create_admin
from sagamart.shop.accounts.registration import NewCustomer
from sagamart.shop.stock import api as stock_api
from sagamart.shop.stock.service import STOCK
from sagamart.slices import SLICES, Slice
from sagamart.web import InProcess, Site, WebSection, build_pages
from web_shop import UNLIMITED

ADA = "ada@sagamart.example"
DEADLINE_MS = PATIENCE_S * 1000


class Counter(msgspec.Struct):
    """A shop with a stuck order in it, open at an address."""

    shop: OpenShop
    curse: Curse
    ann: Caller
    address: str
    order_id: str

    async def visit(self, way: Callable[["Counter", Visitor], None], window: Window) -> None:
        """Have an administrator go this way in a browser."""
        await asyncio.to_thread(self._visit, way, window)

    def _visit(self, way: Callable[["Counter", Visitor], None], window: Window) -> None:
        with chromium() as browser:
            ada = Visitor(browser, self.address, window)
            ada.log_in(ADA)
            way(self, ada)
            assert ada.complaints == []


@pytest_asyncio.fixture
async def counter(open_shop: Opened, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Counter]:
    """The shop, the curse on its stock, and the order that it has struck."""
    curse = Curse()
    monkeypatch.setitem(SLICES, "stock", lambda _: Slice(curse.on(STOCK), stock_api.ROUTES))
    shop = await open_shop()
    await create_admin(shop.shop.services["accounts"].worker, NewCustomer(email=ADA, password=PASSWORD, name="Ada"))
    await shop.sells(CURSED, 100, pieces=5)
    ann = await shop.customer(1, 1_000)
    died = shop.batch_of("stock", lambda batch: bool(batch.changes.dead))
    placed = await shop.post("/v1/orders", {"lines": [{"sku": CURSED}]}, caller=ann)
    async with asyncio.timeout(PATIENCE_S):
        await died
    app: Any = shop.app
    server = Server(Site(app, build_pages(WebSection(), UNLIMITED, api=InProcess(app))), host="127.0.0.1", port=0)
    await server.start()
    yield Counter(shop, curse, ann, f"http://127.0.0.1:{server.port}", placed.json()["id"])
    await server.stop()


def finds_and_mends(counter: Counter, ada: Visitor) -> None:
    page = ada.open("/console/trouble")
    retry = ada.text("console.retry")
    ada.sees("RuntimeError: the shelf has fallen over")
    page.get_by_role("link", name=counter.order_id).click()
    page.wait_for_url("**/story")

    page.locator("a.row").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#message .content")).to_contain_text('"attempt"', timeout=DEADLINE_MS)
    expect(page.locator("#message-title")).to_be_focused()

    story = ada.page.context.new_page()
    story.goto(f"/console/orders/{counter.order_id}/story")
    counter.curse.lies = False
    page.goto("/console/trouble")
    page.locator("summary").filter(has_text=retry).first.click()
    page.locator("[name=why]:visible").fill("shelf mended")
    page.get_by_role("button", name=retry).click()
    ada.sees(ada.text("console.done_released"))

    expect(story.locator("#order-now .badge")).to_have_text(ada.text("console.status_completed"), timeout=DEADLINE_MS)
    rows = story.locator("a.row")
    expect(rows.nth(3)).to_be_visible(timeout=DEADLINE_MS)
    rows.first.focus()
    story.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused(timeout=DEADLINE_MS)
    page.goto("/console/trouble")
    ada.sees(ada.text("console.none_dead"))
    page.goto("/console/acts")
    ada.sees("shelf mended")
    page.goto("/console/board")
    page.locator("#run-audit").click()
    ada.sees(ada.text("console.audit_holds", count=16))


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_a_stuck_order_is_found_its_story_read_and_it_is_released_and_completes(
    counter: Counter, language: Language
) -> None:
    await counter.visit(finds_and_mends, Window(language=language))

    order = (await counter.shop.get(f"/v1/orders/{counter.order_id}", caller=counter.ann)).json()
    assert order["status"] == "completed"


def gives_up_without_scripts(counter: Counter, ada: Visitor) -> None:
    discard, cancel = ada.text("console.discard"), ada.text("console.cancel_refund")
    page = ada.open(f"/console/orders/{counter.order_id}/story")
    expect(page.locator("a.row").first).to_be_visible()
    page.locator("a.row").first.click()
    expect(page).to_have_url(pattern(r"open=1#message$"))
    expect(page.locator("#message .content")).to_contain_text("{")
    page.get_by_role("link", name=ada.text("console.view_list")).click()
    expect(page.locator(".told-list details").first).to_be_visible()

    page.goto("/console/trouble")
    ada.sees(ada.text("console.letters_title"))
    page.locator("summary").filter(has_text=discard).click()
    page.locator("[name=why]:visible").fill("полка упала")
    page.get_by_role("button", name=discard).click()
    ada.sees(ada.text("console.done_discarded"))
    page.goto(f"/console/orders/{counter.order_id}")
    page.locator("summary").filter(has_text=cancel).click()
    page.locator("[name=why]:visible").fill("товар не найден")
    page.get_by_role("button", name=cancel).click()
    ada.sees(ada.text("console.done_cancelled"))


async def test_a_stuck_order_is_given_up_in_russian_without_scripts(counter: Counter) -> None:
    await counter.visit(gives_up_without_scripts, Window(language="ru", theme="dark", scripts=False))

    order = (await counter.shop.get(f"/v1/orders/{counter.order_id}", caller=counter.ann)).json()
    assert (order["status"], order["reason"]["code"]) == ("cancelled", "cancelled_by_staff")


def meets_no_barrier(counter: Counter, ada: Visitor) -> None:
    order = f"/console/orders/{counter.order_id}"
    sections = ("board", "orders", "trouble", "acts", "stock", "products", "promotions", "shipments", "people")
    ada.page.goto("/console/people")
    person = ada.page.locator("main td a").first.get_attribute("href")
    assert person is not None
    found = {}
    for path in (
        *(f"/console/{one}" for one in sections),
        "/console/products/new",
        f"/console/products/{CURSED}",
        person,
        order,
        f"{order}/story?open=1",
        f"{order}/story?as=list",
    ):
        answer = ada.page.goto(path)
        assert answer is not None
        assert (answer.status, len(answer.body()) <= 100_000) == (200, True), path
        ada.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        if barriers := ada.barriers():
            found[path] = barriers
        width = ada.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{path} is {width} pixels too wide"
    assert not found
    ada.open("/console/products")
    product = b"sku,title,price_minor,currency\nSPOON,Spoon,100,RUB\n,,,\n"
    ada.page.locator("#file").set_input_files({"name": "goods.csv", "mimeType": "text/csv", "buffer": product})
    ada.press(ada.text("console.import"))
    ada.sees("goods.csv")
    assert ada.barriers() == []


async def test_the_console_keeps_nobody_out(counter: Counter) -> None:
    await counter.visit(meets_no_barrier, Window())
    await counter.visit(meets_no_barrier, Window(language="ru", theme="dark", width=390, height=844))
