"""Asking other services' internal listeners: each lane keeps a connection of its own.

Rules:
- Where a service has several addresses, each lane begins with another one and goes on to the next after any trouble.
- A connection is replaced after `CONNECTION_S_MAX`: behind one name there may be replicas that came later.
"""

import asyncio
import time
from collections.abc import Sequence

import structlog

from sagamart.messaging.transport.http import HANDLED_S_MAX, NotPostedError
from sagamart.platform.http_client import Address, Connection, ConnectionBrokenError
from sagamart.platform.internal.listener import PATH
from sagamart.platform.internal.service_tokens import ServiceTokens

CONNECTION_S_MAX = 60.0
ANSWER_S_MAX = HANDLED_S_MAX + 5
EVERY_SERVICE = "{service}"

log = structlog.get_logger()


class Destinations:
    """Where each service's internal listener is, as the setting has it."""

    def __init__(self, entries: Sequence[str]) -> None:
        """`http://{service}:9000` for all, `stock=http://10.0.0.7:9000` for one.  Raises ValueError."""
        self._templates: list[str] = []
        self._named: dict[str, list[Address]] = {}
        for entry in entries:
            service, named, url = entry.partition("=")
            if named:
                self._named.setdefault(service.strip(), []).append(Address.of(url.strip()))
            elif EVERY_SERVICE in entry:
                Address.of(entry.replace(EVERY_SERVICE, "stock"))
                self._templates.append(entry)
            else:
                raise ValueError(f"{entry!r} names no service and has no {EVERY_SERVICE} in it")

    def of(self, service: str) -> list[Address]:
        """The addresses of a service; none where the setting has none."""
        return self._named.get(service) or [Address.of(one.replace(EVERY_SERVICE, service)) for one in self._templates]


class Posting:
    """The `Post` of an HttpTransport."""

    def __init__(self, destinations: Destinations, tokens: ServiceTokens) -> None:
        self._destinations = destinations
        self._tokens = tokens
        self._lanes: dict[tuple[str, str, int], Lane] = {}

    async def __call__(self, producer: str, consumer: str, lane: int, messages: bytes) -> bytes:
        """Bring messages to a service; its answer.  Raises NotPostedError."""
        place = (producer, consumer, lane)
        if place not in self._lanes:
            self._lanes[place] = Lane(self._destinations.of(consumer), lane)
        token = self._tokens.sign(producer, consumer)
        return await self._lanes[place].exchange("POST", PATH + consumer, token, messages)

    def close(self) -> None:
        """Close all connections."""
        for lane in self._lanes.values():
            lane.drop()


class Lane:
    """One connection, to one address after another; one exchange at a time."""

    def __init__(self, addresses: Sequence[Address], turn: int) -> None:
        self._addresses = addresses
        self._turn = turn
        self._connection: Connection | None = None
        self._opened_at = 0.0

    async def exchange(self, method: str, path: str, token: str, content: bytes) -> bytes:
        """Send a request; the body of its answer.  Raises NotPostedError for one that does not come, or is not 200."""
        headers = ((b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json"))
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                connection = await self._open()
                answer = await connection.send(method, path, headers, content)
                body = await connection.body(answer)
        except (ConnectionBrokenError, TimeoutError) as error:
            self._next()
            raise NotPostedError(str(error) or f"no answer within {ANSWER_S_MAX} s") from error
        except BaseException:
            self.drop()
            raise
        if answer.status != 200:  # noqa: PLR2004  RFC 9110
            self._next()
            raise NotPostedError(f"{connection.address.authority} says {answer.status}: {_reason(body)}")
        return body

    def drop(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _open(self) -> Connection:
        now = time.monotonic()
        if self._connection is not None and (not self._connection.is_open or now - self._opened_at > CONNECTION_S_MAX):
            self.drop()
        if self._connection is None:
            self._connection = await Connection.open(self._addresses[self._turn % len(self._addresses)])
            self._opened_at = now
        return self._connection

    def _next(self) -> None:
        self.drop()
        self._turn += 1


def _reason(body: bytes) -> str:
    return body[:200].decode(errors="replace")
