"""The route of the timeline: one's own order's story, in the order of cause, page by page, in one's language."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sagamart.contracts.order_requests import BookingRequested, HoldRequested
from sagamart.contracts.orders import OrderCompleted, OrderPaid
from sagamart.contracts.stock import StockBooked
from sagamart.contracts.wallet import MoneyCaptured
from sagamart.messaging.message import Body, Message, derived_id, new_id
from sagamart.platform.http import Caller
from sagamart.shop.timeline.api import routes
from sagamart.shop.timeline.service import TIMELINE
from shop_fixtures import RunningService, Started, World

ANNA = Caller("cus_1", frozenset({"CUSTOMER"}))
BORIS = Caller("cus_2", frozenset({"CUSTOMER"}))
OPERATOR = Caller("cus_3", frozenset({"OPERATOR"}))
PACKER = Caller("cus_4", frozenset({"SHIPPING_OPERATOR"}))
ROUTES = routes({"BookingRequested": ["stock"], "StockBooked": ["orders"]})
STORY = "/v1/orders/ord_1/timeline"

AT = datetime.now(UTC)
ROOT, ELSEWHERE = new_id(AT, bytes(10)), new_id(AT, b"elsewhere!")


def said(body: Body, source: str, cause: str, after_ms: int) -> Message[Body]:
    """A message of a service, which the world plays, said so long after the order was placed, by its clock."""
    kind = type(body).__name__
    return Message(
        id=derived_id(cause, source, kind, 0),
        type=kind,
        key=body.key,
        source=World.name,
        at=AT + timedelta(milliseconds=after_ms),
        correlation=ROOT,
        body=body,
        cause=cause,
        node=f"{source}-1",
    )


BOOKING = said(BookingRequested("ord_1", 1, "booking_pending", "cus_1", 1, (), 100, "RUB"), "orders", ROOT, 0)
BOOKED = said(StockBooked("ord_1", 1), "stock", BOOKING.id, -5_000)
"""The clock of stock is five seconds slow."""
HOLD = said(HoldRequested("ord_1", 2, "pay_pending", "cus_1", 1, (), 100, "RUB", 1, 100), "orders", BOOKED.id, 20)
CAPTURED = said(MoneyCaptured("ord_1", 1, 100, "RUB"), "wallet", ELSEWHERE, 30)
PAID = said(OrderPaid("ord_1", 4, "paid", "cus_1", 1, (), 100, "RUB"), "orders", CAPTURED.id, 40)
COMPLETED = said(OrderCompleted("ord_1", 4, "completed", "cus_1", 1, (), 100, "RUB"), "orders", CAPTURED.id, 40)
"""Said in the same moment as that it is paid."""
TYPES = ["BookingRequested", "StockBooked", "HoldRequested", "MoneyCaptured", "OrderPaid", "OrderCompleted"]


@pytest.fixture
async def timeline(started: Started) -> RunningService:
    """A timeline that has heard of Anna's order, the last first."""
    service = await started(TIMELINE, ROUTES)
    await service.world.say([COMPLETED, PAID, CAPTURED, HOLD, BOOKED, BOOKING])
    return service


async def told(service: RunningService, path: str = STORY, **headers: str) -> Any:
    answer = await service.get(path, caller=ANNA, **headers)
    assert answer.status_code == 200
    return answer.json()


async def test_a_message_stands_after_its_cause_whatever_the_clocks_say(timeline: RunningService) -> None:
    story = (await told(timeline))["items"]

    assert [one["type"] for one in story] == TYPES
    assert [one["number"] for one in story] == [1, 2, 3, 4, 5, 6]
    assert [one["because_of"] for one in story] == [None, 1, 2, None, 4, 4]


async def test_an_entry_says_who_told_what_to_whom_when_where_and_why(timeline: RunningService) -> None:
    first, second, *_ = (await told(timeline))["items"]

    assert first == {
        "number": 1,
        "message_id": BOOKING.id,
        "type": "BookingRequested",
        "text": "Please reserve the goods",
        "source": "world",
        "to": ["stock"],
        "at": first["at"],
        "node": "orders-1",
        "order_version": 1,
        "status": "booking_pending",
        "cause": ROOT,
        "because_of": None,
        "correlation": ROOT,
        "body": {"attempt": 1, "total_minor": 100, "currency": "RUB", "lines": []},
    }
    assert datetime.fromisoformat(first["at"]) == AT
    assert (second["node"], second["to"], second["cause"]) == ("stock-1", ["orders"], BOOKING.id)


async def test_a_story_is_read_page_by_page(timeline: RunningService) -> None:
    found: list[str] = []
    path: str | None = f"{STORY}?limit=4"
    while path:
        page = await told(timeline, path)
        found += [one["type"] for one in page["items"]]
        path = page["next_cursor"] and f"{STORY}?limit=4&cursor={page['next_cursor']}"

    assert found == TYPES


@pytest.mark.parametrize(("language", "text"), [("ru", "Товары зарезервированы"), ("en", "The goods are reserved")])
async def test_a_story_is_told_in_the_readers_language(timeline: RunningService, language: str, text: str) -> None:
    answer = await timeline.get(STORY, caller=ANNA, **{"Accept-Language": language})

    assert answer.json()["items"][1]["text"] == text
    assert answer.headers["content-language"] == language


@pytest.mark.parametrize(
    ("caller", "path", "status"),
    [
        (None, STORY, 401),
        (ANNA, STORY, 200),
        (OPERATOR, STORY, 200),
        (BORIS, STORY, 404),
        (PACKER, STORY, 404),
        (ANNA, "/v1/orders/ord_2/timeline", 404),
        (OPERATOR, "/v1/orders/ord_2/timeline", 404),
        (ANNA, f"{STORY}?cursor=bm9uZQ", 400),
        (ANNA, f"{STORY}?limit=0", 400),
    ],
)
async def test_only_the_owner_and_staff_hear_a_story(
    timeline: RunningService, caller: Caller | None, path: str, status: int
) -> None:
    assert (await timeline.get(path, caller=caller)).status_code == status


async def test_what_comes_twice_stands_in_the_story_once(timeline: RunningService) -> None:
    await timeline.world.say([BOOKED])
    await timeline.world.say([HOLD, BOOKED])

    assert [one["type"] for one in (await told(timeline))["items"]] == TYPES
    assert await timeline.rows("select count(*) from dead_letters") == [(0,)]
