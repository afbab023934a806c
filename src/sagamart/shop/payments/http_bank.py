"""The bank over HTTP, as its API page describes it: the first implementation of `Bank`.

The bank is not trusted (OWASP API10): redirects are not followed, answers are bounded and must be of their type and
about what was asked, and every call has a time limit.  Whatever is not as described is silence: nothing is known then.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from sagamart.messaging.outside import calling
from sagamart.platform.authorities import trusted
from sagamart.shop.payments.messages import Answer, BankView, StatementEntry
from sagamart.shop.payments.outside import BankSilentError
from sagamart.shop.payments.records import BankStatus

ANSWER_BYTES_MAX = 256 * 1024
TIMEOUT_S = 8.0
CONNECTIONS_MAX = 32
PAGE_MAX = 200
LET_GO: frozenset[BankStatus] = frozenset({"voided", "expired", "cancelled", "declined"})
REJECTED = frozenset({400, 404, 409, 422})
"""Statuses by which the bank says that it did nothing and recorded nothing under the key."""

T = TypeVar("T")


class BankPayment(msgspec.Struct, frozen=True):
    """A payment in the bank's words."""

    payment_id: str
    key: str
    status: BankStatus
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    version: int
    refusal: str | None = None
    confirmation_url: str | None = None
    hold_expires_at: datetime | None = None


class BankOperation(msgspec.Struct, frozen=True):
    """An operation in the bank's words."""

    key: str
    kind: Literal["hold", "charge", "capture", "void", "refund", "unknown"]
    status: Literal["pending", "succeeded", "refused", "cancelled"]
    amount_minor: int
    currency: str
    refusal: str | None = None
    payment: BankPayment | None = None


class BankEntry(msgspec.Struct, frozen=True):
    """An entry of the statement in the bank's words."""

    entry: int
    at: datetime
    kind: Literal["debit", "refund", "reversal"]
    key: str
    reference: str
    amount_minor: int
    currency: str


class BankPage(msgspec.Struct, frozen=True):
    """A page of the statement."""

    items: list[BankEntry]
    next_cursor: str | None = None


class BankProblem(msgspec.Struct, frozen=True):
    """Why the bank did nothing."""

    code: str


async def _traced(request: httpx.Request) -> None:
    """Let the bank name its part of the order's trace, if it keeps any."""
    trace = calling.get()
    if trace is not None:
        request.headers["traceparent"] = trace


