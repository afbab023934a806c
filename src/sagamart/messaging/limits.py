"""The bounds of a worker: what it takes at once, what waits for it, what it says before anybody has heard it."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Counts, and seconds.

    `unarrived_max`: requests wait while so many of the worker's own messages are on their way to another process that
    handles them, as `Worker.unarrived` says; they look for room every `admit_s`, and whenever something has arrived.
    Where the same process handles them, the queues bound them: it takes messages first.
    """

    batch_max: int = 250
    messages_max: int = 20_000
    requests_max: int = 2_000
    unarrived_max: int = 250
    admit_s: float = 1.0
    conflicts_max: int = 8
    backoff_s: float = 0.01
    backoff_s_max: float = 2.0
