"""What the services said to one another on one way of an order: drawn from a play, inbox and outbox included.

Each bar is a transaction.  The mark at an arrow's head is the row in the inbox, the mark at its tail the row in the
outbox; both are written in the transaction whose bar they are on.
"""

from collections.abc import Sequence

from sagamart.blueprints.drawing.svg import LINE_PX, Sheet, width_of
from sagamart.blueprints.playing import Down, Handled, Play, TimePasses, Up
from sagamart.blueprints.shop_map import acting_services
from sagamart.blueprints.ways import Way, filled
from sagamart.messaging.records import Record

TOP_PX, HEAD_PX = 60, 46
ROW_PX = 50
BAR_PX = 12
BAR_HEIGHT_PX = 32
LANE_PX_MIN = 170
MARK_PX = 6
LEFT_PX = 24


def sequence_diagram(way: Way) -> str:
    """Play a way and draw it, as SVG.  Raises AssertionError where the order does not end as the way says."""
    play = Play(acting_services())
    play.play(filled(way))
    before = len(play.story)
    play.play(way.steps)
    story = play.story[before:]
    ends = [
        status for told in story if isinstance(told, Handled) and told.service == "orders" for status in _statuses(told)
    ]
    if ends[-1] != way.ends:
        raise AssertionError(f"{way.name} ends {ends[-1]}, not {way.ends}")
    return _Sequence(way.title, story).draw()


class _Sequence:
    def __init__(self, title: str, story: Sequence[Handled | Down | Up | TimePasses]) -> None:
        self.sheet = Sheet(title)
        self.story = story
        handled = [told for told in story if isinstance(told, Handled)]
        people = dict.fromkeys(told.who for told in handled if told.who)
        services = dict.fromkeys(told.service for told in handled)
        self.lanes = [*people, *services]
        self.people = set(people)
        widest = max(width_of(told.message.type) for told in handled) + 2 * BAR_PX + 40
        said = max(width_of(_outcome(told), "quiet") for told in handled) + BAR_PX + 24
        self.lane_px = max(LANE_PX_MIN, widest, said)
        self.sent_at: dict[str, tuple[str, float]] = {}

    def x(self, lane: str) -> float:
        """The middle of a lane."""
        return LEFT_PX + 70 + self.lanes.index(lane) * self.lane_px

    def draw(self) -> str:
        self.sheet.text(LEFT_PX, 36, self.sheet.title, "title")
        bottom = TOP_PX + HEAD_PX + 24 + ROW_PX * len(self.story)
        for lane in self.lanes:
            self.sheet.line([(self.x(lane), TOP_PX + HEAD_PX), (self.x(lane), bottom)], "life")
            self._head(lane)
        for number, told in enumerate(self.story):
            y = TOP_PX + HEAD_PX + 36 + number * ROW_PX
            if isinstance(told, Handled):
                self._transaction(told, y)
            else:
                self._note(told, y)
        self._legend(bottom + 30)
        return self.sheet.svg()

    def _head(self, lane: str) -> None:
        width = max(136, width_of(lane, "bold") + 24)
        self.sheet.box(self.x(lane) - width / 2, TOP_PX, width, HEAD_PX, "note" if lane in self.people else "core")
        self.sheet.text(self.x(lane), TOP_PX + 20, lane, "bold", anchor="middle")
        what = "a person" if lane in self.people else "inbox | rows | outbox"
        self.sheet.text(self.x(lane), TOP_PX + 37, what, "quiet", anchor="middle")

    def _transaction(self, told: Handled, y: float) -> None:
        x = self.x(told.service)
        self.sheet.box(x - BAR_PX / 2, y - 10, BAR_PX, BAR_HEIGHT_PX, "act")
        self._arrival(told, x, y)
        outcome = _outcome(told)
        if outcome:
            self.sheet.text(x + BAR_PX / 2 + 8, y + 16, outcome, "quiet")
        if told.sent:
            self.sheet.box(x - MARK_PX / 2, y + 12, MARK_PX, MARK_PX, "row")
        if told.reply is not None and told.who is not None:
            back = self.x(told.who)
            self.sheet.line([(x - BAR_PX / 2, y + 18), (back, y + 18)], "reply")
            self.sheet.text(back + 12, y + 14, str(told.reply.status), "quiet")

    def _arrival(self, told: Handled, x: float, y: float) -> None:
        name = told.message.type
        if told.fired:
            self.sheet.text(x - BAR_PX / 2 - 12, y - 1, f"timer: {name}", anchor="end")
            self.sheet.line([(x - BAR_PX / 2 - 12, y + 3), (x - BAR_PX / 2, y + 3)])
            return
        start = self.x(told.who or told.message.source)
        away = 1 if start < x else -1
        edge = x - away * BAR_PX / 2
        begin = start + away * (0 if told.who else BAR_PX / 2)
        self.sheet.line([(begin, y), (edge, y)])
        self.sheet.text(edge - away * 14, y - 6, name, anchor="end" if away > 0 else "start")
        self.sheet.box(edge - MARK_PX / 2 + away * MARK_PX / 2, y - MARK_PX / 2, MARK_PX, MARK_PX, "row")

    def _note(self, told: Down | Up | TimePasses, y: float) -> None:
        match told:
            case Down(service=name):
                words = f"{name} is away"
            case Up(service=name):
                words = f"{name} is back"
            case TimePasses():
                words = "time passes until a timer is due"
        left, right = self.x(self.lanes[0]) - 60, self.x(self.lanes[-1]) + 60
        self.sheet.box(left, y - 12, right - left, LINE_PX + 8, "note")
        self.sheet.text((left + right) / 2, y + 4, words, "quiet", anchor="middle")

    def _legend(self, y: float) -> None:
        self.sheet.box(LEFT_PX, y - 10, BAR_PX, 14, "act")
        self.sheet.text(LEFT_PX + 22, y, "one transaction of a service's own database", "quiet")
        self.sheet.box(LEFT_PX + 3, y + LINE_PX - 7, MARK_PX, MARK_PX, "row")
        text = "its rows in the inbox (where an arrow ends) and in the outbox (inside the bar)"
        self.sheet.text(LEFT_PX + 22, y + LINE_PX, text, "quiet")


def _statuses(told: Handled) -> list[str]:
    """Statuses of the records that were saved, without those that have none."""
    return [str(row.status) for row in told.saved if isinstance(row, Record) and hasattr(row, "status")]


def _outcome(told: Handled) -> str:
    """What the transaction left behind, in a few words."""
    words = [*dict.fromkeys(_statuses(told)), *(["timer set"] if told.armed else [])]
    return ", ".join(words) or ("" if told.saved else "nothing to do")
