"""The pages over an API that a test plays: `shop.answers["GET /v1/wallet"] = {…}`, then look at what was asked.

The pages are real, their cookies and forms too; only the API is a table.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from re import search
from typing import Any

import httpx
import msgspec
from litestar.testing import TestClient

from sagamart.platform.settings import HttpSettings
from sagamart.web import WebSection, build_pages

UNLIMITED = HttpSettings(rate_limit_per_s=0)


class PlayedApi(httpx.AsyncBaseTransport):
    """Answers by `METHOD /path`: a body, or a status with a problem's code.  What is not in the table is not found."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.get(f"{request.method} {request.url.path}", (404, "not_found"))
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        if isinstance(answer, tuple):
            status, code = answer
            return httpx.Response(status, json={"status": status, "code": code, "title": code})
        return httpx.Response(200, json=answer)

    def last(self, asked: str) -> httpx.Request:
        """The last request of this method and path."""
        return next(one for one in reversed(self.asked) if f"{one.method} {one.url.path}" == asked)

    def body(self, asked: str) -> Any:
        """What it sent."""
        return msgspec.json.decode(self.last(asked).content)


class WebShop:
    """The pages as a browser without scripts sees them."""

    def __init__(self, browser: TestClient[Any], api: PlayedApi) -> None:
        self.browser = browser
        self.api = api
        self.answers = api.answers

    def look(self, path: str, **headers: str) -> httpx.Response:
        """Open a page, without following where it leads."""
        return self.browser.get(path, headers=headers, follow_redirects=False)

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form with the token that pages have."""
        token = search(r'name="csrf" value="([^"]+)"', self.look("/login").text)
        assert token is not None
        return self.browser.post(path, data={"csrf": token[1], **fields}, follow_redirects=False)

    def log_in(self) -> None:
        """Be Anna."""
        self.answers["POST /v1/tokens"] = {"access_token": "access-1", "token_type": "Bearer", "expires_in": 600}
        self.answers["POST /v1/tokens"] |= {
            "refresh_token": "refresh-1",
            "refresh_expires_at": "2999-01-01T00:00:00Z",
        }
        self.answers["GET /v1/me"] = {"customer_id": "cus_anna", "name": "Anna", "roles": ["CUSTOMER"]}
        self.send("/login", email="anna@sagamart.example", password="sagamart-demo")


@contextmanager
def open_pages(settings: WebSection | None = None, address: str = "http://shop.example") -> Iterator[WebShop]:
    """The pages at an address, https or not."""
    api = PlayedApi()
    api.answers["GET /v1/products"] = {"items": [], "next_cursor": None, "corrected_question": None}
    app = build_pages(settings or WebSection(), UNLIMITED, api=api)
    with TestClient(app, base_url=address, raise_server_exceptions=False) as browser:
        yield WebShop(browser, api)
