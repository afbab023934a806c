"""Who had a message that went back to the outbox, so that nobody is told twice for the sake of another one.

It is remembered of `REMEMBERED_MAX` messages.  Others, and after a restart all of them, are told again to all who hear
them, and their inboxes absorb it.

Where more come back than that, those that are known stay known: they come again in turns, and were the oldest forgotten
for each new one, none would be known when its turn comes.  One in `RENEWED_EVERY` takes the place of the oldest after
all, which may have arrived by way of another replica.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable

REMEMBERED_MAX = 10_000
RENEWED_EVERY = 16


class Reached:
    """What one transport remembers."""

    def __init__(self) -> None:
        self._consumers: OrderedDict[str, set[str]] = OrderedDict()
        self._too_many = 0

    def __len__(self) -> int:
        """How many messages are remembered."""
        return len(self._consumers)

    def take(self, message_id: str) -> Collection[str]:
        """Those who had this message, which is handed over again."""
        return self._consumers.pop(message_id, ())

    def remember(self, message_id: str, consumers: Iterable[str]) -> None:
        """This message goes back to the outbox, and these had it."""
        if len(self._consumers) >= REMEMBERED_MAX:
            self._too_many += 1
            if self._too_many % RENEWED_EVERY:
                return
            self._consumers.popitem(last=False)
        self._consumers[message_id] = set(consumers)

    def add(self, message_id: str, consumer: str) -> None:
        """This one has it too, by now."""
        consumers = self._consumers.get(message_id)
        if consumers is not None:
            consumers.add(consumer)
