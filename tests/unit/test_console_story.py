"""The flight recorder's drawing: who is where, what is thick, what is told apart, and what a pause looks like."""

from typing import Any

import pytest

from sagamart.web.console.charts import depth_chart, pace_chart, part_of, step_chart
from sagamart.web.console.durations import Duration, duration
from sagamart.web.console.story import kind_of, story_of


def said(number: int, kind: str, source: str, *to: str, at_s: float = 0.0, because_of: int | None = None) -> Any:
    """An entry of the timeline."""
    return {
        "number": number,
        "type": kind,
        "text": kind,
        "source": source,
        "to": [*to, "timeline"],
        "at": f"2026-11-21T20:17:{40 + at_s:06.3f}+00:00",
        "node": "a",
        "order_version": 1,
        "status": "new" if source == "orders" else None,
        "cause": None,
        "because_of": because_of,
        "body": {},
    }


ASKED = said(1, "BookingRequested", "orders", "stock")
BOOKED = said(2, "StockBooked", "stock", "orders", at_s=0.02, because_of=1)
HELD = said(3, "HoldRequested", "orders", "wallet", "notifications", at_s=0.03, because_of=2)


def test_services_stand_from_left_to_right_and_the_timeline_that_hears_all_is_left_out() -> None:
    story = story_of([ASKED, BOOKED, HELD])

    assert [lane.name for lane in story.lanes] == ["stock", "orders", "wallet", "notifications"]
    assert [lane.x for lane in story.lanes] == sorted(lane.x for lane in story.lanes)


def test_a_message_goes_from_who_said_it_to_all_who_hear_it() -> None:
    story = story_of([ASKED, BOOKED, HELD])
    x = {lane.name: lane.x for lane in story.lanes}

    asked, booked, held = story.rows

    assert (asked.x, asked.ends) == (x["orders"], [(x["stock"], -1)])
    assert (booked.x, booked.ends) == (x["stock"], [(x["orders"], 1)])
    assert (held.left, held.right) == (x["orders"], x["notifications"])
    assert [place for place, _ in held.ends] == [x["wallet"], x["notifications"]]
    assert asked.y < booked.y < held.y < story.height


def test_a_service_is_busy_from_what_it_heard_to_what_it_said_because_of_it() -> None:
    story = story_of([ASKED, BOOKED, HELD])
    bars = {lane.name: lane.bars for lane in story.lanes}
    asked, booked, held = story.rows

    assert bars["stock"] == [(asked.y - 5, booked.y - asked.y + 10)]
    assert bars["orders"] == [(booked.y - 5, held.y - booked.y + 10)]
    assert bars["wallet"] == []


def test_a_message_knows_its_cause_its_delay_and_what_followed() -> None:
    story = story_of([ASKED, BOOKED, HELD])

    assert story.rows[0].after is None
    assert story.rows[1].after == Duration("console.time_ms", {"ms": 20})
    assert [row.number for row in story.because_of(1)] == [2]
    assert story.slowest == story.rows[1]
    assert story.row(4) is None


def test_where_nothing_is_said_for_a_while_the_diagram_breaks() -> None:
    later = said(3, "ShipmentHandedOver", "shipping", "orders", at_s=6)

    story = story_of([ASKED, BOOKED, later])

    (pause,) = story.breaks
    assert story.rows[1].y < pause.y < story.rows[2].y
    assert pause.lasts == Duration("console.time_s", {"s": "5.98"})


def test_an_answer_that_took_long_stands_out() -> None:
    story = story_of([ASKED, said(2, "StockBooked", "stock", "orders", at_s=1.2, because_of=1)])

    assert [row.slow for row in story.rows] == [False, True]


def test_a_message_that_nobody_but_the_timeline_hears_is_drawn_as_a_stub() -> None:
    (row,) = story_of([said(1, "OrderPlaced", "orders")]).rows

    assert not row.is_heard
    assert row.right > row.left


def test_sixty_messages_stand_apart_and_no_label_leaves_the_picture() -> None:
    told = [ASKED] + [said(number, "StockBooked", "stock", "orders", because_of=1) for number in range(2, 61)]

    story = story_of(told)

    assert len({row.y for row in story.rows}) == 60
    assert min(b.y - a.y for a, b in zip(story.rows, story.rows[1:], strict=False)) >= 40
    for row in story.rows:
        half = len(row.entry["text"]) * 6.7 / 2
        assert half <= row.label_x <= story.width - half


