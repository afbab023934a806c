"""Calls between services: one message, one request, and its answer in the response.

Rules:
- A call is asked under the message's id, and the other service keeps its reply as it keeps that of every request: asked
  again after a lost answer, it answers the same.
- The caller's message lies in its outbox until the answer is committed; it is one of its intents (`outside.py`).
- Who is called answers after its commit.  Nothing that is said to the caller goes by the outbox too.
- A read changes nothing, and has no such key.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import msgspec

from sagamart.messaging.message import Body, Message, encode
from sagamart.messaging.requests import StoredReply, call_of
from sagamart.messaging.service import Service
from sagamart.messaging.transport.http import NotPostedError
from sagamart.messaging.worker import Worker
from sagamart.platform.internal.listener import CALLS, READS
from sagamart.platform.internal.posting import Destinations, Lane
from sagamart.platform.internal.service_tokens import ServiceTokens

Read = Callable[[str], Awaitable[Any]]
"""What a service lets others read: what there is under an id, None for nothing."""


class _Answer(msgspec.Struct, frozen=True):
    type: str
    schema: int
    body: msgspec.Raw


_answers = msgspec.json.Decoder(list[_Answer])


class ServiceCalls:
    """Both ends: what the services here are asked, and what they ask of others.

    `services` are all of the shop: a caller is told what it handles.  `readers` says who may read of each service.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        destinations: Destinations,
        tokens: ServiceTokens,
        readers: Mapping[str, Collection[str]],
    ) -> None:
        self._services = services
        self._readers = readers
        self._destinations = destinations
        self._tokens = tokens
        self._workers: dict[str, Worker] = {}
        self._reads: dict[str, Read] = {}
        self._idle: dict[tuple[str, str], list[Lane]] = {}
        self._opened = 0

    # -- who is called ------------------------------------------------------------------------------------------------

    def connect(self, worker: Worker, read: Read | None) -> None:
        """Let a service here be called."""
        self._workers[worker.name] = worker
        if read is not None:
            self._reads[worker.name] = read

    async def answer(self, service: str, message: Message[Body]) -> StoredReply:
        """Have this handled; what it made the service say to its sender.  Raises Overloaded."""
        return await self._workers[service].ask(message, call_of(message, self._services[message.source].handlers))

    def may_read(self, source: str, service: str) -> bool:
        """Whether one service may read what another one has."""
        return source in self._readers.get(service, ())

    async def read(self, service: str, key: str) -> bytes:
        """What there is under this id, as JSON.  Raises LookupError where the service has nothing to read."""
        return msgspec.json.encode(await self._reads[service](key))

    # -- who calls ----------------------------------------------------------------------------------------------------

    async def call(self, service: str, message: Message[Body]) -> Body | None:
        """Ask another service; its answer, or None where it has none.  Raises NotPostedError."""
        content = await self._exchange("POST", message.source, service, CALLS + service, encode(message))
        answers = _answers.decode(content)
        if len(answers) > 1:
            raise AssertionError(f"{service} gives {len(answers)} answers to {message.type}")
        registry = self._services[message.source].registry
        return next((registry.decode_body(one.type, one.schema, one.body) for one in answers), None)

    async def fetch(self, source: str, service: str, key: str) -> bytes:
        """What another service has under this id, as JSON.  Raises NotPostedError."""
        return await self._exchange("GET", source, service, f"{READS}{service}/{key}", b"")

    def close(self) -> None:
        """Close the connections that nobody uses."""
        for lanes in self._idle.values():
            for lane in lanes:
                lane.drop()

    async def _exchange(self, method: str, source: str, service: str, path: str, content: bytes) -> bytes:
        idle = self._idle.setdefault((source, service), [])
        if idle:
            lane = idle.pop()
        else:
            addresses = self._destinations.of(service)
            if not addresses:
                raise NotPostedError(f"nobody has said where {service} is")
            self._opened += 1
            lane = Lane(addresses, self._opened)
        try:
            return await lane.exchange(method, path, self._tokens.sign(source, service), content)
        finally:
            idle.append(lane)
