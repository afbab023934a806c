"""The order's lifecycle as a picture of its statuses, made from the table.

- The main way goes straight down; what is awaited beside it stands on the left, what undoes an order on the right.
- An arrow is there for each step to a neighbour, labelled by the groups of facts that lead there, and by wishes.
- An order may pass several statuses at once; that, and all else, stands in the table below: who leads from where to
  where, each group by its letter.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sagamart.blueprints.drawing.svg import LINE_PX, Sheet, Stroke
from sagamart.blueprints.state_table import GROUPED, LETTERS, draw_table
from sagamart.messaging.message import Body
from sagamart.shop.orders.asking import LETTING_GO
from sagamart.shop.orders.lifecycle import Deadline, State

Lifecycle = Mapping[Any, State]
"""A table of statuses; the names of other statuses than today's may be in it."""

BESIDE: Mapping[str, str] = {"checked": "booking_pending", "partially_paid": "pay_pending"}
"""What stands beside the main way, and beside which status of it."""

NAMES_A_LINE_MAX = 2
TOP_PX, GAP_PX, PAD_PX = 64, 62, 14
SIDE_PX, BETWEEN_PX, MAIN_PX, REFUSED_PX, END_PX = 290, 160, 380, 220, 290
CORNER_PX = 150
"""Where an arrow that goes to the right turns down."""

LEFT_PX = 24
MAIN_LEFT_PX = LEFT_PX + SIDE_PX + BETWEEN_PX
MAIN_RIGHT_PX = MAIN_LEFT_PX + MAIN_PX
END_LEFT_PX = MAIN_RIGHT_PX + REFUSED_PX


