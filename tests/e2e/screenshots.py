"""Take the pictures of the pages that the documents show: `make screenshots`.

A demo shop is started, a customer buys something in it, and each page is painted into docs/pictures/pages/.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, expect

from e2e.browsing import PATIENCE_S, Visitor, Window, chromium, open_shop

FOLDER = Path(__file__).resolve().parents[2] / "docs/pictures/pages"
EMAIL = "clara@sagamart.example"
LIGHT = Window(width=1200, height=800)
DARK = Window(theme="dark", width=1200, height=800)
DESK = Window(width=1440, height=900)
DARK_DESK = Window(theme="dark", width=1440, height=900)
ADMIN = "admin@sagamart.example"
ORDERS = 12
DEADLINE_MS = PATIENCE_S * 1000
PHONE = Window(language="ru", width=390, height=800)


def main() -> None:
    """Paint them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open_shop(Path(folder)) as address, chromium() as browser:
        paint(browser, address)
        paint_console(browser, address)


def paint(browser: Browser, address: str) -> None:
    """A customer's way, page by page."""
    clara = Visitor(browser, address, LIGHT)
    clara.open("/")
    take(clara, "shelf")
    clara.log_in(EMAIL)
    _fill_basket(clara)
    clara.open("/checkout")
    clara.page.locator("[name=method][value=pickup]").check()
    take(clara, "checkout")
    clara.page.locator("[name=pay][value=later]").check()
    clara.page.locator("[name=act][value=place]").click()
    expect(clara.page.locator("#amount")).to_be_visible(timeout=PATIENCE_S * 1000)
    order = clara.page.url.removeprefix(address)
    take(clara, "order")
    for name, window, path in (
        ("product-dark", DARK, "/products/PEN-INK"),
        ("cabinet-dark", DARK, "/cabinet"),
        ("shelf-phone", PHONE, "/"),
        ("order-phone", PHONE, order),
    ):
        somebody = Visitor(browser, address, window)
        somebody.log_in(EMAIL)
        somebody.open(path)
        take(somebody, name)
        somebody.close()


def paint_console(browser: Browser, address: str) -> None:
    """What staff see while orders place themselves, and after a service was killed."""
    ada = Visitor(browser, address, DESK)
    ada.log_in(ADMIN)
    page = ada.open("/console/demo")
    ada.press("Start")
    expect(page.locator("#demo .live")).to_be_visible(timeout=DEADLINE_MS)
    expect(page.locator(".chart .ended").nth(ORDERS)).to_be_attached(timeout=DEADLINE_MS)
    ada.press("Kill it")
    expect(page.locator(".kills .badge.good")).to_be_visible(timeout=DEADLINE_MS)
    page.screenshot(path=FOLDER / "console-demo.png")
    ada.open("/console/board")
    page.locator("#run-audit").click()
    expect(page.locator(".verdict.good")).to_be_visible(timeout=DEADLINE_MS)
    story = f"/console{_send_a_parcel(browser, ada)}/story"
    for name, window, path in (
        ("console-board", DESK, "/console/board"),
        ("console-board-dark", DARK_DESK, "/console/board"),
        ("console-story", DESK, f"{story}?open=8"),
        ("console-story-dark", DARK_DESK, f"{story}?open=4"),
        ("console-orders", DESK, "/console/orders"),
        ("console-trouble", DESK, "/console/trouble"),
        ("console-stock", DARK_DESK, "/console/stock"),
        ("console-bank", DESK, "/console/bank"),
        ("console-story-phone", PHONE, story),
        ("console-board-phone", PHONE, "/console/board"),
    ):
        somebody = Visitor(browser, address, window)
        somebody.log_in(ADMIN)
        somebody.open(path)
        somebody.page.locator(".console-page").wait_for()
        somebody.page.evaluate("document.fonts.ready")
        somebody.page.screenshot(path=FOLDER / f"{name}.png")
        somebody.close()


def _send_a_parcel(browser: Browser, ada: Visitor) -> str:
    """Anna orders with a courier and a promo code; staff hand the parcel over and deliver it.  The order's path."""
    anna = Visitor(browser, ada.address, LIGHT)
    anna.log_in("anna@sagamart.example")
    anna.open("/products/PUZZLE-1000")
    anna.press("Put into the basket")
    anna.page.wait_for_url("**/basket")
    anna.open("/checkout")
    anna.page.locator("[name=method][value=courier]").check()
    address = {"recipient": "Anna", "phone": "+7 342 0000000", "country": "RU", "postal_code": "614000"}
    for name, text in {**address, "city": "Perm", "street": "Lenina 1", "promo_code": "WELCOME-10"}.items():
        anna.page.locator(f"[name={name}]").fill(text)
    anna.page.locator("[name=act][value=place]").click()
    anna.page.wait_for_url("**/orders/ord_*")
    anna.sees("The parcel is being made ready")
    ada.open("/console/shipments")
    ada.page.locator("summary").first.click()
    ada.page.locator("[name=carrier]").first.fill("Post")
    ada.page.locator("[name=tracking]").first.fill("RA123456789RU")
    ada.press("Hand over to a carrier")
    ada.sees("The carrier has it.")
    ada.open("/console/shipments?status=handed_over")
    ada.press("The customer has it")
    ada.sees("Delivered.")
    return anna.page.url.removeprefix(ada.address)


def _fill_basket(visitor: Visitor) -> None:
    for sku in ("MUG-BLUE", "TEA-OOLONG", "SCARF-WOOL"):
        visitor.open(f"/products/{sku}")
        visitor.press("Put into the basket")
        visitor.page.wait_for_url("**/basket")


def take(visitor: Visitor, name: str) -> None:
    """Paint what the window shows."""
    visitor.page.wait_for_load_state("networkidle")
    visitor.page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
