"""The public API, asked in a visitor's name.

Rules:
- An access token that is missing or refused is renewed once, by the refresh token; without either the visitor is a
  stranger.
- A refresh token can be spent once, and pages of one browser load side by side: all that wait share one renewal.
- What the API refuses is an ApiProblem, with the API's own stable code; no answer at all is one too.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import httpx
import msgspec

from sagamart.web.cookies import Cookies
from sagamart.web.in_process import CLIENT

ANSWER_S_MAX = 40.0
"""Longer than the API keeps anybody who is to wait for an order."""

RENEWED_KEPT_S = 60.0
RENEWED_MAX = 10_000
"""Renewals that are remembered for requests that were on their way with the token that is spent."""

ACCESS, REFRESH = "access", "refresh"
UNAUTHENTICATED = 401
AWAY = frozenset((502, 503, 504))
"""Statuses of a door that gets no answer from a service."""

Json = dict[str, Any]


class ApiProblem(Exception):  # noqa: N818  RFC 9457 calls it a problem
    """The API refused: its status, its stable code, and what else it says."""

    def __init__(self, status: int, code: str, facts: Mapping[str, Any] | None = None, retry_after: str = "") -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.facts = dict(facts or {})
        self.retry_after = retry_after


class Origin(msgspec.Struct, frozen=True):
    """Where a visit comes from: the address that is connected, and headers that go along with everything asked."""

    client: str
    headers: Mapping[str, str]


class Renewals:
    """Refresh tokens being spent, each once, and for a while what came of it."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[float, asyncio.Future[Json]]] = OrderedDict()

    async def renewed(self, http: httpx.AsyncClient, refresh_token: str, headers: Mapping[str, str]) -> Json:
        """The pair of tokens that follows this one.  Raises ApiProblem."""
        now = time.monotonic()
        while self._known and (len(self._known) >= RENEWED_MAX or self._oldest() < now - RENEWED_KEPT_S):
            self._known.popitem(last=False)
        if refresh_token not in self._known:
            spending = asyncio.ensure_future(_spend(http, refresh_token, headers))
            self._known[refresh_token] = (now, spending)
        pair = self._known[refresh_token][1]
        try:
            return await asyncio.shield(pair)
        except ApiProblem as problem:
            if problem.status != UNAUTHENTICATED:
                self._known.pop(refresh_token, None)  # nothing was spent, as far as we know: the next one tries again
            raise

    def _oldest(self) -> float:
        return next(iter(self._known.values()))[0]