def test_an_order_of_which_nothing_is_told_yet_has_an_empty_story() -> None:
    story = story_of([])

    assert (story.rows, story.lanes, story.slowest) == ([], [], None)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("BookingRequested", "ask"),
        ("StockBooked", "tell"),
        ("StockRefused", "bad"),
        ("OrderCancelled", "bad"),
        ("ReleaseRequested", "undo"),
        ("MoneyRefunded", "undo"),
    ],
)
def test_messages_are_coloured_by_what_they_mean(message: str, kind: str) -> None:
    assert kind_of(message) == kind


@pytest.mark.parametrize(
    ("seconds", "key", "facts"),
    [
        (-1, "console.time_ms", {"ms": 0}),
        (0.0204, "console.time_ms", {"ms": 20}),
        (1.236, "console.time_s", {"s": "1.24"}),
        (42.4, "console.time_s", {"s": "42"}),
        (185, "console.time_m", {"m": 3, "s": "05"}),
        (7500, "console.time_h", {"h": 2, "m": "05"}),
        (180_000, "console.time_d", {"d": 2, "h": 2}),
    ],
)
def test_a_duration_is_told_in_the_units_that_matter(seconds: float, key: str, facts: dict[str, Any]) -> None:
    assert duration(seconds) == Duration(key, facts)


def test_the_board_piles_up_the_orders_of_each_second() -> None:
    chart = pace_chart(
        {
            "now": "2026-11-21T20:18:00.500Z",
            "seconds": 60,
            "statuses": {"completed": 3, "cancelled": 1},
            "placed": [{"at": "2026-11-21T20:17:59Z", "statuses": {"completed": 3, "cancelled": 1}}],
        }
    )

    assert chart.totals == {"ended": 3, "moving": 0, "lost": 1}
    assert [(bar.part, bar.height) for bar in chart.bars] == [("ended", 112.5), ("lost", 37.5)]
    assert chart.bars[0].y == chart.bars[1].y + chart.bars[1].height
    assert chart.per_s == pytest.approx(0.4)
    assert [line.value for line in chart.lines] == [0, 2, 4]


def test_a_board_without_orders_is_empty_and_not_broken() -> None:
    chart = pace_chart({"now": "2026-11-21T20:18:00Z", "seconds": 60, "statuses": {}, "placed": []})

    assert (chart.bars, chart.per_s) == ([], 0.0)
    assert step_chart([]).bars == []


@pytest.mark.parametrize(
    ("status", "part"), [("completed", "ended"), ("paid", "ended"), ("cancelled", "lost"), ("booked", "moving")]
)
def test_an_order_is_counted_where_it_stands(status: str, part: str) -> None:
    assert part_of(status) == part


def test_the_slowest_steps_come_first_and_fit() -> None:
    steps = [
        {"type": name, "text": name, "source": "stock", "messages": 5, "median_ms": median, "p95_ms": median * 4}
        for name, median in (("StockBooked", 2.0), ("MoneyHeld", 300.0))
    ]

    chart = step_chart(steps)

    assert [bar.step["type"] for bar in chart.bars] == ["MoneyHeld", "StockBooked"]
    assert all(0 < bar.median <= bar.rare <= 430 for bar in chart.bars)


def looked(at: str, queued: int, outbox: int | None) -> dict[str, Any]:
    return {"at": f"2026-11-21T20:17:{at}Z", "queued": queued, "outbox": outbox}


def test_what_waits_is_a_line_that_stays_where_it_was_until_somebody_looks_again() -> None:
    orders = {"service": "orders", "past": [looked("31", 2, 4), looked("59", 1, 3)]}
    stock = {"service": "stock", "past": [looked("00", 9, 9), looked("59", 0, 4)]}

    chart = depth_chart([orders, stock], "2026-11-21T20:18:00Z")

    assert (chart.queued.now, chart.outbox.now) == (1, 7)
    assert [line.value for line in chart.lines] == [0, 4, 8]
    queued = [point.split(",")[1] for point in chart.queued.points.split()]
    assert (len(queued), set(queued[:-1])) == (15, {"122.5"})
    assert (chart.queued.x, chart.queued.y) == (986, 141.2)
    assert len(chart.sparks["orders"].split()) == 15
    assert len(chart.sparks["stock"].split()) == 1


def test_what_a_database_does_not_tell_is_not_drawn_and_nobody_is_no_line() -> None:
    silent = depth_chart([{"service": "orders", "past": [looked("59", 3, None)]}], "2026-11-21T20:18:00Z")
    nobody = depth_chart([], "2026-11-21T20:18:00Z")

    assert (silent.queued.now, silent.outbox.now) == (3, 0)
    assert (nobody.queued.points, nobody.outbox.now, nobody.sparks) == ("", 0, {})
