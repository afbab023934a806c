"""The replicas of a service, as the front door knows them: taken in turn, the dead ones passed over.

Rules:
- A replica that cannot be reached is left alone for `DEAD_S`, unless all of them are.
- One of which is told that it is not ready comes after all that are: a process that stands still takes connections and
  never answers.
- Connections are kept for `IDLE_S_MAX`, which is less than the services keep them, so that none is used as it closes.
"""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Self

from sagamart.platform.http_client import Address, Connection, ConnectionBrokenError

DEAD_S = 0.5
IDLE_S_MAX = 15.0
IDLE_MAX = 128
"""Connections kept open to one replica while nobody uses them."""


class Replica:
    """One process of a service."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.dead_until = 0.0
        self.is_ready = True
        self._idle: list[tuple[Connection, float]] = []

    async def connection(self) -> Connection:
        """One that is idle, or a new one.  Raises ConnectionBrokenError, and then the replica counts as dead."""
        now = time.monotonic()
        while self._idle:
            connection, since = self._idle.pop()
            if connection.is_open and now - since < IDLE_S_MAX:
                return connection
            connection.close()
        try:
            return await Connection.open(self.address)
        except ConnectionBrokenError:
            self.dead_until = time.monotonic() + DEAD_S
            raise

    def keep(self, connection: Connection) -> None:
        """Use it again later."""
        if connection.is_open and len(self._idle) < IDLE_MAX:
            self._idle.append((connection, time.monotonic()))
        else:
            connection.close()

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop()[0].close()


class Replicas:
    """All replicas of all services."""

    def __init__(self, addresses: Mapping[str, Sequence[Address]]) -> None:
        self._replicas = {service: [Replica(one) for one in some] for service, some in addresses.items()}
        self._turns = dict.fromkeys(self._replicas, 0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        for some in self._replicas.values():
            for replica in some:
                replica.close()

    @property
    def addresses(self) -> dict[str, list[Address]]:
        """Where the replicas of each service listen."""
        return {service: [one.address for one in some] for service, some in self._replicas.items()}

    def tell(self, address: Address, *, ready: bool) -> None:
        """Whether the replica that listens here says that it can serve."""
        for some in self._replicas.values():
            for one in some:
                if one.address == address:
                    one.is_ready = ready

    @property
    def services(self) -> list[str]:
        """All services."""
        return list(self._replicas)

    async def reachable(self, service: str) -> AsyncGenerator[tuple[Replica, Connection]]:
        """Replicas of a service with a connection each, the next one in turn first; nothing where none is alive."""
        some = self._replicas.get(service, [])
        if not some:
            return
        turn = self._turns[service] = (self._turns[service] + 1) % len(some)
        ordered = some[turn:] + some[:turn]
        now = time.monotonic()
        for replica in sorted(ordered, key=lambda one: (not one.is_ready, one.dead_until > now)):
            try:
                connection = await replica.connection()
            except ConnectionBrokenError:
                continue
            yield replica, connection
