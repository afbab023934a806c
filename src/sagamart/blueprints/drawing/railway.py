"""A graph as a railway: stations in one column, every connection with a track of its own at the side.

A connection to the next station goes straight down.  Any other leaves its station sideways, along its words, takes a
track, and comes in again sideways; the ones marked `back` do so on the left, all others on the right.  No two tracks
share a line and no words lie on a track, however many there are.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sagamart.blueprints.drawing.svg import LINE_PX, Shape, Sheet, width_of

TOP_PX = 64
GAP_PX = 44
"""Between two stations, words of the straight connection included."""
TRACK_PX = 14
SLOT_PX = 8
"""Space around a connection's end at a station."""
PAD_PX = 14


class Station(NamedTuple):
    """A box: its name, and what is to be said of it."""

    name: str
    says: Sequence[str] = ()
    shape: Shape = "core"


class Connection(NamedTuple):
    """An arrow with words, one a line."""

    start: str
    end: str
    words: Sequence[str]
    back: bool = False


class _End(NamedTuple):
    """One end of a connection at the side of a station; what comes in has no words."""

    connection: int
    leaves: bool
    height: float


def railway(title: str, stations: Sequence[Station], connections: Sequence[Connection]) -> Sheet:
    """Draw a graph whose stations stand in their order."""
    return _Railway(title, stations, connections).draw()


class _Railway:
    def __init__(self, title: str, stations: Sequence[Station], connections: Sequence[Connection]) -> None:
        self.sheet = Sheet(title)
        self.stations = stations
        self.place = {station.name: number for number, station in enumerate(stations)}
        self.straight = {
            one for one in connections if not one.back and self.place[one.end] == self.place[one.start] + 1
        }
        self.bent = [one for one in connections if one not in self.straight]
        self.box_px = max(_text_px(station) for station in stations) + 2 * PAD_PX
        self.tracks = {side: self._tracks(back=side) for side in (True, False)}
        self.words = {side: self._words_px(back=side) for side in (True, False)}
        self.left_px = PAD_PX + self._side_px(back=True)

    def draw(self) -> Sheet:
        self.sheet.text(24, 36, self.sheet.title, "title")
        ends: dict[tuple[int, bool], float] = {}
        tops, bottom = [], float(TOP_PX)
        for number, station in enumerate(self.stations):
            tops.append(bottom)
            bottom += self._station(station, bottom, ends)
            bottom += max(
                [GAP_PX, *(len(one.words) * LINE_PX + 24 for one in self.straight if self._follows(one, number))]
            )
        for number, one in enumerate(self.bent):
            self._bent(number, one, ends)
        for one in sorted(self.straight):
            self._straight(one, tops)
        return self.sheet

    def _follows(self, one: Connection, number: int) -> bool:
        return self.place[one.start] == number

    # -- stations -----------------------------------------------------------------------------------------------------

    def _station(self, station: Station, top: float, ends: dict[tuple[int, bool], float]) -> float:
        """Draw one; note the height of each end of a connection at it; its height."""
        sides = {side: self._ends(station.name, back=side) for side in (True, False)}
        text_px = (len(station.says) + 1) * LINE_PX + 16
        height = max([text_px, *(sum(end.height for end in found) + 2 * SLOT_PX for found in sides.values())])
        self.sheet.box(self.left_px, top, self.box_px, height, station.shape)
        self.sheet.text(self.left_px + PAD_PX, top + 23, station.name, "bold")
        for line, says in enumerate(station.says, 1):
            self.sheet.text(self.left_px + PAD_PX, top + 23 + line * LINE_PX, says, "quiet")
        for found in sides.values():
            y = top + SLOT_PX
            for end in found:
                y += end.height
                ends[end.connection, end.leaves] = y - SLOT_PX
        return height

    def _ends(self, name: str, *, back: bool) -> list[_End]:
        """Connections at one side: above, what links to stations above, the nearest first; below, the farthest first.

        So tracks of one station never cross each other.
        """
        found: list[tuple[bool, int, _End]] = []
        for number, one in enumerate(self.bent):
            if one.back is back and name in (one.start, one.end):
                leaves = one.start == name
                away = self.place[one.end if leaves else one.start] - self.place[name]
                height = len(one.words) * LINE_PX + SLOT_PX if leaves else 2 * SLOT_PX
                found.append((away > 0, -away, _End(number, leaves, height)))
        return [end for *_, end in sorted(found, key=lambda end: end[:2])]

    # -- tracks -------------------------------------------------------------------------------------------------------

    def _tracks(self, *, back: bool) -> dict[int, int]:
        """A track for each connection of a side; short ones nearest to the stations."""
        spans = {
            number: sorted((self.place[one.start], self.place[one.end]))
            for number, one in enumerate(self.bent)
            if one.back is back
        }
        taken: list[list[Sequence[int]]] = []
        found: dict[int, int] = {}
        for number, span in sorted(spans.items(), key=lambda item: (item[1][1] - item[1][0], item[0])):
            free = (
                track for track, others in enumerate(taken) if all(o[1] < span[0] or span[1] < o[0] for o in others)
            )
            track = next(free, len(taken))
            if track == len(taken):
                taken.append([])
            taken[track].append(span)
            found[number] = track
        return found

    def _words_px(self, *, back: bool) -> float:
        words = [width_of(word, "quiet") for one in self.bent if one.back is back for word in one.words]
        return max(words, default=0) + (24 if words else 0)

    def _side_px(self, *, back: bool) -> float:
        tracks = max(self.tracks[back].values(), default=-1) + 1
        return self.words[back] + (tracks + 1) * TRACK_PX

    def _bent(self, number: int, one: Connection, ends: dict[tuple[int, bool], float]) -> None:
        away = -1 if one.back else 1
        edge = self.left_px if one.back else self.left_px + self.box_px
        track = edge + away * (self.words[one.back] + (self.tracks[one.back][number] + 1) * TRACK_PX)
        out, into = ends[number, True], ends[number, False]
        self.sheet.line([(edge, out), (track, out), (track, into), (edge, into)], "back" if one.back else "flow")
        for line, word in enumerate(reversed(one.words)):
            anchor = "end" if one.back else "start"
            self.sheet.text(edge + away * 10, out - 4 - line * LINE_PX, word, "quiet", anchor=anchor)

    def _straight(self, one: Connection, tops: Sequence[float]) -> None:
        below = tops[self.place[one.end]]
        above = below - max(GAP_PX, len(one.words) * LINE_PX + 24)
        middle = self.left_px + self.box_px / 2
        self.sheet.line([(middle, above), (middle, below)])
        for line, word in enumerate(one.words):
            self.sheet.text(middle + 10, above + 17 + line * LINE_PX, word, "quiet")


def _text_px(station: Station) -> float:
    return max([width_of(station.name, "bold"), *(width_of(says, "quiet") for says in station.says)])
