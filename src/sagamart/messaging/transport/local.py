"""All services in one process: messages are handed over in memory, after the commit.

A message has arrived when every consumer has committed it.  The process may die at any moment: the outbox still has
every message that has not arrived.  What one consumer has no room for goes to the others at once, and is offered again
to that one only, as long as it is remembered.
"""

from collections import defaultdict
from collections.abc import Sequence

from sagamart.messaging.message import Body, Message
from sagamart.messaging.transport import Endpoint
from sagamart.messaging.transport.reached import Reached


class LocalTransport:
    """Hands messages from worker to worker.  Memory is bounded by the bounds of the workers' queues."""

    def __init__(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        self._consumers: dict[str, list[Endpoint]] = defaultdict(list)
        self._awaited: dict[str, set[str]] = {}
        self._reached = Reached()

    def connect(self, endpoint: Endpoint) -> None:
        """Let a service send and receive."""
        self._endpoints[endpoint.name] = endpoint
        for kind in endpoint.consumes:
            self._consumers[kind].append(endpoint)

    def hand_over(self, producer: str, messages: Sequence[Message[Body]]) -> None:
        """Offer each message to all its consumers; one that nobody consumes has arrived."""
        arrived: list[str] = []
        offers: dict[str, list[Message[Body]]] = defaultdict(list)
        some_came_back = bool(self._reached)
        for message in messages:
            consumers = self._consumers.get(message.type)
            if consumers and some_came_back:
                reached = self._reached.take(message.id)
                consumers = [consumer for consumer in consumers if consumer.name not in reached]
            if not consumers:
                arrived.append(message.id)
                continue
            self._awaited[message.id] = {consumer.name for consumer in consumers}
            for consumer in consumers:
                offers[consumer.name].append(message)
        refused: list[str] = []
        for name, offered in offers.items():
            taken = self._endpoints[name].offer(offered)
            refused += [message.id for message in offered[taken:] if self._give_up(message)]
        if arrived:
            self._endpoints[producer].arrived(arrived)
        if refused:
            self._endpoints[producer].refused(refused)

    def _give_up(self, message: Message[Body]) -> bool:
        """Leave a message to the outbox, and remember who had it; False where that was done already."""
        awaited = self._awaited.pop(message.id, None)
        if awaited is None:
            return False
        everybody = {consumer.name for consumer in self._consumers[message.type]}
        self._reached.remember(message.id, everybody - awaited)
        return True

    def handled(self, consumer: str, messages: Sequence[Message[Body]]) -> None:
        """Tell producers which of their messages have now reached every consumer."""
        arrived: dict[str, list[str]] = defaultdict(list)
        for message in messages:
            awaited = self._awaited.get(message.id)
            if awaited is None:
                self._reached.add(message.id, consumer)
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
