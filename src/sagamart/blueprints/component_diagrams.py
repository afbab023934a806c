"""The services and what passes between them, as drawings made from the services themselves."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from litestar.handlers import HTTPRouteHandler

from sagamart.blueprints.drawing.railway import Connection, Station, railway
from sagamart.blueprints.drawing.svg import LINE_PX, Sheet, width_of
from sagamart.blueprints.shop_map import RECORDER, Told, told_by
from sagamart.messaging.service import Service
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES

CORE_TABLES = "and inbox, outbox, timers, requests, dead letters"
THE_REST = "whatever else is about an order"
"""What the recorder hears, too, beside what only it hears."""
TABLES_A_LINE_MAX = 4
TOP_PX = 60
LEFT_PX = 24
GAP_PX = 56
GROUP_PX = 14


def services_diagram(services: Sequence[Service]) -> str:
    """All services, their databases, and who sends what to whom, as SVG.  Brown is what goes back up."""
    stations = [Station(service.name, (*_tables(service), CORE_TABLES), "db") for service in services]
    place = {service.name: number for number, service in enumerate(services)}
    sent: dict[tuple[str, str], list[Told]] = {}
    for told in told_by(services):
        for producer in told.producers if told.way == "sent" else ():
            for consumer in told.consumers:
                sent.setdefault((producer, consumer), []).append(told)
    connections = [
        Connection(start, end, tuple(_words(end, heard)), back=place[end] < place[start])
        for (start, end), heard in sent.items()
    ]
    return railway("The services, and what they tell one another", stations, connections).svg()


def _words(consumer: str, heard: Sequence[Told]) -> list[str]:
    """What a service is told, by name; the recorder hears what others do, too, and that is not said again."""
    if consumer != RECORDER:
        return [one.name for one in heard]
    alone = [one.name for one in heard if one.consumers == (RECORDER,)]
    return alone if len(alone) == len(heard) else [*alone, THE_REST]


def _tables(service: Service) -> list[str]:
    """The service's own tables, a few a line."""
    names = [table.name for table in service.tables]
    lines = [", ".join(names[at : at + TABLES_A_LINE_MAX]) for at in range(0, len(names), TABLES_A_LINE_MAX)]
    return [f"{line}," for line in lines[:-1]] + lines[-1:]


class _Group(NamedTuple):
    """Things that come from one side, or go to one."""

    title: str
    lines: Sequence[str]

    @property
    def height(self) -> float:
        return (len(self.lines) + 1) * LINE_PX + 12

    @property
    def width(self) -> float:
        return max([width_of(self.title, "bold"), *(width_of(line, "quiet") for line in self.lines)]) + 32


def service_diagram(service: Service, services: Sequence[Service]) -> str:
    """One service: what it is asked and told, what it tells, and its tables, as SVG."""
    told = told_by(services)
    left = [_Group("HTTP", _routes(service.name)), *_heard(service, told)]
    right = _said(service, told)
    return _Component(service, [group for group in left if group.lines], right).draw()


def _routes(name: str) -> list[str]:
    routes: Iterable[HTTPRouteHandler] = SLICES[name](ShopSettings()).routes
    lines = {f"{method} {path}" for route in routes for path in route.paths for method in route.http_methods}
    return sorted((re.sub(r":\w+}", "}", line) for line in lines), key=_by_path)


def _by_path(line: str) -> tuple[str, str]:
    method, _, path = line.partition(" ")
    return path, method


def _heard(service: Service, told: Iterable[Told]) -> list[_Group]:
    found: dict[str, list[str]] = {}
    for one in told:
        if service.name in one.consumers:
            for producer in one.producers:
                found.setdefault("its own timers" if one.way == "timer" else f"from {producer}", []).append(one.name)
    return _groups(found)


def _said(service: Service, told: Iterable[Told]) -> list[_Group]:
    found: dict[str, list[Told]] = {}
    for one in told:
        if service.name in one.producers and one.way != "timer":
            nobody = "the world outside" if one.way == "intent" else "whoever listens"
            for consumer in one.consumers or (nobody,):
                found.setdefault(consumer, []).append(one)
    return _groups({f"to {consumer}": _words(consumer, heard) for consumer, heard in found.items()})


def _groups(found: Mapping[str, Sequence[str]]) -> list[_Group]:
    return [_Group(title, names) for title, names in sorted(found.items())]


class _Component:
    def __init__(self, service: Service, left: Sequence[_Group], right: Sequence[_Group]) -> None:
        self.sheet = Sheet(f"The service {service.name}")
        self.service = service
        self.left, self.right = left, right
        self.tables = [table.name for table in service.tables]
        self.left_px = max(group.width for group in left)
        self.right_px = max((group.width for group in right), default=0)
        self.core_px = max([200, *(width_of(line, "quiet") + 40 for line in (CORE_TABLES, *self.tables))])

    def draw(self) -> str:
        self.sheet.text(LEFT_PX, 36, self.sheet.title, "title")
        sides_px = [sum(group.height + GROUP_PX for group in side) - GROUP_PX for side in (self.left, self.right)]
        height = max(90, *sides_px)
        core = LEFT_PX + self.left_px + GAP_PX
        self.sheet.box(core, TOP_PX, self.core_px, height, "core")
        self.sheet.text(core + self.core_px / 2, TOP_PX + height / 2 - 4, self.service.name, "bold", anchor="middle")
        rules = "one message, one rule, one transaction"
        self.sheet.text(core + self.core_px / 2, TOP_PX + height / 2 + 14, rules, "quiet", anchor="middle")
        self._side(self.left, LEFT_PX, self.left_px, (LEFT_PX + self.left_px, core))
        end = core + self.core_px
        self._side(self.right, end + GAP_PX, self.right_px, (end, end + GAP_PX))
        self._database(core, TOP_PX + height)
        return self.sheet.svg()

    def _side(self, groups: Sequence[_Group], x: float, width: float, arrow: tuple[float, float]) -> None:
        y: float = TOP_PX
        for group in groups:
            self.sheet.box(x, y, width, group.height, "box")
            self.sheet.text(x + 12, y + 19, group.title, "bold")
            for number, line in enumerate(group.lines, 1):
                self.sheet.text(x + 12, y + 19 + number * LINE_PX, line, "quiet")
            middle = y + group.height / 2
            self.sheet.line([(arrow[0], middle), (arrow[1], middle)])
            y += group.height + GROUP_PX

    def _database(self, x: float, top: float) -> None:
        lines = [*self.tables, CORE_TABLES]
        self.sheet.line([(x + self.core_px / 2, top), (x + self.core_px / 2, top + 36)])
        self.sheet.cylinder(x, top + 36, self.core_px, len(lines) * LINE_PX + 44)
        for number, line in enumerate(lines):
            self.sheet.text(x + self.core_px / 2, top + 72 + number * LINE_PX, line, "quiet", anchor="middle")
