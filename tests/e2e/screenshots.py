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
PHONE = Window(language="ru", width=390, height=800)


def main() -> None:
    """Paint them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open_shop(Path(folder)) as address, chromium() as browser:
        paint(browser, address)


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
