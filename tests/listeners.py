"""Three services that know each other by their keys: `test` sends, `one` and `two` take."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.decision import Decision
from sagamart.messaging.message import Body, Message
from sagamart.messaging.service import Handler, Service
from sagamart.platform.internal.service_tokens import ServiceKeys, ServiceTokens

NAMES = ("test", "one", "two")
PRIVATE = {name: Ed25519PrivateKey.generate() for name in NAMES}
TOKENS = ServiceTokens(ServiceKeys(PRIVATE, {name: (key.public_key(),) for name, key in PRIVATE.items()}))
CONSUMERS = {"Put": ("one", "two"), "WasPut": ("one",)}
EMITS = {"test": frozenset({"Put", "WasPut", "Hush"}), "one": frozenset({"WasPut"})}


class Listener:
    """A worker as the transport sees it: it takes `room` messages, and commits when the test says so."""

    def __init__(self, name: str, *consumes: type[Body]) -> None:
        self.name = name
        handlers = [Handler(takes=kind, decide=lambda _m, _h: Decision()) for kind in consumes]
        self.service = Service(name, tables=(), handlers=handlers, migrations="")
        self.consumes = self.service.consumes
        self.registry = self.service.registry
        self.room = 100
        self.asked = 0
        self.offered: list[Message[Body]] = []
        self.gone: list[str] = []
        self.back: list[str] = []

    def offer(self, messages: Sequence[Message[Body]]) -> int:
        self.asked += 1
        taken = messages[: self.room]
        self.offered += taken
        return len(taken)

    async def bury(self, letters: Sequence[UnreadableLetter]) -> None:
        raise AssertionError(f"every message here can be read, and {letters} are not")

    def arrived(self, message_ids: Sequence[str]) -> None:
        self.gone += message_ids

    def refused(self, message_ids: Sequence[str], _after_s: float = 0, /) -> None:
        self.back += message_ids
