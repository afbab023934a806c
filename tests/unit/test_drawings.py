"""Drawings show what the code says, and can be read: each from the table, the services or a run, none by hand."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from sagamart.blueprints.component_diagrams import service_diagram, services_diagram
from sagamart.blueprints.diagrams import diagrams
from sagamart.blueprints.drawing.railway import Connection, Station, railway
from sagamart.blueprints.drawing.svg import Look, width_of
from sagamart.blueprints.playing import Asks, Play
from sagamart.blueprints.runs import drawings_of_runs
from sagamart.blueprints.sequence_diagram import sequence_diagram
from sagamart.blueprints.shop_map import shop_services, told_by
from sagamart.blueprints.state_diagram import state_diagram
from sagamart.blueprints.ways import PLACE, WAYS, Way, filled
from sagamart.messaging.message import Body
from sagamart.shop.orders.decide import learn
from sagamart.shop.orders.lifecycle import LIFECYCLE, State, to
from sagamart.shop.orders.messages import CancelOrder
from sagamart.styles import Style

SERVICES = shop_services()
SVG = "{http://www.w3.org/2000/svg}"
HEIGHT_PX = {"title": 18, "quiet": 11}


class Words(NamedTuple):
    text: str
    left: float
    right: float
    top: float
    bottom: float

    def lies_on(self, other: "Words") -> bool:
        beside = self.right <= other.left or other.right <= self.left
        apart = self.bottom <= other.top or other.bottom <= self.top
        return not (beside or apart)


def words_of(drawing: str) -> list[Words]:
    return list(_words(ET.fromstring(drawing)))  # noqa: S314  a drawing of our own


def _words(sheet: ET.Element) -> Iterator[Words]:
    for part in sheet.iter(f"{SVG}text"):
        text, look = part.text or "", cast("Look", part.get("class", "plain"))
        width, x, y = width_of(text, look), float(part.attrib["x"]), float(part.attrib["y"])
        left = x - {"end": width, "middle": width / 2}.get(part.get("text-anchor", ""), 0)
        yield Words(text, left, left + width, y - HEIGHT_PX.get(look, 13) * 0.8, y + 2)


def page_of(drawing: str) -> Words:
    _, _, width, height = map(float, ET.fromstring(drawing).attrib["viewBox"].split())  # noqa: S314  our own
    return Words("the page", 0, width, 0, height)


RUNS = {place.name: text for place, text in drawings_of_runs(Path(__file__).parents[2]).items()}
DRAWN = {name: text for name, text in diagrams(SERVICES).items() if name.endswith(".svg")} | RUNS


@pytest.mark.parametrize("name", DRAWN)
def test_no_words_of_a_drawing_lie_on_others_or_beside_the_page(name: str) -> None:
    words, page = words_of(DRAWN[name]), page_of(DRAWN[name])
    assert [(a.text, b.text) for at, a in enumerate(words) for b in words[:at] if a.lies_on(b)] == []
    assert [one.text for one in words if one.left < 0 or one.right > page.right or one.bottom > page.bottom] == []


def test_words_that_lie_on_others_would_be_seen() -> None:
    drawing = railway("Two", [Station("one"), Station("two")], [Connection("one", "two", ("here",))]).svg()
    twice = drawing.replace("</svg>", "".join(re.findall(r"<text.*here.*</text>", drawing)) + "</svg>")
    words = words_of(twice)
    assert any(a.lies_on(b) for at, a in enumerate(words) for b in words[:at])


def test_the_same_code_gives_the_same_drawings() -> None:
    assert diagrams(shop_services()) == diagrams(SERVICES)


def test_every_style_of_interaction_is_drawn_from_a_run() -> None:
    assert sorted(RUNS) == sorted(f"{style}.svg" for style in get_args(Style))
    shown = [{words.text for words in words_of(RUNS[name])} for name in ("facts.svg", "http-events.svg", "http.svg")]
    assert ["OrderSucceeded" in words for words in shown] == [False, True, False]
    assert ["403 money_refused" in words for words in shown] == [False, True, True]


def test_the_statuses_are_drawn_from_the_table() -> None:
    shown = {words.text for words in words_of(DRAWN["order-statuses.svg"])}
    said = {kind.__name__ for state in LIFECYCLE.values() for kind in state.on}
    assert set(LIFECYCLE) <= shown
    assert said <= set(re.findall(r"[A-Z]\w+", " ".join(shown)))


def test_a_status_that_comes_to_the_table_comes_to_the_drawing() -> None:
    more: dict[Any, State] = {
        **LIFECYCLE,
        "completed": replace(LIFECYCLE["completed"], final=False, on={CancelOrder: to(learn, "cancelled")}),
        "lost": State(on={}, final=True),
    }
    shown = {words.text for words in words_of(state_diagram(more))}
    assert {"lost", "completed", "CancelOrder"} <= shown


def test_every_service_and_all_that_is_said_between_them_is_drawn() -> None:
    shown = {words.text for words in words_of(services_diagram(SERVICES))}
    assert {service.name for service in SERVICES} <= shown
    assert {told.name for told in told_by(SERVICES) if told.way == "sent" and told.consumers} <= shown


def test_a_service_is_drawn_with_its_routes_messages_and_tables() -> None:
    orders = next(service for service in SERVICES if service.name == "orders")
    shown = {words.text for words in words_of(service_diagram(orders, SERVICES))}
    assert {"POST /v1/orders", "from stock", "StockBooked", "its own timers", "to wallet", "HoldRequested"} <= shown
    assert {table.name for table in orders.tables} <= shown


@pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])
def test_every_way_is_played_to_its_end(way: Way) -> None:
    play = Play(SERVICES)
    play.play([*filled(way), *way.steps])
    (order,) = (row for rows in play.stores["orders"].rows.values() for row in rows.values() if hasattr(row, "lines"))
    assert order.status == way.ends
    assert not any(store.letters for store in play.stores.values())
    # Payments lets its timers fire: they find that the bank has answered.
    asks_a_bank = any(isinstance(step, Asks) and step.who == "bank" for step in way.steps)
    assert {name for name, store in play.stores.items() if store.timers} == ({"payments"} if asks_a_bank else set())


def test_a_way_that_ends_otherwise_is_refused() -> None:
    with pytest.raises(AssertionError, match="completed ends completed, not cancelled"):
        sequence_diagram(Way("completed", "Anything", [PLACE], "cancelled"))


def test_a_message_that_cannot_be_handled_stops_the_play() -> None:
    class Nonsense(Body, frozen=True):
        @property
        def key(self) -> str:
            return "ord_1"

    with pytest.raises(AssertionError, match="orders cannot handle Nonsense"):
        Play(SERVICES).play([Asks("customer", "orders", Nonsense())])
