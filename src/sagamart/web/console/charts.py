"""The board's charts: where everything stands, in units of the drawing.  Pure; templates draw them."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from sagamart.web.api_client import Json

Part = Literal["ended", "moving", "lost"]

PARTS: Sequence[Part] = ("ended", "moving", "lost")
ENDED = frozenset(("paid", "shipping_pending", "completed", "returned"))
LOST = frozenset(("cancelled",))

COLUMN = 16
LEFT, TOP, HEIGHT = 34, 10, 150
STEPS_MAX = 16
STEP_ROW, NAME, BARS = 26, 330, 430
MINUTE = 60
RECENT_S = 10
SLOT_S = 2
SPARK_WIDTH, SPARK_HEIGHT = 120, 20
SCALE_MIN = 4


class Bar(msgspec.Struct, frozen=True):
    """A piece of a column."""

    part: Part
    x: int
    y: float
    height: float


class Line(msgspec.Struct, frozen=True):
    """A line of the grid, and what it stands for."""

    y: float
    value: int


class PaceChart(msgspec.Struct, frozen=True):
    """Orders placed in each of the last seconds, by where they stand now."""

    width: int
    height: int
    bars: Sequence[Bar]
    lines: Sequence[Line]
    totals: Mapping[Part, int]
    per_s: float


class DepthLine(msgspec.Struct, frozen=True):
    """How much waited, as the points of a line, where it ends, and how much waits now."""

    points: str
    x: float
    y: float
    now: int


class DepthChart(msgspec.Struct, frozen=True):
    """What has waited in all queues and outboxes in the last minute, and in each service as a line of its own."""

    width: int
    height: int
    lines: Sequence[Line]
    queued: DepthLine
    outbox: DepthLine
    sparks: Mapping[str, str]


class StepBar(msgspec.Struct, frozen=True):
    """A step's name, and how long it takes."""

    step: Json
    y: int
    median: float
    rare: float


class StepChart(msgspec.Struct, frozen=True):
    """How long the commonest steps take, on a logarithmic scale."""

    width: int
    height: int
    bars: Sequence[StepBar]


def part_of(status: str) -> Part:
    """Where an order in this status is drawn."""
    return "ended" if status in ENDED else "lost" if status in LOST else "moving"