class HttpBank:
    """A bank at `url`.  Customers are sent to pages of its host (or of `page_hosts`), never elsewhere."""

    def __init__(
        self, url: str, api_key: str, *, return_url: str = "", page_hosts: frozenset[str] = frozenset()
    ) -> None:
        self._page_hosts = page_hosts | {urlsplit(url).hostname or ""}
        self._return_url = return_url or None
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key}", "Accept-Encoding": "identity"},
            timeout=TIMEOUT_S,
            follow_redirects=False,
            trust_env=False,
            verify=trusted(),
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            event_hooks={"request": [_traced]},
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def open(self, key: str, kind: Literal["hold", "charge"], amount_minor: int, currency: str) -> Answer:
        """Open a payment that the customer confirms on the bank's page."""
        wish = {
            "kind": kind,
            "amount_minor": amount_minor,
            "currency": currency,
            "reference": key,
            "return_url": self._return_url,
        }
        return await self._operate("/v1/payments", key, wish)

    async def capture(self, key: str, bank_id: str, amount_minor: int, currency: str) -> Answer:
        """Debit what is held."""
        wish = {"amount_minor": amount_minor, "currency": currency}
        return await self._operate(f"/v1/payments/{quote(bank_id, safe='')}/capture", key, wish)

    async def refund(self, key: str, bank_id: str, amount_minor: int, currency: str) -> Answer:
        """Refund a part."""
        wish = {"amount_minor": amount_minor, "currency": currency}
        return await self._operate(f"/v1/payments/{quote(bank_id, safe='')}/refunds", key, wish)

    async def cancel(self, key: str) -> Answer:
        """Cancel by key.  Only the bank's confirmation is an answer."""
        status, raw = await self._call("PUT", f"/v1/operations/{quote(key, safe='')}/cancellation")
        if status == httpx.codes.CONFLICT and _read(raw, BankProblem).code == "already_done":
            return Answer("already_done")
        if status != httpx.codes.OK:
            raise BankSilentError(f"{status} to a cancellation")
        answer = self._answer(_read(raw, BankOperation), key)
        if answer.ended in ("cancelled", "refused"):
            return answer
        if answer.payment is not None and answer.payment.status in LET_GO:
            return msgspec.structs.replace(answer, ended="cancelled")
        raise BankSilentError(f"a cancellation that left the operation {answer.ended}")

    async def state(self, key: str) -> Answer:
        """Ask by key.  404 is no answer: what was sent may still be on its way."""
        status, raw = await self._call("GET", f"/v1/operations/{quote(key, safe='')}")
        if status != httpx.codes.OK:
            raise BankSilentError(f"{status} to a query")
        return self._answer(_read(raw, BankOperation), key)

    async def statement(
        self, since: datetime, until: datetime, cursor: str | None
    ) -> tuple[tuple[StatementEntry, ...], str | None]:
        """Read a page of the statement."""
        query = {"from": since.isoformat(), "to": until.isoformat(), "limit": str(PAGE_MAX)}
        status, raw = await self._call("GET", "/v1/statement", params=query | ({"cursor": cursor} if cursor else {}))
        if status != httpx.codes.OK:
            raise BankSilentError(f"{status} to the statement")
        page = _read(raw, BankPage)
        return tuple(
            StatementEntry(one.entry, one.at, one.kind, one.key, one.reference, one.amount_minor, one.currency)
            for one in page.items
        ), page.next_cursor

    async def _operate(self, path: str, key: str, wish: Mapping[str, Any]) -> Answer:
        status, raw = await self._call("POST", path, json=wish, headers={"Idempotency-Key": key})
        if status in REJECTED:
            return Answer("rejected", _read(raw, BankProblem).code)
        operation = _read(raw, BankOperation)
        about = (operation.amount_minor, operation.currency)
        if operation.kind != "unknown" and about != (wish["amount_minor"], wish["currency"]):
            raise BankSilentError(f"an answer about {about}")
        return self._answer(operation, key)

    def _answer(self, operation: BankOperation, key: str) -> Answer:
        if operation.key != key:
            raise BankSilentError("an answer under another key")
        payment = operation.payment
        view = None
        if payment is not None:
            view = BankView(
                payment.payment_id,
                payment.status,
                payment.version,
                payment.captured_minor,
                payment.refunded_minor,
                self._page(payment.confirmation_url),
                payment.hold_expires_at,
                payment.refusal,
            )
        return Answer(operation.status, operation.refusal or "", view)

    def _page(self, url: str | None) -> str | None:
        """The bank's page, if it is one: customers are sent nowhere else."""
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname not in self._page_hosts:
            raise BankSilentError("a page that is not the bank's")
        return url

    async def _call(self, method: str, path: str, **request: Any) -> tuple[int, bytes]:
        """An exchange: the status, and a body that is JSON by its type and not too long."""
        try:
            async with self._http.stream(method, path, **request) as response:
                if response.status_code != httpx.codes.OK and response.status_code not in REJECTED:
                    raise BankSilentError(f"{response.status_code} to {method} {path}")
                kind = response.headers.get("content-type", "").partition(";")[0].strip()
                if kind not in ("application/json", "application/problem+json"):
                    raise BankSilentError(f"an answer of type {kind!r}")
                raw = bytearray()
                async for chunk in response.aiter_raw():
                    raw += chunk
                    if len(raw) > ANSWER_BYTES_MAX:
                        raise BankSilentError("an answer without end")
                return response.status_code, bytes(raw)
        except httpx.HTTPError as error:
            raise BankSilentError(f"{type(error).__name__}: {error}") from error


def _read(raw: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError as error:
        raise BankSilentError(f"an answer that is none: {error}") from error
