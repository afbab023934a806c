"""One address for programs and people, and pages that ask the API of their own process."""

import asyncio
from typing import Any

import httpx
import pytest

from sagamart.web import InProcess, Site, WebSection, build_pages
from web_shop import UNLIMITED, PlayedApi


class Api:
    """An API that remembers who asked, and sends an endless answer where it is asked for events."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.left = asyncio.Event()

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        if not scope["path"].endswith("/events"):
            await send({"type": "http.response.body", "body": b"the API"})
            return
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        ("/v1/products", "the API"),
        ("/docs", "the API"),
        ("/.well-known/jwks.json", "the API"),
        ("/healthz", "the API"),
        ("/login", "a page"),
        ("/docsish", "a page"),
        ("/v1", "a page"),
    ],
)
async def test_the_api_keeps_its_paths_and_every_other_is_a_page(path: str, whose: str) -> None:
    api: Any = Api()
    pages: Any = build_pages(WebSection(), UNLIMITED, api=InProcess(api))
    site: Any = Site(api, pages)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://shop.example") as visitor:
        answer = await visitor.get(path)

    assert ("the API" if answer.text == "the API" else "a page") == whose


async def test_the_api_sees_the_visitors_address_and_not_that_of_the_pages() -> None:
    api: Any = Api()
    pages: Any = build_pages(WebSection(), UNLIMITED, api=InProcess(api))
    outside = httpx.ASGITransport(app=pages, client=("203.0.113.7", 4711))
    async with httpx.AsyncClient(transport=outside, base_url="http://shop.example") as visitor:
        await visitor.get("/")

    assert api.scopes[0]["client"][0] == "203.0.113.7"


@pytest.mark.parametrize("sent", [{}, {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}])
async def test_pages_that_make_no_spans_name_no_trace_but_the_browsers(sent: dict[str, str]) -> None:
    api = PlayedApi()
    pages: Any = build_pages(WebSection(), UNLIMITED, api=api)
    there = httpx.ASGITransport(app=pages)
    async with httpx.AsyncClient(transport=there, base_url="http://shop.example") as visitor:
        await visitor.get("/", headers=sent)

    assert api.asked[0].headers.get("traceparent") == sent.get("traceparent")


async def test_an_answer_that_never_ends_comes_part_by_part_until_the_reader_leaves() -> None:
    api: Any = Api()
    async with (
        httpx.AsyncClient(transport=InProcess(api), base_url="http://sagamart") as pages,
        pages.stream("GET", "/v1/orders/ord_1/events") as answer,
    ):
        parts = answer.aiter_bytes()
        assert await anext(parts) == b"first"
        assert not api.left.is_set()

    await asyncio.wait_for(api.left.wait(), 30)


async def test_pages_that_load_side_by_side_spend_a_refresh_token_once() -> None:
    api = PlayedApi()
    pair = {"access_token": "a", "token_type": "Bearer", "expires_in": 600, "refresh_token": "next"}
    api.answers |= {
        "GET /v1/products": {"items": [], "next_cursor": None, "corrected_question": None},
        "POST /v1/tokens/refresh": {**pair, "refresh_expires_at": "2999-01-01T00:00:00Z"},
    }
    pages: Any = build_pages(WebSection(), UNLIMITED, api=api)

    async def load() -> httpx.Response:
        cookies = {"refresh": "spent-by-the-first"}
        there = httpx.ASGITransport(app=pages)
        async with httpx.AsyncClient(transport=there, base_url="http://shop.example", cookies=cookies) as window:
            return await window.get("/")

    answers = await asyncio.gather(*(load() for _ in range(5)))

    assert [one.url.path for one in api.asked].count("/v1/tokens/refresh") == 1
    assert all("refresh=next" in one.headers["set-cookie"] for one in answers)


async def test_an_api_that_fails_before_it_answers_is_a_failed_connection() -> None:
    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ValueError

    async with httpx.AsyncClient(transport=InProcess(broken), base_url="http://sagamart") as pages:
        with pytest.raises(httpx.RemoteProtocolError):
            await pages.get("/v1/products")
