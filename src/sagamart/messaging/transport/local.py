"""All services in one process: messages are handed over in memory, after the commit.

A message has arrived when every consumer has committed it.  The process may die at any moment: the outbox still has
every message that has not arrived.
"""

from collections import defaultdict
from collections.abc import Sequence

from sagamart.messaging.message import Body, Message
from sagamart.messaging.transport import Endpoint


class LocalTransport:
    """Hands messages from worker to worker.  Memory is bounded by the bounds of the workers' queues."""

    def __init__(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        self._consumers: dict[str, list[Endpoint]] = defaultdict(list)
        self._awaited: dict[str, set[str]] = {}

    def connect(self, endpoint: Endpoint) -> None:
        """Let a service send and receive."""
        self._endpoints[endpoint.name] = endpoint
        for kind in endpoint.consumes:
            self._consumers[kind].append(endpoint)

    def hand_over(self, producer: str, messages: Sequence[Message[Body]]) -> None:
        """Offer each message to all its consumers; one that nobody consumes has arrived."""
        arrived: list[str] = []
        offers: dict[str, list[Message[Body]]] = defaultdict(list)
        for message in messages:
            consumers = self._consumers.get(message.type)
            if not consumers:
                arrived.append(message.id)
                continue
            self._awaited[message.id] = {consumer.name for consumer in consumers}
            for consumer in consumers:
                offers[consumer.name].append(message)
        refused: set[str] = set()
        for name, offered in offers.items():
            taken = self._endpoints[name].offer(offered)
            refused.update(message.id for message in offered[taken:])
        for message_id in refused:
            self._awaited.pop(message_id, None)
        if arrived:
            self._endpoints[producer].arrived(arrived)
        if refused:
            self._endpoints[producer].refused(sorted(refused))

    def handled(self, consumer: str, messages: Sequence[Message[Body]]) -> None:
        """Tell producers which of their messages have now reached every consumer."""
        arrived: dict[str, list[str]] = defaultdict(list)
        for message in messages:
            awaited = self._awaited.get(message.id)
            if awaited is None:
                continue
            awaited.discard(consumer)
            if not awaited:
                del self._awaited[message.id]
                arrived[message.source].append(message.id)
        for producer, message_ids in arrived.items():
            self._endpoints[producer].arrived(message_ids)

    def lost(self, consumer: str) -> None:
        """A consumer died with what it had taken: its producers offer that again, to all that hear it."""
        gone = [message_id for message_id, awaited in self._awaited.items() if consumer in awaited]
        for message_id in gone:
            del self._awaited[message_id]
        for endpoint in self._endpoints.values():
            endpoint.refused(gone)
