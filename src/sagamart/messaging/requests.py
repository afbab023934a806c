"""Requests: a caller's wish, handled once and answered the same way for ever.

Rules:
- `requests` maps (caller, route, `Idempotency-Key`) to a fingerprint of the content and the stored reply, status and
  location included.  The row is written in the transaction that handles the request.
- The same key with the same content gets the stored reply; with other content it is refused (422).
- A second call while the first is running joins it; in another process it meets the first one's row.
- Rows are kept for `REQUESTS_KEPT_DAYS`.
"""

from hashlib import blake2b
from typing import Any, ClassVar

import msgspec

from sagamart.messaging.decision import Refusal, Reply

REQUESTS_KEPT_DAYS = 14
"""How long a key is remembered; clients must not retry a request later than that."""


PRUNE = "delete from requests where at < $1"


class Request(msgspec.Struct, frozen=True):
    """Who asks for what under which key, and a digest of the content."""

    key: str
    fingerprint: bytes


def request_of(caller: str, route: str, idempotency_key: str, content: Any) -> Request:
    """A request under the client's key.  `content` is whatever JSON can hold: the parsed body, not its bytes."""
    canonical = msgspec.json.encode(content, order="sorted")
    return Request(f"{caller} {route} {idempotency_key}", blake2b(canonical, digest_size=16).digest())


class StoredReply(msgspec.Struct, frozen=True):
    """A reply as it was given the first time."""

    status: int
    body: bytes = b""
    location: str | None = None
    refused: bool = False

    @property
    def media_type(self) -> str:
        """A refusal is a problem document (RFC 9457)."""
        return "application/problem+json" if self.refused else "application/json"


class KeyReused(Refusal, frozen=True):
    """The idempotency key was used before, with other content."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "This Idempotency-Key was used for another request"


class Overloaded(Exception):  # noqa: N818  a state of the service, not a fault
    """No room for more requests now.  Ask again after `retry_after_s`."""

    retry_after_s = 1


def stored(reply: Reply | Refusal) -> StoredReply:
    """A decision's reply as bytes."""
    if isinstance(reply, Refusal):
        facts = msgspec.to_builtins(reply)
        return StoredReply(
            reply.status, msgspec.json.encode(problem(reply.status, reply.title, reply.code, facts)), refused=True
        )
    body = b"" if reply.body is None else msgspec.json.encode(reply.body)
    return StoredReply(reply.status, body, reply.location)


def problem(status: int, title: str, code: str, facts: dict[str, Any] | None = None) -> dict[str, Any]:
    """An RFC 9457 problem: `code` is stable, `facts` are what the caller needs to go on."""
    return {"type": f"urn:sagamart:{code}", "title": title, "status": status, "code": code, **(facts or {})}