class Box(NamedTuple):
    """Where a status stands."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


def state_diagram(lifecycle: Lifecycle) -> str:
    """The drawing, as SVG.  Brown is what undoes an order."""
    return _Picture(lifecycle).draw().svg()


def groups_of(kinds: Iterable[type[Body]]) -> tuple[list[str], list[str]]:
    """The groups that these facts are of, and the names of the wishes among them."""
    found = list(kinds)
    groups = [name for _, name, members in LETTERS if not members.isdisjoint(found)]
    return groups, [kind.__name__ for kind in found if kind not in GROUPED]


class _Picture:
    def __init__(self, lifecycle: Lifecycle) -> None:
        self.sheet = Sheet("The way of an order")
        self.lifecycle = lifecycle
        self.ways: dict[tuple[str, str], list[type[Body]]] = {}
        for status, state in lifecycle.items():
            for kind, transition in state.on.items():
                for target in transition.to:
                    if target != status:
                        self.ways.setdefault((status, target), []).append(kind)
        undoing = {state.undo for state in lifecycle.values()} - {None}
        self.undone = next(status for status, state in lifecycle.items() if state.tells in undoing)
        self.back = next((end for start, end in self.ways if lifecycle[start].final and lifecycle[end].final), "")
        self.main = [one for one in lifecycle if one not in {*BESIDE, self.undone, self.back}]
        self.boxes: dict[str, Box] = {}

    def draw(self) -> Sheet:
        self.sheet.text(LEFT_PX, 36, self.sheet.title, "title")
        self._place()
        for status in self.boxes:
            self._box(status)
        for above, below in zip(self.main, self.main[1:], strict=False):
            self._neighbours(above, below)
        for status, anchor in BESIDE.items():
            if anchor in self.main and status in self.boxes:
                self._beside(status, self.main.index(anchor))
        for status in self.main:
            self._undone(status)
        self._revived()
        self._returned()
        draw_table(self.sheet, self.lifecycle, self.ways, LEFT_PX, max(box.bottom for box in self.boxes.values()) + 48)
        return self.sheet

    # -- boxes --------------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        top = float(TOP_PX)
        for status in self.main:
            beside = [_height(self._says(one)) for one, anchor in BESIDE.items() if anchor == status]
            self.boxes[status] = Box(MAIN_LEFT_PX, top, MAIN_PX, max([_height(self._says(status)), *beside]))
            for one, anchor in BESIDE.items():
                if anchor == status and one in self.lifecycle:
                    self.boxes[one] = Box(LEFT_PX, top, SIDE_PX, _height(self._says(one)))
            top = self.boxes[status].bottom + GAP_PX
        reached = [self.boxes[one] for one in self.main if (one, self.undone) in self.ways]
        first, last = reached[0], reached[-1]
        self.boxes[self.undone] = Box(END_LEFT_PX, first.top, END_PX, last.bottom - first.top)
        if self.back:
            row = next(one for one in reversed(self.main) if (one, self.back) in self.ways)
            self.boxes[self.back] = self.boxes[row]._replace(left=END_LEFT_PX, width=END_PX)

    def _box(self, status: str) -> None:
        box = self.boxes[status]
        self.sheet.box(*box, "end" if self.lifecycle[status].final else "core")
        self.sheet.text(box.left + PAD_PX, box.top + 23, status, "bold")
        for line, says in enumerate(self._says(status), 1):
            self.sheet.text(box.left + PAD_PX, box.top + 23 + line * LINE_PX, says, "quiet")

    def _says(self, status: str) -> list[str]:
        state = self.lifecycle[status]
        says = [f"tells {state.tells.__name__}"] if state.tells else []
        asks = list(
            dict.fromkeys(kind.__name__ for asks in state.asks if asks is not LETTING_GO for kind in asks.kinds)
        )
        lines = [", ".join(asks[at : at + NAMES_A_LINE_MAX]) for at in range(0, len(asks), NAMES_A_LINE_MAX)]
        lines = [f"{line}," for line in lines[:-1]] + lines[-1:]
        says += [f"asks {line}" if not number else f"    {line}" for number, line in enumerate(lines)]
        if state.awaits:
            groups, wishes = groups_of(state.awaits)
            time = "" if state.deadline is None else f", {_duration(state.deadline)} at most"
            says.append(f"waits for {', '.join([*groups, *wishes])}{time}")
        return says

    # -- arrows -------------------------------------------------------------------------------------------------------

    def _neighbours(self, above: str, below: str) -> None:
        """Down on the left of the gap, back up on its right."""
        upper, lower = self.boxes[above], self.boxes[below]
        for start, end, x in ((above, below, 60.0), (below, above, 230.0)):
            if (start, end) in self.ways:
                points = [(MAIN_LEFT_PX + x, upper.bottom), (MAIN_LEFT_PX + x, lower.top)]
                self.sheet.line(points if start == above else points[::-1])
                for line, words in enumerate(self._label(start, end)):
                    self.sheet.text(MAIN_LEFT_PX + x + 10, upper.bottom + 22 + line * LINE_PX, words, "quiet")

    def _beside(self, status: str, anchor: int) -> None:
        """To and from the status that it stands beside, and the ones above and below that."""
        box, beside = self.boxes[status], self.boxes[self.main[anchor]]
        for start, end, y in (
            (status, self.main[anchor], beside.top + 30.0),
            (self.main[anchor], status, beside.top + 66.0),
        ):
            points = [(box.right, y), (beside.left, y)]
            self._side_arrow(start, end, points if start == status else points[::-1], y)
        for number, edge, away in ((anchor - 1, box.top, -1), (anchor + 1, box.bottom, 1)):
            if not 0 <= number < len(self.main):
                continue
            other = self.main[number]
            near = self.boxes[other].bottom - 16 if away < 0 else self.boxes[other].top + 16
            far = near + 34 * away if (other, status) in self.ways else near
            for start, end, x, y in ((status, other, 90.0, far), (other, status, 180.0, near)):
                points = [(LEFT_PX + x, edge), (LEFT_PX + x, y), (MAIN_LEFT_PX, y)]
                self._side_arrow(start, end, points if start == status else points[::-1], y)

    def _side_arrow(self, start: str, end: str, points: list[tuple[float, float]], y: float) -> None:
        if (start, end) in self.ways:
            self.sheet.line(points)
            words = ", ".join(self._label(start, end))
            self.sheet.text(MAIN_LEFT_PX - 14, y - 5, words, "quiet", anchor="end")

    def _undone(self, status: str) -> None:
        if (status, self.undone) in self.ways:
            y = self.boxes[status].top + 24
            self._right_arrow(status, self.undone, y, "back")

    def _returned(self) -> None:
        """Beside where it stands, and from above round the corner."""
        for start in self.main:
            if (start, self.back) not in self.ways:
                continue
            back = self.boxes[self.back]
            if self.boxes[start].top == back.top:
                self._right_arrow(start, self.back, back.top + 54, "flow")
            else:
                y, x = self.boxes[start].bottom - 14, MAIN_RIGHT_PX + CORNER_PX
                self.sheet.line([(MAIN_RIGHT_PX, y), (x, y), (x, back.top + 24), (END_LEFT_PX, back.top + 24)])
                self.sheet.text(MAIN_RIGHT_PX + 14, y - 5, ", ".join(self._label(start, self.back)), "quiet")

    def _revived(self) -> None:
        """Late money leads back: drawn once, to where an order waits for its money."""
        ends = [end for start, end in self.ways if start == self.undone]
        if ends:
            end = next((one for one in ends if self.lifecycle[one].deadline == "attempt"), ends[0])
            y = self.boxes[end].bottom - 14
            self.sheet.line([(END_LEFT_PX, y), (MAIN_RIGHT_PX, y)])
            late = f"{' '.join(self._label(self.undone, end))} that comes late"
            self.sheet.text(MAIN_RIGHT_PX + 14, y - 5, late, "quiet")

    def _right_arrow(self, start: str, end: str, y: float, stroke: Stroke) -> None:
        self.sheet.line([(MAIN_RIGHT_PX, y), (END_LEFT_PX, y)], stroke)
        groups, wishes = groups_of(self.ways[start, end])
        self.sheet.text(MAIN_RIGHT_PX + 14, y - 5, ", ".join(groups), "quiet")
        self.sheet.text(MAIN_RIGHT_PX + 14, y + 15, ", ".join(wishes), "quiet")

    def _label(self, start: str, end: str) -> list[str]:
        groups, wishes = groups_of(self.ways[start, end])
        return [", ".join(words) for words in (groups, wishes) if words]


def _height(says: Sequence[str]) -> float:
    return max(84.0, (len(says) + 1) * LINE_PX + 20)


def _duration(deadline: Deadline) -> str:
    if isinstance(deadline, str):
        return f"the {deadline}'s time"
    minutes, left = divmod(deadline, 60)
    hours, minutes_left = divmod(minutes, 60)
    if left or not minutes:
        return f"{deadline:g} s"
    return f"{minutes:g} min" if minutes_left or not hours else f"{hours:g} h"
