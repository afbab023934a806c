"""Posted over real sockets: each process has a listener of its own, and knows where the others are once they listen."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conformance.conversation import EMITS, EVERYBODY
from conformance.ways import Opened
from sagamart.messaging.transport.http import HttpTransport
from sagamart.platform.http.server import Server
from sagamart.platform.http_client import Address
from sagamart.platform.internal.listener import InternalListener
from sagamart.platform.internal.posting import Destinations, Posting
from sagamart.platform.internal.service_tokens import ServiceKeys, ServiceTokens
from sagamart.platform.ports import LOOPBACK, Ports

CONSUMERS = {
    kind: [name for name, service in EVERYBODY.items() if kind in service.consumes]
    for kinds in EMITS.values()
    for kind in kinds
}
_KEYS = {name: Ed25519PrivateKey.generate() for name in EVERYBODY}
TOKENS = ServiceTokens(ServiceKeys(_KEYS, {name: (key.public_key(),) for name, key in _KEYS.items()}))


class Found(Destinations):
    """Addresses that become known as processes come; at first there is one at which nobody listens."""

    def __init__(self, nobody: Address) -> None:
        super().__init__(())
        self.addresses = {name: [nobody] for name in EVERYBODY}

    def of(self, service: str) -> list[Address]:
        return self.addresses[service]


class HttpWay:
    """Ports of this machine, which are the world's own."""

    within_one_process = False
    keeps_messages = False

    def __init__(self, ports: Ports) -> None:
        self.found = Found(Address(LOOPBACK, ports.take()))

    @asynccontextmanager
    async def open(self, names: Sequence[str]) -> AsyncIterator[Opened]:
        posting = Posting(self.found, TOKENS)
        try:
            async with HttpTransport(CONSUMERS, posting) as transport:
                here = {name: EVERYBODY[name] for name in names}
                listener = InternalListener(transport, here, EMITS, TOKENS)

                @asynccontextmanager
                async def receiving() -> AsyncIterator[None]:
                    async with Server(listener, host=LOOPBACK, port=0) as server:
                        address = Address(LOOPBACK, server.port)
                        for name in names:
                            self.found.addresses[name].append(address)
                        yield

                yield Opened(transport, receiving, lambda: None)
        finally:
            posting.close()
