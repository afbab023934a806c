"""What was said in real runs of the same order, one for each style of interaction, and drawings of them.

A run is kept as a list of what one said to another; `tests/integration/test_style_runs.py` runs the shop and compares.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from sagamart.blueprints.drawing.svg import Sheet, Stroke, width_of

RUNS = Path("docs/explanation/styles")
LANES = ("customer", "accounts", "orders", "wallet", "notifications")
TOP_PX, HEAD_PX, ROW_PX, LANE_PX, LEFT_PX = 60, 34, 34, 200, 100

How = Literal["request", "answer", "call", "reply", "read", "message"]


class Saying(msgspec.Struct, frozen=True, array_like=True):
    """One said this to another: a customer's request and its answer, a call and its reply, a read, or a message."""

    sender: str
    receiver: str
    what: str
    how: How


class Run(msgspec.Struct, frozen=True):
    """What was said in a run, part by part; `messages` says how messages travelled."""

    title: str
    messages: str
    parts: Mapping[str, tuple[Saying, ...]]


_STROKES: Mapping[How, Stroke] = {
    "request": "flow",
    "call": "flow",
    "read": "flow",
    "answer": "reply",
    "reply": "reply",
    "message": "back",
}


def drawings_of_runs(top: Path) -> dict[Path, str]:
    """A drawing for each run that is kept in the repository at `top`."""
    places = sorted((top / RUNS).glob("*.json"))
    return {RUNS / f"{one.stem}.svg": drawn(msgspec.json.decode(one.read_bytes(), type=Run)) for one in places}


def drawn(run: Run) -> str:
    """A run as a sequence diagram (SVG)."""
    sheet = Sheet(run.title)
    sheet.text(24, 36, run.title, "title")
    bottom = TOP_PX + HEAD_PX + 30 + ROW_PX * sum(len(part) + 1 for part in run.parts.values())
    for lane in LANES:
        sheet.line([(_x(lane), TOP_PX + HEAD_PX), (_x(lane), bottom)], "life")
        sheet.box(_x(lane) - 68, TOP_PX, 136, HEAD_PX, "note" if lane == "customer" else "core")
        sheet.text(_x(lane), TOP_PX + 22, lane, "bold", anchor="middle")
    y = TOP_PX + HEAD_PX + 34
    for name, part in run.parts.items():
        sheet.box(24, y - 16, _x(LANES[-1]) + 44, 24, "note")
        sheet.text(34, y, name, "bold")
        for saying in part:
            y += ROW_PX
            _arrow(sheet, saying, y)
        y += ROW_PX
    _legend(sheet, run, bottom + 24)
    return sheet.svg()


def _x(lane: str) -> float:
    return LEFT_PX + LANES.index(lane) * LANE_PX


def _arrow(sheet: Sheet, saying: Saying, y: float) -> None:
    start, end = _x(saying.sender), _x(saying.receiver)
    sheet.line([(start, y), (end, y)], _STROKES[saying.how])
    middle = (start + end) / 2
    width = width_of(saying.what)
    # Where lines of life would run through the words, the words stand beside the arrow's beginning.
    if abs(end - start) > LANE_PX:
        middle = start + (LANE_PX / 2 if end > start else -LANE_PX / 2)
    sheet.text(middle - width / 2, y - 5, saying.what)


def _legend(sheet: Sheet, run: Run, y: float) -> None:
    legend: tuple[tuple[Stroke, str], ...] = (
        ("flow", "an HTTP request: of the customer, a call between services, a read"),
        ("reply", "its answer, in the response"),
        ("back", run.messages),
    )
    for place, (stroke, words) in enumerate(legend):
        sheet.line([(24, y + place * 20), (64, y + place * 20)], stroke)
        sheet.text(74, y + place * 20 + 4, words, "quiet")
