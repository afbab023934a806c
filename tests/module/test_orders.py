"""Orders at work: its worker and a real database, the other services played by the test."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from orders_examples import CUP, PLATE
from sagamart.contracts.orders import OrderCancelled, OrderMessage, ShortLine
from sagamart.contracts.shipping import ShipmentHandedOver
from sagamart.contracts.stock import SkuSoldOut, StockBooked, StockRefused
from sagamart.contracts.wallet import MoneyCaptured, MoneyHeld, MoneyRefused
from sagamart.messaging.records import Record
from sagamart.platform.http import Caller
from sagamart.shop.orders.api import ROUTES, OrderSettings, routes
from sagamart.shop.orders.records import Order
from sagamart.shop.orders.service import ORDERS_SERVICE
from sagamart.shop.orders.waiting import Waiters
from shop_fixtures import TOKENS, RunningService, Started

ANNA = Caller("cus_anna", frozenset({"CUSTOMER"}))
BORIS = Caller("cus_boris", frozenset({"CUSTOMER"}))
TWO_CUPS = {"lines": [{"sku": "CUP", "quantity": 2}]}
ONE_PLATE = {"lines": [{"sku": "PLATE", "quantity": 1}]}


@pytest.fixture
async def orders(started: Started) -> RunningService:
    """Orders, knowing two products."""
    service = await started(ORDERS_SERVICE, ROUTES)
    await service.hears(CUP, PLATE)
    return service


async def placed(orders: RunningService, *, caller: Caller = ANNA, key: str = "key-1") -> str:
    """Place an order of two cups; its id."""
    answer = await orders.post("/v1/orders", TWO_CUPS, caller=caller, key=key)
    assert answer.status_code == 202
    return str(answer.json()["id"])


def told(orders: RunningService, order_id: str) -> list[tuple[str, int]]:
    """What the other services heard of an order, each with the order's version."""
    return [
        (type(body).__name__, body.version)
        for body in orders.sent
        if isinstance(body, OrderMessage) and body.order_id == order_id
    ]


async def deadlines(orders: RunningService) -> int:
    ((count,),) = await orders.rows("select count(*) from timers")
    return int(count)


async def test_an_order_goes_from_the_wish_to_its_completion(orders: RunningService) -> None:
    order_id = await placed(orders)
    assert await deadlines(orders) == 1

    await orders.hears(StockBooked(order_id, 1))
    await orders.hears(MoneyHeld(order_id, 1, 90_000, "RUB"))
    await orders.hears(MoneyCaptured(order_id, 1, 90_000, "RUB"))

    assert told(orders, order_id) == [
        ("BookingRequested", 1),
        ("HoldRequested", 2),
        ("CaptureRequested", 3),
        ("OrderPaid", 4),
        ("OrderCompleted", 4),
    ]
    assert await orders.rows("select status, version from orders") == [("completed", 4)]
    assert await deadlines(orders) == 0


async def test_facts_that_come_all_at_once_and_doubled_complete_the_order_once(orders: RunningService) -> None:
    order_id = await placed(orders)
    captured = MoneyCaptured(order_id, 1, 90_000, "RUB")
    held = MoneyHeld(order_id, 1, 90_000, "RUB")

    await orders.hears(captured, held, StockBooked(order_id, 1), held, captured)

    assert await orders.rows("select status, version from orders") == [("completed", 4)]
    assert [name for name, _ in told(orders, order_id)].count("OrderCompleted") == 1
    assert await orders.rows("select * from dead_letters") == []


async def test_short_stock_cancels_and_tells_everybody_what_was_short(orders: RunningService) -> None:
    order_id = await placed(orders)

    await orders.hears(StockRefused(order_id, 1, (ShortLine("CUP", 2, 1),)))

    last = orders.sent[-1]
    assert isinstance(last, OrderCancelled)
    assert (last.reason, last.short) == ("stock_refused", (ShortLine("CUP", 2, 1),))
    assert await deadlines(orders) == 0


async def test_no_money_cancels_the_order_and_frees_the_slot(orders: RunningService) -> None:
    order_id = await placed(orders)

    await orders.hears(StockBooked(order_id, 1))
    await orders.hears(MoneyRefused(order_id, 1, 90_000, "RUB", "insufficient_funds", 10))

    assert told(orders, order_id)[-1] == ("OrderCancelled", 3)
    await placed(orders, key="key-2")


async def test_what_cannot_come_goes_to_the_dead_letters_and_is_not_lost(orders: RunningService) -> None:
    order_id = await placed(orders)

    await orders.hears(ShipmentHandedOver(order_id, "shp_1"))

    ((error,),) = await orders.rows("select error from dead_letters")
    assert "ShipmentHandedOver came while booking_pending, but nothing is shipped before it is paid" in error


