"""One address for programs and for people: the API keeps its paths, every other path is a page."""

from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

API_PATHS = frozenset(("/openapi.json", "/docs", "/healthz", "/readyz", "/info", "/metrics"))
API_FOLDERS = ("/v1/", "/docs/", "/services/", "/.well-known/", "/internal/")


class Site:
    """The API and the pages, as one ASGI application."""

    def __init__(self, api: ASGIApp, pages: ASGIApp) -> None:
        self._api = api
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.  Starting and stopping is the API's: the pages hold nothing that has to be closed."""
        one: Any = scope
        is_page = one["type"] == "http" and not is_of_the_api(one["path"])
        await (self._pages if is_page else self._api)(scope, receive, send)


def is_of_the_api(path: str) -> bool:
    """Whether a path is for programs."""
    return path in API_PATHS or path.startswith(API_FOLDERS)