def pace_chart(pace: Json) -> PaceChart:
    """The chart of a pace."""
    now = datetime.fromisoformat(pace["now"]).replace(microsecond=0)
    seconds = min(pace["seconds"], MINUTE)
    begin = now - timedelta(seconds=seconds)
    columns: dict[int, dict[Part, int]] = {}
    for one in pace["placed"]:
        place = round((datetime.fromisoformat(one["at"]) - begin).total_seconds()) - 1
        if 0 <= place < seconds:
            columns[place] = _parts(one["statuses"])
    top = _round_up(max((sum(parts.values()) for parts in columns.values()), default=0))
    bars: list[Bar] = []
    for place, parts in sorted(columns.items()):
        y = float(TOP + HEIGHT)
        for part in PARTS:
            height = round(parts[part] / top * HEIGHT, 1)
            if height:
                y = round(y - height, 1)
                bars.append(Bar(part, LEFT + place * COLUMN, y, height))
    recent = sum(sum(parts.values()) for place, parts in columns.items() if place >= seconds - RECENT_S)
    lines = [Line(TOP + HEIGHT - HEIGHT * share / 2, top * share // 2) for share in range(3)]
    return PaceChart(
        LEFT + seconds * COLUMN,
        TOP + HEIGHT + 22,
        bars,
        lines,
        _parts(pace["statuses"]),
        recent / RECENT_S,
    )


def step_chart(steps: Sequence[Json]) -> StepChart:
    """The chart of these steps, the slowest first."""
    shown = sorted(steps[:STEPS_MAX], key=lambda one: -one["median_ms"])
    most = max((math.log10(1 + one["p95_ms"]) for one in shown), default=1.0) or 1.0

    def length(value_ms: float) -> float:
        return round(max(2.0, math.log10(1 + value_ms) / most * BARS), 1)

    bars = [
        StepBar(one, place * STEP_ROW, length(one["median_ms"]), length(one["p95_ms"]))
        for place, one in enumerate(shown)
    ]
    return StepChart(NAME + BARS + 130, max(1, len(bars)) * STEP_ROW, bars)


def depth_chart(services: Sequence[Json], now: str) -> DepthChart:
    """The chart of what services tell of the minute before `now`; where nobody looked, it is as it was before."""
    looks = {one["service"]: _by_slot(one.get("past", ()), datetime.fromisoformat(now)) for one in services}
    queued = _sums([[waits[0] if waits else None for waits in slots] for slots in looks.values()])
    outbox = _sums([[waits[1] if waits else None for waits in slots] for slots in looks.values()])
    top = _round_up(max((one for one in (*queued, *outbox) if one is not None), default=0))
    lines = [Line(TOP + HEIGHT - HEIGHT * share / 2, top * share // 2) for share in range(3)]
    sparks = {name: _spark([sum(waits) if waits else None for waits in slots]) for name, slots in looks.items()}
    size = LEFT + MINUTE * COLUMN, TOP + HEIGHT + 22
    return DepthChart(*size, lines, _depth_line(queued, top), _depth_line(outbox, top), sparks)


def _by_slot(past: Sequence[Json], now: datetime) -> Sequence[tuple[int, int] | None]:
    """What waited in the queues and in the outbox in each slot of the last minute, the latest last."""
    slots: list[tuple[int, int] | None] = [None] * (MINUTE // SLOT_S)
    for look in past:
        age_s = max(0.0, (now - datetime.fromisoformat(look["at"])).total_seconds())
        if age_s < MINUTE:
            slots[-1 - int(age_s // SLOT_S)] = (look["queued"], look["outbox"] or 0)
    known: tuple[int, int] | None = None
    for place, one in enumerate(slots):
        known = slots[place] = one or known
    return slots


def _sums(series: Sequence[Sequence[int | None]]) -> Sequence[int | None]:
    """The sum in each slot; none where nobody has looked yet."""
    slots = ([one for one in slot if one is not None] for slot in zip(*series, strict=True))
    return [sum(known) if known else None for known in slots]


def _depth_line(depths: Sequence[int | None], top: int) -> DepthLine:
    places = _places(depths, top, width=MINUTE * COLUMN - 8, height=HEIGHT, left=LEFT, above=TOP)
    x, y = places[-1] if places else (LEFT, TOP + HEIGHT)
    return DepthLine(_points(places), x, y, (depths[-1] if depths else None) or 0)


def _spark(depths: Sequence[int | None]) -> str:
    top = max(SCALE_MIN, *(one or 0 for one in depths))
    return _points(_places(depths, top, width=SPARK_WIDTH, height=SPARK_HEIGHT - 2, left=0, above=1))


def _places(  # noqa: PLR0913  where a line is drawn
    depths: Sequence[int | None], top: int, *, width: int, height: int, left: int, above: int
) -> Sequence[tuple[float, float]]:
    step = width / max(1, len(depths) - 1)
    return [
        (round(left + place * step, 1), round(above + height - one / top * height, 1))
        for place, one in enumerate(depths)
        if one is not None
    ]


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)


def _parts(statuses: Mapping[str, int]) -> dict[Part, int]:
    parts: dict[Part, int] = dict.fromkeys(PARTS, 0)
    for status, count in statuses.items():
        parts[part_of(status)] += count
    return parts


def _round_up(value: int) -> int:
    """The next even number that is easy to read."""
    if value <= SCALE_MIN:
        return SCALE_MIN
    step: int = 10 ** (len(str(value)) - 1)
    return next(one for one in (step, 2 * step, 4 * step, 5 * step, 6 * step, 8 * step, 10 * step) if one >= value)
