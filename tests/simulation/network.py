"""The wires between processes: a message is lost, doubled, late, or brought to any replica of its consumer.

A producer is told that a message arrived once every consumer has acknowledged it, and gets it back as refused when the
acknowledgements do not come in time.
"""

import asyncio
from collections.abc import Mapping, Sequence

from sagamart.messaging.message import Body, Message
from sagamart.messaging.transport import Endpoint
from simulation.chaos import Chaos

WAY_S_MAX = 0.02
LATE_S_MAX = 20.0
ACKNOWLEDGED_S_MAX = 3.0

NEWS_OF_THE_BANK = frozenset(("PaymentHeld", "PaymentCaptured"))
NEWS_LATE_S_MAX = 60.0
"""So late that an order has been given up by then, and its customer has placed another one."""


class Network:
    """All wires of a run."""

    def __init__(self, chaos: Chaos, consumers: Mapping[str, Sequence[str]]) -> None:
        self.chaos = chaos
        self.consumers = consumers
        self.wires: dict[str, list[Wire]] = {}

    def carry(self, sender: "Wire", consumer: str, message: Message[Body]) -> None:
        """Bring a message to some replica: not at all, once, or more often."""
        if not self.chaos.strikes("message lost"):
            self._deliver_later(sender, consumer, message)
        while self.chaos.strikes("message doubled"):
            self._deliver_later(sender, consumer, message)

    def acknowledge(self, sender: "Wire", consumer: str, message_id: str) -> None:
        """Tell the producer that this consumer is done with it."""
        if not self.chaos.strikes("acknowledgement lost"):
            asyncio.get_running_loop().call_later(self._way_s(), sender.acknowledged, consumer, message_id)

    def _deliver_later(self, sender: "Wire", consumer: str, message: Message[Body]) -> None:
        random = self.chaos.random
        late_s = random.uniform(0, LATE_S_MAX) if self.chaos.strikes("message late") else 0.0
        if message.type in NEWS_OF_THE_BANK and self.chaos.strikes("news of the bank late"):
            late_s += random.uniform(0, NEWS_LATE_S_MAX)
        asyncio.get_running_loop().call_later(self._way_s() + late_s, self._deliver, sender, consumer, message)

    def _deliver(self, sender: "Wire", consumer: str, message: Message[Body]) -> None:
        replicas = self.wires.get(consumer)
        if replicas:
            self.chaos.random.choice(replicas).take(sender, consumer, message)

    def _way_s(self) -> float:
        return self.chaos.random.uniform(0, WAY_S_MAX)


class Wire:
    """One process's end of the network: the transport of its workers."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.endpoints: dict[str, Endpoint] = {}
        self._awaited: dict[str, tuple[str, set[str]]] = {}
        self._senders: dict[tuple[str, str], list[Wire]] = {}
        self._cut = False

    def connect(self, endpoint: Endpoint) -> None:
        """Let a service send and receive."""
        self.endpoints[endpoint.name] = endpoint
        self.network.wires.setdefault(endpoint.name, []).append(self)

    def cut(self) -> None:
        """The process is dead: nothing goes in or out any more."""
        self._cut = True
        for name in self.endpoints:
            self.network.wires[name].remove(self)

    def hand_over(self, producer: str, messages: Sequence[Message[Body]]) -> None:
        """Send to every consumer, and wait for their acknowledgements."""
        if self._cut:
            return
        loop = asyncio.get_running_loop()
        for message in messages:
            consumers = self.network.consumers.get(message.type, ())
            if not consumers:
                self.endpoints[producer].arrived([message.id])
                continue
            self._awaited[message.id] = (producer, set(consumers))
            loop.call_later(ACKNOWLEDGED_S_MAX, self._give_up, message.id, self._awaited[message.id])
            for consumer in consumers:
                self.network.carry(self, consumer, message)

    def take(self, sender: "Wire", consumer: str, message: Message[Body]) -> None:
        """Offer what came to the worker; a worker without room lets it fall."""
        self._senders.setdefault((consumer, message.id), []).append(sender)
        self.endpoints[consumer].offer([message])

    def handled(self, consumer: str, messages: Sequence[Message[Body]]) -> None:
        """Acknowledge to whoever sent these."""
        if self._cut:
            return
        for message in messages:
            for sender in self._senders.pop((consumer, message.id), ()):
                self.network.acknowledge(sender, consumer, message.id)

    def acknowledged(self, consumer: str, message_id: str) -> None:
        """One consumer is done with it."""
        producer, awaited = self._awaited.get(message_id, ("", set()))
        if self._cut or consumer not in awaited:
            return
        awaited.discard(consumer)
        if not awaited:
            del self._awaited[message_id]
            self.endpoints[producer].arrived([message_id])

    def _give_up(self, message_id: str, waiting: tuple[str, set[str]]) -> None:
        if not self._cut and self._awaited.get(message_id) is waiting:
            del self._awaited[message_id]
            self.endpoints[waiting[0]].refused([message_id])
