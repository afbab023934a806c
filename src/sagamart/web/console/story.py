"""An order's story: its messages in causal order, and where each stands in a sequence diagram.  Pure.

Services are lifelines, a message is a row with an arrow from who said it to all who heard it.  A lifeline is thick
between a message that it heard and what it said because of it.  Where nothing happened for a while, the diagram breaks.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from sagamart.web.api_client import Json
from sagamart.web.console.durations import Duration, duration

Kind = Literal["ask", "tell", "bad", "undo"]

LANES = ("promotions", "stock", "orders", "wallet", "payments", "shipping", "notifications")
"""Lifelines from left to right, where they take part; whoever else does, after them."""

UNSEEN = frozenset(("timeline",))
"""Who hears everything, to tell it here."""

BAD = ("Refused", "Declined", "Cancelled", "Expired", "Revoked", "CannotBe")
UNDOING = ("Release", "Void", "Refund", "Return", "Stop")

GUTTER_PX = 140
LANE_PX, LANE_PX_MAX, LANES_PX = 114, 150, 800
ROW_PX = 46
BREAK_PX = 34
TOP_PX = 34
BOTTOM_PX = 26
BAR_PX = 10
CHARACTER_PX = 6.7
STUB_PX = 44
BREAK_S = 1.5
"""Nothing said for so long is shown as a break."""

SLOW_S = 1.0
"""An answer that took longer stands out."""


class Row(msgspec.Struct, frozen=True):
    """A message and its arrow: the line from `left` to `right`, its heads at `ends` (place, and 1 or -1: whither)."""

    entry: Json
    kind: Kind
    hearers: Sequence[str]
    y: int
    x: int
    left: int
    right: int
    ends: Sequence[tuple[int, int]]
    label_x: int
    since: Duration
    after: Duration | None
    slow: bool
    moved: bool

    @property
    def number(self) -> int:
        """Its place in the story."""
        return int(self.entry["number"])

    @property
    def is_heard(self) -> bool:
        """Whether anybody but the timeline hears it."""
        return bool(self.hearers)


class Break(msgspec.Struct, frozen=True):
    """So long nothing was said."""

    y: int
    lasts: Duration


class Lane(msgspec.Struct, frozen=True):
    """A service, and from where to where it was busy with the order."""

    name: str
    x: int
    bars: Sequence[tuple[int, int]]


class Story(msgspec.Struct, frozen=True):
    """The whole diagram, in pixels."""

    width: int
    height: int
    lanes: Sequence[Lane]
    rows: Sequence[Row]
    breaks: Sequence[Break]
    lasted: Duration
    slowest: Row | None

    def row(self, number: int) -> Row | None:
        """The message at this place of the story."""
        return next((one for one in self.rows if one.number == number), None)

    def because_of(self, number: int) -> Sequence[Row]:
        """What was said because of a message."""
        return [one for one in self.rows if one.entry["because_of"] == number]


def story_of(entries: Sequence[Json]) -> Story:
    """The story that these entries of the timeline tell."""
    named = _lanes(entries)
    lane = min(LANE_PX_MAX, max(LANE_PX, LANES_PX // max(1, len(named))))
    x_of = {name: GUTTER_PX + lane // 2 + place * lane for place, name in enumerate(named)}
    width = GUTTER_PX + lane * max(1, len(named))
    at = {one["number"]: datetime.fromisoformat(one["at"]) for one in entries}
    first = min(at.values(), default=None)
    rows: list[Row] = []
    breaks: list[Break] = []
    y, latest, status = TOP_PX, first, None
    for one in entries:
        now = at[one["number"]]
        if latest is not None and (now - latest).total_seconds() >= BREAK_S:
            breaks.append(Break(y - ROW_PX // 2 + BREAK_PX // 2 + 2, duration((now - latest).total_seconds())))
            y += BREAK_PX
        latest = now if latest is None else max(latest, now)
        moved = one["status"] not in {None, status}
        status = one["status"] or status
        rows.append(_row(one, at, y, x_of, width, moved=moved))
        y += ROW_PX
    heights = {one.number: one.y for one in rows}
    lanes = [Lane(name, x_of[name], _bars(name, rows, heights)) for name in named]
    height = y - ROW_PX + BOTTOM_PX if rows else TOP_PX + BOTTOM_PX
    lasted = 0.0 if first is None or latest is None else (latest - first).total_seconds()
    return Story(width, height, lanes, rows, breaks, duration(lasted), _slowest(rows, at))


def _lanes(entries: Sequence[Json]) -> list[str]:
    there = {name for one in entries for name in (one["source"], *one["to"])} - UNSEEN
    return [*(name for name in LANES if name in there), *sorted(there - set(LANES))]


def _row(  # noqa: PLR0913  what a row is made of
    one: Json, at: Mapping[int, datetime], y: int, x_of: Mapping[str, int], width: int, *, moved: bool
) -> Row:
    x = x_of[one["source"]]
    hearers = [name for name in x_of if name in one["to"]]
    places = [x_of[name] for name in hearers if name != one["source"]] or [x + STUB_PX]
    left, right = min(x, *places), max(x, *places)
    half = len(one["text"]) * CHARACTER_PX / 2 + 6
    middle = min(max((left + right) / 2, GUTTER_PX + half), width - half)
    now = at[one["number"]]
    waited = None if one["because_of"] is None else (now - at[one["because_of"]]).total_seconds()
    return Row(
        entry=one,
        kind=kind_of(one["type"]),
        hearers=hearers,
        y=y,
        x=x,
        left=left,
        right=right,
        ends=[(place, 1 if place > x else -1) for place in places],
        label_x=round(middle),
        since=duration((now - min(at.values())).total_seconds()),
        after=None if waited is None else duration(waited),
        slow=waited is not None and waited >= SLOW_S,
        moved=moved,
    )


def kind_of(message: str) -> Kind:
    """How a message is coloured."""
    if any(word in message for word in BAD):
        return "bad"
    if any(word in message for word in UNDOING):
        return "undo"
    return "ask" if message.endswith("Requested") else "tell"


def _bars(name: str, rows: Sequence[Row], heights: Mapping[int, int]) -> list[tuple[int, int]]:
    """From what a service heard to what it said because of it; overlapping ones are one."""
    spans = sorted(
        (heights[one.entry["because_of"]], one.y)
        for one in rows
        if one.entry["source"] == name and one.entry["because_of"] in heights
    )
    bars: list[tuple[int, int]] = []
    for begin, end in spans:
        if bars and begin <= bars[-1][1]:
            bars[-1] = (bars[-1][0], max(bars[-1][1], end))
        else:
            bars.append((begin, end))
    return [(begin - BAR_PX // 2, end - begin + BAR_PX) for begin, end in bars]


def _slowest(rows: Sequence[Row], at: Mapping[int, datetime]) -> Row | None:
    waited = [one for one in rows if one.entry["because_of"] in at]
    return max(waited, key=lambda one: at[one.number] - at[one.entry["because_of"]], default=None)
