"""The internal listener: where other services' messages come in, on a port of its own.

    POST /internal/messages/<service>      a JSON array of messages -> 200 and the ids of those not taken
    POST /internal/calls/<service>         one message -> 200 and what it made the service say to the caller
    GET  /internal/reads/<service>/<id>    -> 200 and what there is under this id, or null

Rules:
- Who calls must show a service token for the service that is called.
- A message is taken only from the service that it names as its source, and of types which that service may emit.
- It is answered after the commit.  503 with Retry-After: nothing was taken; post it again.
- What can be read are personal data and orders: only by those who need them.
- Plain ASGI: one route, many messages a request.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import structlog

from sagamart.messaging.dead_letters import UnreadableLetter, unreadable
from sagamart.messaging.message import Body, Message, UnknownMessageError
from sagamart.messaging.requests import Overloaded, StoredReply
from sagamart.messaging.service import Service
from sagamart.messaging.transport.http import NothingTakenError
from sagamart.platform.http.problems import PROBLEM_JSON, Problem
from sagamart.platform.internal.service_tokens import ServiceTokens
from sagamart.platform.tokens import TokenRefusedError

PATH = "/internal/messages/"
CALLS = "/internal/calls/"
READS = "/internal/reads/"
BODY_BYTES_MAX = 4 * 1024 * 1024
"""A post ends with the message that makes it 1 MiB, and no message comes near 3 MiB."""

MESSAGES_MAX = 1_000
RETRY_AFTER_S = 1

log = structlog.get_logger()

_messages = msgspec.json.Decoder(list[msgspec.Raw])
_encode = msgspec.json.Encoder().encode

NO_SUCH_SERVICE = Problem(404, "not_found", "There is no such service here")


class Receiver(Protocol):
    """Hands messages from elsewhere to the services here."""

    async def receive(self, consumer: str, messages: Sequence[Message[Body]]) -> list[str]:
        """Have these handled; the ids of those that were not.  Raises NothingTakenError."""

    async def bury(self, consumer: str, letters: Sequence[UnreadableLetter]) -> None:
        """Have a service keep what it cannot read."""


class Called(Protocol):
    """Answers calls and reads, for the services here."""

    async def answer(self, service: str, message: Message[Body]) -> StoredReply:
        """Have this handled; what it made the service say to its sender.  Raises Overloaded."""

    def may_read(self, source: str, service: str) -> bool:
        """Whether one service may read what another one has."""

    async def read(self, service: str, key: str) -> bytes:
        """What there is under this id, as JSON.  Raises LookupError where the service has nothing to read."""


class InternalListener:
    """The ASGI application.  `services` are those that take messages here, `emits` what every service may send.

    Without a `receiver` no messages are posted here, without `called` nobody is called.
    """

    def __init__(
        self,
        receiver: Receiver | None,
        services: Mapping[str, Service],
        emits: Mapping[str, frozenset[str]],
        tokens: ServiceTokens,
        called: Called | None = None,
    ) -> None:
        self._receiver = receiver
        self._services = services
        self._emits = emits
        self._tokens = tokens
        self._called = called

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        try:
            path = scope["path"]
            if self._receiver is not None and path.startswith(PATH):
                answer = _encode(await self._take(self._receiver, scope, receive))
            elif self._called is not None and path.startswith(CALLS):
                answer = await self._answer(self._called, scope, receive)
            elif self._called is not None and path.startswith(READS):
                answer = await self._tell(self._called, scope)
            else:
                raise NO_SUCH_SERVICE
        except Problem as problem:
            await send_answer(send, problem.status, problem.content, PROBLEM_JSON, problem.headers)
        else:
            await send_answer(send, 200, answer, "application/json", {})

    async def _take(self, receiver: Receiver, scope: Any, receive: Callable[[], Awaitable[Any]]) -> list[str]:
        service, source = self._service(scope, scope["path"].removeprefix(PATH), "POST")
        messages, letters = self._read(service, source, await _body(receive))
        if letters:
            await receiver.bury(service.name, letters)
        try:
            return await receiver.receive(service.name, messages) if messages else []
        except NothingTakenError as error:
            wait = {"Retry-After": str(RETRY_AFTER_S)}
            raise Problem(503, "overloaded", "The service takes no messages now", headers=wait) from error

    async def _answer(self, called: Called, scope: Any, receive: Callable[[], Awaitable[Any]]) -> bytes:
        """What a call makes a service say."""
        service, source = self._service(scope, scope["path"].removeprefix(CALLS), "POST")
        messages, letters = self._read(service, source, b"[%s]" % await _body(receive))
        if letters or len(messages) != 1:
            raise Problem(400, "malformed", "A call is one message that this version can read")
        try:
            reply = await called.answer(service.name, messages[0])
        except Overloaded as error:
            wait = {"Retry-After": str(RETRY_AFTER_S)}
            raise Problem(503, "overloaded", "The service is full", headers=wait) from error
        if reply.refused:
            raise Problem(reply.status, "call_failed", "The service could not handle this")
        return reply.body

    async def _tell(self, called: Called, scope: Any) -> bytes:
        """What there is to read under an id."""
        name, _, key = scope["path"].removeprefix(READS).partition("/")
        service, source = self._service(scope, name, "GET")
        if not called.may_read(source, service.name):
            raise Problem(403, "forbidden", f"{source} may not read from {service.name}")
        try:
            return await called.read(service.name, key)
        except LookupError as error:
            raise NO_SUCH_SERVICE from error

    def _service(self, scope: Any, name: str, method: str) -> tuple[Service, str]:
        """The service that is meant, and the one that asks.  Raises Problem 401, 404 or 405."""
        service = self._services.get(name)
        if service is None:
            raise NO_SUCH_SERVICE
        if scope["method"] != method:
            raise Problem(405, "method_not_allowed", f"This is a {method}", headers={"Allow": method})
        return service, source_of(scope["headers"], name, self._tokens)

    def _read(self, service: Service, source: str, body: bytes) -> tuple[list[Message[Body]], list[UnreadableLetter]]:
        """The messages, and those that this version cannot read.  Raises Problem 400 or 403."""
        messages: list[Message[Body]] = []
        letters: list[UnreadableLetter] = []
        try:
            raws = _messages.decode(body)
            if len(raws) > MESSAGES_MAX:
                raise Problem(413, "too_large", f"At most {MESSAGES_MAX} messages at once")
            for raw in raws:
                sender = _sender.decode(raw)
                if sender.source != source or sender.type not in self._emits.get(source, ()):
                    raise Problem(403, "forbidden", f"{source} may not send {sender.type} of {sender.source}")
                try:
                    messages.append(service.registry.decode(raw))
                except (UnknownMessageError, msgspec.ValidationError) as error:
                    letters.append(unreadable(bytes(raw), error))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Problem(400, "malformed", f"This is no list of messages: {error}") from error
        return messages, letters


def source_of(headers: Sequence[tuple[bytes, bytes]], destination: str, tokens: ServiceTokens) -> str:
    """The service that calls `destination`.  Raises Problem 401."""
    sent = next((value for name, value in headers if name == b"authorization"), b"").decode("latin-1")
    scheme, _, token = sent.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise TokenRefusedError("no service token")
        return tokens.verify(token.strip(), destination)
    except TokenRefusedError as refused:
        log.warning("a call was refused", service=destination, reason=str(refused))
        challenge = {"WWW-Authenticate": "Bearer"}
        raise Problem(401, "unauthenticated", "Show a service token", headers=challenge) from refused


class _Sender(msgspec.Struct, frozen=True):
    """What of an envelope is checked before the rest is read."""

    type: str
    source: str


_sender = msgspec.json.Decoder(_Sender)


async def _body(receive: Callable[[], Awaitable[Any]]) -> bytes:
    parts: list[bytes] = []
    length = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Problem(400, "malformed", "The request broke off")
        parts.append(event.get("body", b""))
        length += len(parts[-1])
        if length > BODY_BYTES_MAX:
            raise Problem(413, "too_large", "The request is too large")
        if not event.get("more_body"):
            return b"".join(parts)


async def send_answer(send: Any, status: int, content: bytes, media_type: str, headers: Mapping[str, str]) -> None:
    """Answer a request."""
    lines = {"content-type": media_type, "content-length": str(len(content)), **headers}
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in lines.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})


async def _live(receive: Any, send: Any) -> None:
    """Nothing has to be prepared, and nothing ended."""
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return