class Api:
    """The API for one request of one visitor."""

    def __init__(self, http: httpx.AsyncClient, renewals: Renewals, cookies: Cookies, origin: Origin) -> None:
        self._http = http
        self._renewals = renewals
        self._cookies = cookies
        self._origin = origin

    @property
    def knows_visitor(self) -> bool:
        """Whether the visitor has logged in, as far as their browser says."""
        return bool(self._cookies.read(ACCESS) or self._cookies.read(REFRESH))

    async def get(self, path: str, **query: Any) -> Json:
        """A read.  Parameters that are None or empty are left out.  Raises ApiProblem."""
        answer = await self.ask("GET", path, query=query)
        found: Json = msgspec.json.decode(answer.content)
        return found

    async def find(self, path: str, **query: Any) -> Json | None:
        """A read of what need not be there: None where the API says that it is not.  Raises ApiProblem."""
        try:
            return await self.get(path, **query)
        except ApiProblem as problem:
            if problem.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def reach(self, path: str, **query: Any) -> Json | None:
        """A read that a page can do without: None where the API has none, or nobody answers it.  Raises ApiProblem."""
        try:
            return await self.find(path, **query)
        except ApiProblem as problem:
            if problem.status in AWAY:
                return None
            raise

    async def send(  # noqa: PLR0913  each is a part of the request
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        version: int | None = None,
        wait_s: int = 0,
    ) -> Json:
        """A change, under this idempotency key and If-Match; the answer's body, empty where it has none.

        Raises ApiProblem.
        """
        headers = {"Idempotency-Key": key} if key else {}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        if wait_s:
            headers["Prefer"] = f"wait={wait_s}"
        answer = await self.ask(method, path, body=body, headers=headers)
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        found: Json = msgspec.json.decode(answer.content) if is_json and answer.content else {}
        return found

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Any request, its answer as it came.  `body` is JSON, or bytes as they are.  Raises ApiProblem."""
        content = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        named = dict(headers or {})
        if content is not None and "Content-Type" not in named:
            named["Content-Type"] = "application/json"
        token = await self._token()
        request = self._request(method, path, query, content, named, token)
        answer = await self._sent(request)
        if answer.status_code == UNAUTHENTICATED and token and self._cookies.read(REFRESH):
            await answer.aread()
            token = await self._renewed()
            answer = await self._sent(self._request(method, path, query, content, named, token))
        await answer.aread()
        if answer.is_success or answer.is_redirect:
            return answer
        raise _problem(answer)

    @asynccontextmanager
    async def stream(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """A read whose answer comes bit by bit.  Raises ApiProblem."""
        request = self._request("GET", path, None, None, headers, await self._token())
        answer = await self._sent(request)
        try:
            if not answer.is_success:
                await answer.aread()
                raise _problem(answer)
            yield answer
        finally:
            await answer.aclose()

    def keep(self, pair: Json) -> None:
        """Remember tokens in the visitor's browser."""
        self._cookies.set(ACCESS, pair["access_token"], age_s=pair["expires_in"])
        if "refresh_token" in pair:
            self._cookies.set(REFRESH, pair["refresh_token"], age_s=_seconds_until(pair["refresh_expires_at"]))

    async def end(self) -> None:
        """End the visitor's log-in; the browser forgets it even where the API cannot be told."""
        held = self._cookies.read(REFRESH)
        self.forget()
        if held:
            with suppress(ApiProblem):
                await self.send("POST", "/v1/tokens/revocation", {"refresh_token": held})

    def forget(self) -> None:
        """Forget the visitor's tokens."""
        self._cookies.drop(ACCESS)
        self._cookies.drop(REFRESH)

    async def _token(self) -> str:
        return self._cookies.read(ACCESS) or (await self._renewed() if self._cookies.read(REFRESH) else "")

    async def _renewed(self) -> str:
        """A new access token; empty where the visitor's log-in has ended, which is forgotten then."""
        try:
            pair = await self._renewals.renewed(self._http, self._cookies.read(REFRESH), self._origin.headers)
        except ApiProblem as problem:
            if problem.status != UNAUTHENTICATED:
                raise
            self.forget()
            return ""
        self.keep(pair)
        return str(pair["access_token"])

    def _request(  # noqa: PLR0913, PLR0917  each is a part of the request
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        content: bytes | None,
        headers: Mapping[str, str],
        token: str,
    ) -> httpx.Request:
        sent = {**self._origin.headers, **headers}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        asked = {name: value for name, value in (query or {}).items() if value not in (None, "")}
        return self._http.build_request(
            method, path, params=asked, content=content, headers=sent, extensions={CLIENT: self._origin.client}
        )

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise ApiProblem(503, "unreachable") from error


async def _spend(http: httpx.AsyncClient, refresh_token: str, headers: Mapping[str, str]) -> Json:
    body = msgspec.json.encode({"refresh_token": refresh_token})
    sent = {**headers, "Content-Type": "application/json"}
    try:
        answer = await http.post("/v1/tokens/refresh", content=body, headers=sent)
    except httpx.HTTPError as error:
        raise ApiProblem(503, "unreachable") from error
    if not answer.is_success:
        raise _problem(answer)
    pair: Json = msgspec.json.decode(answer.content)
    return pair


def _problem(answer: httpx.Response) -> ApiProblem:
    try:
        facts = msgspec.json.decode(answer.content, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        facts = {}
    return ApiProblem(
        answer.status_code, str(facts.get("code", "refused")), facts, answer.headers.get("retry-after", "")
    )


def _seconds_until(moment: str) -> int:
    until = msgspec.convert(moment, datetime)
    return max(0, int(until.timestamp() - time.time()))