async def test_two_clicks_make_one_order(orders: RunningService) -> None:
    first, second = await asyncio.gather(
        orders.post("/v1/orders", TWO_CUPS, caller=ANNA, key="click"),
        orders.post("/v1/orders", TWO_CUPS, caller=ANNA, key="click"),
    )

    assert first.json() == second.json()
    assert first.headers["Location"] == second.headers["Location"]
    assert await orders.rows("select count(*) from orders") == [(1,)]


async def test_of_two_different_orders_at_once_one_takes_the_slot(orders: RunningService) -> None:
    answers = await asyncio.gather(
        orders.post("/v1/orders", TWO_CUPS, caller=ANNA, key="one"),
        orders.post("/v1/orders", ONE_PLATE, caller=ANNA, key="two"),
    )

    assert_one_took_the_slot(answers)
    assert await orders.rows("select count(*) from orders") == [(1,)]


@pytest.fixture
async def replica(orders: RunningService) -> AsyncIterator[RunningService]:
    """Give a second process of the same service, on the same database."""
    second = RunningService(ORDERS_SERVICE, ROUTES, orders.dsn)
    await second.start()
    yield second
    await second.stop()


async def test_the_slot_holds_over_replicas(orders: RunningService, replica: RunningService) -> None:
    answers = await asyncio.gather(
        orders.post("/v1/orders", TWO_CUPS, caller=ANNA, key="one"),
        replica.post("/v1/orders", ONE_PLATE, caller=ANNA, key="two"),
        orders.post("/v1/orders", ONE_PLATE, caller=ANNA, key="three"),
        replica.post("/v1/orders", TWO_CUPS, caller=ANNA, key="four"),
    )

    assert_one_took_the_slot(answers)


def assert_one_took_the_slot(answers: Sequence[httpx.Response]) -> None:
    """One order was placed; all others were refused with a link to it."""
    (won,) = [answer for answer in answers if answer.status_code == 202]
    for lost in answers:
        if lost is not won:
            assert lost.status_code == 409
            assert lost.json()["code"] == "unpaid_order_exists"
            assert lost.json()["orders"] == [won.headers["Location"]]


async def test_who_waits_here_hears_of_an_order_that_another_replica_settles(
    orders: RunningService, replica: RunningService
) -> None:
    committed = first_order_of(orders)
    waiting = asyncio.create_task(wait_for_order(orders))
    order_id = await committed

    await replica.hears(StockRefused(order_id, 1))

    answer = await waiting
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


async def test_who_waits_hears_of_the_commit_without_asking_the_database(started: Started) -> None:
    waiters = Waiters(poll_s=3_600)
    orders = await started(ORDERS_SERVICE, routes(OrderSettings(), waiters))
    orders.worker.on_commit.append(waiters.on_committed)
    await orders.hears(CUP)
    committed = first_order_of(orders)
    waiting = asyncio.create_task(wait_for_order(orders))
    order_id = await committed

    await orders.hears(
        StockBooked(order_id, 1), MoneyHeld(order_id, 1, 90_000, "RUB"), MoneyCaptured(order_id, 1, 90_000, "RUB")
    )

    answer = await waiting
    assert (answer.status_code, answer.json()["status"]) == (201, "completed")


async def wait_for_order(orders: RunningService) -> httpx.Response:
    headers = {"Authorization": f"Bearer {TOKENS.sign(ANNA)}", "Idempotency-Key": "key-1", "Prefer": "wait=30"}
    return await orders.http.post("/v1/orders", json=TWO_CUPS, headers=headers)


def first_order_of(orders: RunningService) -> asyncio.Future[str]:
    """The id of the first order that is committed from now on."""
    first: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def tell(saved: Sequence[Record]) -> None:
        for row in saved:
            if isinstance(row, Order) and not first.done():
                first.set_result(row.order_id)

    orders.worker.on_commit.append(tell)
    return first


async def test_a_cancellation_races_the_money_and_one_of_them_wins(orders: RunningService) -> None:
    order_id = await placed(orders)
    await orders.hears(StockBooked(order_id, 1))

    answer, _ = await asyncio.gather(
        orders.post(f"/v1/orders/{order_id}/cancellation", None, caller=ANNA, key="stop"),
        orders.hears(MoneyHeld(order_id, 1, 90_000, "RUB")),
    )

    names = [name for name, _ in told(orders, order_id)]
    assert ("OrderCancelled" in names) != ("CaptureRequested" in names)
    assert (answer.status_code == 200) is ("OrderCancelled" in names)


async def test_what_the_stock_says_is_sold_out_is_refused_at_once(orders: RunningService) -> None:
    await orders.hears(SkuSoldOut("CUP", 1))

    answer = await orders.post("/v1/orders", TWO_CUPS, caller=BORIS)

    assert (answer.status_code, answer.json()["code"]) == (409, "sold_out")
    assert await orders.rows("select count(*) from orders") == [(0,)]
