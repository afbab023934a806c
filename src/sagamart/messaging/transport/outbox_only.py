"""Nobody to talk to: messages stay in the outbox, for a process that runs the services to send."""

from collections.abc import Sequence

from sagamart.messaging.message import Body, Message
from sagamart.messaging.transport import Endpoint


class OutboxOnly:
    """The transport of a command that comes, changes something, and goes."""

    def __init__(self, *endpoints: Endpoint) -> None:
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}

    def connect(self, endpoint: Endpoint) -> None:
        """Let a service write."""
        self._endpoints[endpoint.name] = endpoint

    def hand_over(self, producer: str, messages: Sequence[Message[Body]]) -> None:
        """Give everything back."""
        self._endpoints[producer].refused([message.id for message in messages])

    def handled(self, consumer: str, messages: Sequence[Message[Body]]) -> None:
        """Nothing came from anywhere."""
