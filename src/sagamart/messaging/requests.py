"""Requests: a caller's wish, handled once and answered the same way for ever.

Rules:
- `requests` maps (caller, route, `Idempotency-Key`) to a fingerprint of the content and the stored reply, status and
  location included.  The row is written in the transaction that handles the request.
- The same key with the same content gets the stored reply; with other content it is refused (422).
- A second call while the first is running joins it; in another process it meets the first one's row.
- A message may be asked too, by the service that sends it (a *call*): what it makes this service say to that one is the
  reply, and everything else goes its usual way.
- Rows are kept for `REQUESTS_KEPT_DAYS`.
"""

from collections.abc import Collection
from hashlib import blake2b
from typing import Any, ClassVar

import msgspec

from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message

REQUESTS_KEPT_DAYS = 14
"""How long a key is remembered; clients must not retry a request later than that."""


PRUNE = "delete from requests where at < $1"


class Request(msgspec.Struct, frozen=True):
    """Who asks for what under which key, and a digest of the content.

    `answers`: this is a call, and these types of messages are said to the caller, in the reply.
    """

    key: str
    fingerprint: bytes
    answers: Collection[str] | None = None


def request_of(caller: str, route: str, idempotency_key: str, content: Any) -> Request:
    """A request under the client's key.  `content` is whatever JSON can hold: the parsed body, not its bytes."""
    canonical = msgspec.json.encode(content, order="sorted")
    return Request(f"{caller} {route} {idempotency_key}", blake2b(canonical, digest_size=16).digest())


def call_of(message: Message[Any], answers: Collection[str]) -> Request:
    """A message that its sender asks for, under its id: asked again, it is answered the same."""
    return Request(
        f"{message.source} call {message.id}", blake2b(message.id.encode(), digest_size=16).digest(), answers
    )


class CallAnswer(msgspec.Struct, frozen=True):
    """What a call made the other service say to the caller."""

    type: str
    schema: int
    body: Any


def answering(decision: Decision, answers: Collection[str]) -> Decision:
    """The decision with what it says to the caller as its reply."""
    told = [one for one in decision.send if type(one).__name__ in answers]
    others = [one for one in decision.send if type(one).__name__ not in answers]
    reply = Reply(200, [CallAnswer(type(one).__name__, one.schema_version, one) for one in told])
    return msgspec.structs.replace(decision, send=others, reply=reply)


NOTHING_MORE = Reply(200, [])
"""The answer to a call about what came by another way before: what it led to was said that way."""


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


class Contended(Overloaded):
    """So many want the same rows that nothing was written in as many attempts as a message has.  Ask again."""


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
