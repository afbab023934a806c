"""How long something took, as people say it: `340 ms`, `1.24 s`, `3 min 05 s`, `2 h 05 min`."""

from typing import Any

import msgspec

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
SHORT_S = 10
"""Below this a second's parts are of interest."""


class Duration(msgspec.Struct, frozen=True):
    """The key of a text, and its facts."""

    key: str
    facts: dict[str, Any]


def duration(seconds: float) -> Duration:
    """So many seconds in the two largest units that matter."""
    seconds = max(0.0, seconds)
    if seconds < 1:
        return Duration("console.time_ms", {"ms": round(seconds * 1000)})
    if seconds < MINUTE_S:
        return Duration("console.time_s", {"s": f"{seconds:.2f}" if seconds < SHORT_S else f"{seconds:.0f}"})
    whole = round(seconds)
    if whole < HOUR_S:
        return Duration("console.time_m", {"m": whole // MINUTE_S, "s": f"{whole % MINUTE_S:02}"})
    if whole < DAY_S:
        return Duration("console.time_h", {"h": whole // HOUR_S, "m": f"{whole % HOUR_S // MINUTE_S:02}"})
    return Duration("console.time_d", {"d": whole // DAY_S, "h": whole % DAY_S // HOUR_S})
