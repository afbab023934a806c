"""A running shop as its operators reach it: at a URL, with a token, or by logging in.

Whatever a shop refuses is told in its own words, and nothing is asked again: each act may be repeated by hand.
"""

import asyncio
import getpass
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
from cyclopts import Parameter

ANSWER_S_MAX = 30.0
PAGE_ITEMS = 200

VARIABLES = frozenset({"SAGAMART_URL", "SAGAMART_TOKEN", "SAGAMART_EMAIL", "SAGAMART_PASSWORD"})
"""Variables of the environment that are no settings of a shop."""


class OperatingError(Exception):
    """The shop does not answer, or refuses; the message says why, in its words."""


@Parameter(name="*")
@dataclass(frozen=True)
class Access:
    """Where the shop is, and who asks: a token, or an e-mail address and password to log in with."""

    url: Annotated[str, Parameter(env_var="SAGAMART_URL", help="Where the shop is.")] = "http://127.0.0.1:8080"
    token: Annotated[str, Parameter(env_var="SAGAMART_TOKEN", help="An access token.", show_default=False)] = ""
    email: Annotated[str, Parameter(env_var="SAGAMART_EMAIL", help="To log in with, where there is no token.")] = ""
    password: Annotated[
        str, Parameter(env_var="SAGAMART_PASSWORD", help="Asked for, if not given.", show_default=False)
    ] = ""
    language: Annotated[str, Parameter(help="en or ru.")] = "en"


HERE = Access()
"""The shop on this machine."""


class Shop:
    """A shop at a URL, asked as one person."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.missing: set[str] = set()
        """Services that could not be asked for a list of all of them."""

    async def get(self, path: str, **query: Any) -> Any:
        """What there is.  Raises OperatingError."""
        return await self._send("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Do something, under a key of its own.  Raises OperatingError."""
        return await self._send("POST", path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})

    async def all(self, path: str, **query: Any) -> AsyncIterator[dict[str, Any]]:
        """Every item of a list, page by page; `missing` names who did not answer for it.  Raises OperatingError."""
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, limit=PAGE_ITEMS, **query, **cursor)
            self.missing.update(page.get("missing", ()))
            for item in page["items"]:
                yield item
            if not page["next_cursor"]:
                return
            cursor = {"cursor": page["next_cursor"]}

    def check_whole(self) -> None:
        """Raise OperatingError where a service is missing in what was listed."""
        if self.missing:
            raise OperatingError(f"{', '.join(sorted(self.missing))} cannot be reached now: the list is not whole")

    async def _send(self, method: str, path: str, **what: Any) -> Any:
        try:
            answer = await self._http.request(method, path, **what)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise OperatingError(
                f"no shop answers at {self._http.base_url} ({type(error).__name__}); name a running one with --url"
            ) from error
        if answer.is_success:
            return answer.json()
        raise OperatingError(_refusal(answer))


def _refusal(answer: httpx.Response) -> str:
    """Why the shop refused, in its own words (RFC 9457)."""
    try:
        problem = answer.json()
        return f"{problem['title']} ({answer.status_code}, {problem['code']})"
    except (ValueError, KeyError, TypeError):
        return f"{answer.reason_phrase} ({answer.status_code})"


@asynccontextmanager
async def shop_for(access: Access) -> AsyncIterator[Shop]:
    """The shop, asked by whom `access` names.  Raises OperatingError."""
    headers = {"Accept-Language": access.language}
    async with httpx.AsyncClient(base_url=access.url, timeout=ANSWER_S_MAX, headers=headers) as http:
        shop = Shop(http)
        token = access.token
        if not token and access.email:
            person = {"email": access.email, "password": access.password or getpass.getpass("Password: ")}
            token = (await shop.post("/v1/tokens", person))["access_token"]
        if token:
            http.headers["Authorization"] = f"Bearer {token}"
        yield shop


def ask(access: Access, what: Callable[[Shop], Awaitable[None]]) -> None:
    """Ask the shop, as a command does: what it refuses, or cannot tell, ends the program with a sentence."""

    async def asked() -> None:
        async with shop_for(access) as shop:
            await what(shop)
            shop.check_whole()

    try:
        asyncio.run(asked())
    except OperatingError as error:
        sys.exit(f"sagamart: {error}")
