"""A real browser in a demo shop that really runs, the bank beside it.

with open_shop(folder) as address, chromium() as browser:
    anna = Visitor(browser, address)
    anna.log_in("anna@sagamart.example")
    anna.page.goto(…)
    anna.complaints          # errors of the console and of the content policy: there must be none

A wait has a deadline of PATIENCE_S; nothing here sleeps.
"""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from re import search
from typing import Any, Literal, NamedTuple

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from e2e.shop_program import ShopProgram
from sagamart.web import money, texts

PATIENCE_S = 60
STARTS_MAX = 3
TABS_MAX = 60
SEE_OTHER = 303
PASSWORD = "sagamart-demo"
AXE = Path(__file__).parent / "axe/node_modules/axe-core/axe.min.js"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

Language = Literal["en", "ru"]
Theme = Literal["light", "dark"]


def chromium_path() -> str:
    """Where Chromium is.  Raises AssertionError that says what to do where there is none."""
    wanted = (os.environ.get("SAGAMART_CHROMIUM", ""), *NAMES)
    found = next((path for name in wanted if name and (path := shutil.which(name))), None)
    assert found is not None, "there is no Chromium here: run scripts/browser, which installs it or says what to do"
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a new, empty profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS), timeout=120_000)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_shop(folder: Path, **settings: str) -> Iterator[str]:
    """A demo shop on a port of its own, where the bank's page leads back to; gives its address."""
    for left in reversed(range(STARTS_MAX)):
        shop = ShopProgram(folder, "up", "--demo", port=str(_free_port()), **settings)
        try:
            shop.wait_until_open()
        except AssertionError:
            if not left:
                raise
            continue  # somebody else took the port in between
        try:
            yield shop.address
        finally:
            shop.stop()
        return


class Window(NamedTuple):
    """What a browser window is like: language and colours of its device, whether scripts run, width and height."""

    language: Language = "en"
    theme: Theme = "light"
    scripts: bool = True
    width: int = 1280
    height: int = 900


DESK = Window()
PHONE = Window(width=390, height=844)


class Visitor:
    """Somebody at a browser window of their own."""

    def __init__(self, browser: Browser, address: str, window: Window = DESK) -> None:
        self.address = address
        self.language: Language = window.language
        self.complaints: list[str] = []
        self._context = browser.new_context(
            base_url=address,
            locale={"en": "en-GB", "ru": "ru-RU"}[window.language],
            color_scheme=window.theme,
            java_script_enabled=window.scripts,
            viewport={"width": window.width, "height": window.height},
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        self._context.set_default_timeout(PATIENCE_S * 1000)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def close(self) -> None:
        """Close the window."""
        self._context.close()

    def open(self, path: str) -> Page:
        """Go to a page of the shop."""
        self.page.goto(path)
        return self.page

    def log_in(self, email: str) -> None:
        """Log in as somebody of the demo, by the form and yet without painting it: most ways begin after that."""
        asked = self._context.request
        token = search(r'name="csrf" value="([^"]+)"', asked.get("/login").text())
        assert token is not None
        form = {"csrf": token[1], "email": email, "password": PASSWORD}
        answer = asked.post("/login", form=form, max_redirects=0)
        assert answer.status == SEE_OTHER, answer.text()

    @contextmanager
    def to_another_page(self) -> Iterator[None]:
        """Do what leads to another page; that one has loaded at the end, even where it has the same address."""
        with self.page.expect_navigation(timeout=PATIENCE_S * 1000):
            yield

    def speak(self, language: Language) -> None:
        """Have the page in this language from here on, as the switch at its foot does."""
        with self.to_another_page():
            self.page.locator(f"[name=language][value={language}]").click()
        expect(self.page.locator(f"html[lang={language}]")).to_be_attached(timeout=PATIENCE_S * 1000)
        self.language = language

    def text(self, key: str, **facts: Any) -> str:
        """What pages say in the window's language."""
        return texts.said(self.language, key, **facts)

    def money(self, amount_minor: int) -> str:
        """An amount of roubles as pages show it."""
        return money.shown(amount_minor, "RUB", self.language)

    def tab_to(self, wanted: Locator) -> None:
        """Go there as people without a mouse do."""
        for _ in range(TABS_MAX):
            if wanted.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{TABS_MAX} times Tab do not lead to {wanted}")

    def skip_to_the_content(self) -> None:
        """Leave the menu out, by keyboard."""
        self.page.keyboard.press("Tab")
        expect(self.page.locator(".skip")).to_be_focused(timeout=PATIENCE_S * 1000)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("main")).to_be_focused(timeout=PATIENCE_S * 1000)

    def sees(self, text: str) -> None:
        """Wait until the page says this."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_S * 1000)

    def press(self, name: str) -> None:
        """Press the button of this name, or follow the link: what leads to another page, which is there at the end."""
        with self.to_another_page():
            self.control(name).click()

    def control(self, name: str) -> Locator:
        """The button or link of this name in the page's own part."""
        main = self.page.get_by_role("main")
        return main.get_by_role("button", name=name).or_(main.get_by_role("link", name=name)).first

    def barriers(self) -> list[str]:
        """What keeps people with disabilities out, of some weight: the findings of axe on this page.

        A page that leads on by itself is left first: it would take axe with it.
        """
        expect(self.page.locator("meta[http-equiv=refresh]")).to_have_count(0, timeout=PATIENCE_S * 1000)
        self.page.wait_for_load_state()
        found: dict[str, Any] = self.page.evaluate(f"async () => {{ {AXE.read_text('utf-8')}; return axe.run(); }}")
        return [
            f"{one['id']}: {one['nodes'][0]['html'][:200]}"
            for one in found["violations"]
            if one["impact"] in {"serious", "critical"}
        ]

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")


NewVisitor = Callable[..., Visitor]
"""Opens a window, like a desk's computer unless another one is wanted."""


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
