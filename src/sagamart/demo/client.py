"""The shop's public API as the demo uses it: log in, ask, wait where the shop says so, and tell what is wrong."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

TRIES_MAX = 30
RETRY_AFTER_S_MAX = 5.0
RETRY_AFTER_S_MIN = 0.05
ANSWER_S_MAX = 30.0

TOO_MANY = frozenset({429, 503})


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


class ShopClient:
    """A shop at a URL."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self._http = http

    async def send(
        self, method: str, path: str, *, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a request; wait and repeat it where the shop is full.  Raises DemoError where nobody answers."""
        for _ in range(TRIES_MAX):
            try:
                answer = await self._http.request(method, path, json=json, headers=headers)
            except (httpx.TransportError, httpx.InvalidURL) as error:
                raise DemoError(
                    f"No shop answers at {self.url} ({type(error).__name__}). Start one in another terminal with"
                    f" `make run`, or name a running one with --url."
                ) from error
            if answer.status_code not in TOO_MANY:
                return answer
            await asyncio.sleep(retry_after_s(answer.headers))
        raise DemoError(f"The shop at {self.url} is too busy: it said so {TRIES_MAX} times in a row.")

    async def session(self, email: str, password: str) -> "Session | None":
        """Log in; None where the shop does not know this person under this password."""
        session = Session(self, email, password)
        return session if await session.log_in() else None


class Session:
    """Somebody who is logged in."""

    def __init__(self, client: ShopClient, email: str, password: str) -> None:
        self.email = email
        self._client = client
        self._password = password
        self._token = ""

    async def log_in(self) -> bool:
        """Get an access token; says whether the shop gave one."""
        credentials = {"email": self.email, "password": self._password}
        answer = await self._client.send("POST", "/v1/tokens", json=credentials)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            return False
        self._token = accepted(answer)["access_token"]
        return True

    async def send(
        self, method: str, path: str, *, json: Any = None, key: str | None = None, if_match: str | None = None
    ) -> httpx.Response:
        """Send a request as this person; a token that has run out is renewed."""
        answer = await self._send(method, path, json, key, if_match)
        if answer.status_code == httpx.codes.UNAUTHORIZED and await self.log_in():
            return await self._send(method, path, json, key, if_match)
        return answer

    async def ask(self, method: str, path: str, **what: Any) -> Any:
        """Send a request that has to succeed; the body of the answer.  Raises DemoError."""
        return accepted(await self.send(method, path, **what))

    async def _send(self, method: str, path: str, json: Any, key: str | None, if_match: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        if if_match is not None:
            headers["If-Match"] = if_match
        return await self._client.send(method, path, json=json, headers=headers)


@asynccontextmanager
async def shop_at(url: str) -> AsyncIterator[ShopClient]:
    """The shop at this URL; the connection is closed at the end."""
    async with httpx.AsyncClient(base_url=url, timeout=ANSWER_S_MAX) as http:
        yield ShopClient(url, http)


def accepted(answer: httpx.Response) -> Any:
    """The body of an answer that is no refusal.  Raises DemoError."""
    if answer.is_success:
        return answer.json() if answer.content else None
    raise DemoError(f"{answer.request.method} {answer.request.url}: {refusal(answer)}")


def refusal(answer: httpx.Response) -> str:
    """Why the shop refused, in its own words (RFC 9457)."""
    try:
        title = answer.json()["title"]
    except (ValueError, KeyError, TypeError):
        title = answer.reason_phrase
    return f"{title} ({answer.status_code})"


def refusal_code(answer: httpx.Response) -> str:
    """The code of a refusal; empty where it is none of the shop's."""
    try:
        return str(answer.json()["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def retry_after_s(headers: Mapping[str, str]) -> float:
    """The seconds to wait that the shop names; one, where it names none that can be read."""
    try:
        named_s = float(headers.get("Retry-After", 1))
    except ValueError:
        named_s = 1.0
    return min(max(named_s, RETRY_AFTER_S_MIN), RETRY_AFTER_S_MAX)
