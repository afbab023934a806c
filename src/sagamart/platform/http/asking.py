"""Asking: an HTTP request becomes a message, and its stored reply the response.

Rules:
- The message's id is minted once, here; whatever is derived from it (an order's id) is known to the body's factory.
- The caller, the method and path, and the `Idempotency-Key` name the request: the same key with the same content gets
  the same answer for ever.  Where a handler does not require the key, a request without one is new each time.
- `content` is what the client wished, not the bytes: field order and spaces make no other wish.  Secrets (passwords)
  do not belong in it, since its digest is stored.
"""

import os
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.connection import Request as Connection

from sagamart.messaging.message import Body, Message, new_id
from sagamart.messaging.requests import Request as Wish
from sagamart.messaging.requests import StoredReply, request_of
from sagamart.platform.http.callers import caller_of
from sagamart.platform.http.problems import Malformed, Problem
from sagamart.platform.http.tracing import trace_in

IDEMPOTENCY_KEY_CHARS_MAX = 200
ANONYMOUS = "anonymous"
SOURCE = "http"
"""What a request's message names as its source."""

Admit = Callable[[Message[Any], Wish], Awaitable[StoredReply]]
"""A service's worker: it answers, or raises Overloaded."""

_IDEMPOTENCY_KEY = re.compile(rf"[\x21-\x7e]{{1,{IDEMPOTENCY_KEY_CHARS_MAX}}}")


class Ask:
    """What a handler has in hand to change anything."""

    __slots__ = ("_admit", "_node", "_request")

    def __init__(self, request: Request[Any, Any, Any], admit: Admit, node: str) -> None:
        self._request = request
        self._admit = admit
        self._node = node

    async def __call__(
        self, body: Body | Callable[[str], Body], *, content: Any = None, key: str | None = None
    ) -> Response[Any]:
        """Hand a command to this service's worker and answer with its reply, a refusal being a problem.

        `body` is the command, or makes it from the message's id.  `key` stands in for the `Idempotency-Key` of a caller
        who names requests otherwise.  Raises Overloaded where the service is full.
        """
        reply = await self.reply_to(body, content=content, key=key)
        return Answer(reply)

    async def reply_to(
        self, body: Body | Callable[[str], Body], *, content: Any = None, part: str = "", key: str | None = None
    ) -> StoredReply:
        """The same, for a handler that makes its own response of the reply.

        `part` names one of several commands of a request: each has an answer of its own under the client's key.
        """
        now = datetime.now(UTC)
        message_id = new_id(now, os.urandom(10))
        said = body if isinstance(body, Body) else body(message_id)
        message = Message(
            id=message_id,
            type=type(said).__name__,
            key=said.key,
            source=SOURCE,
            at=now,
            correlation=message_id,
            body=said,
            node=self._node,
            schema=said.schema_version,
            trace=trace_in(self._request.scope),
        )
        return await self._admit(message, self._wish(message_id, content, part, key))

    def _wish(self, message_id: str, content: Any, part: str, named: str | None) -> Wish:
        request = self._request
        by_token = request.headers.get("authorization", "").lower().startswith("bearer")
        caller = caller_of(request).id if by_token else ANONYMOUS
        key = named or idempotency_key(request) or message_id
        key = f"{key} {part}" if part else key
        return request_of(caller, f"{request.scope['method']} {request.scope['path']}", key, content)


class Answer(Response[Any]):
    """A stored reply on its way out: bytes as they are, without a second look at them."""

    def __init__(self, reply: StoredReply) -> None:
        self.content = reply.body
        self.status_code = reply.status
        self.headers: dict[str, str] = {}
        self._head = [
            (b"content-type", reply.media_type.encode()),
            (b"content-length", str(len(reply.body)).encode()),
            *([] if reply.location is None else [(b"location", reply.location.encode("latin-1"))]),
        ]

    def to_asgi_response(self, *_context: Any, **_layers: Any) -> Any:
        """Itself: no layer of the application adds cookies or headers to it."""
        return self

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        """Send it, with the headers that a handler has added."""
        added = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status_code, "headers": [*self._head, *added]})
        await send({"type": "http.response.body", "body": self.content, "more_body": False})


def idempotency_key(request: Connection[Any, Any, Any]) -> str | None:
    """The client's key.  Raises Problem where the handler requires one and there is none, or where it is unreadable."""
    key = request.headers.get("idempotency-key")
    if key is None:
        if request.route_handler.opt.get("idempotent") == "required":
            raise Problem(
                400, "idempotency_key_required", "Send an Idempotency-Key, a new one for each thing that you want"
            )
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise Malformed("Idempotency-Key", f"1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters")
    return key


def json_response(body: msgspec.Struct, *, status: int = 200, headers: dict[str, str] | None = None) -> Response[Any]:
    """A struct as a response."""
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json", headers=headers)
