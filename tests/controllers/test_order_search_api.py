"""Finding orders over HTTP: by number, product, status and date; narrowed, sorted, page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orders_at_work import BORIS, ONE_PLATE, OPERATOR, TWO_CUPS, OrdersAtWork
from sagamart.contracts.order_numbers import number_of
from sagamart.platform.http import cursor_of

WRAP = {"title": "100% silk_wrap", "price_minor": 10_000}
TODAY = datetime.now(UTC).date()


class Shelf:
    """Three orders of one customer, oldest first, and one of another."""

    def __init__(self, shop: OrdersAtWork) -> None:
        self.shop = shop

    async def fill(self) -> "Shelf":
        self.cups = await self.shop.placed(TWO_CUPS, key="cups")
        self.plate = await self.shop.awaiting(ONE_PLATE, key="plate")
        self.wrap = await self.shop.placed(WRAP, key="wrap")
        self.boris = await self.shop.placed(ONE_PLATE, caller=BORIS, key="boris")
        await self.shop.call("POST", f"/v1/orders/{self.wrap}/cancellation")
        return self

    async def finds(self, query: str, **as_caller: Any) -> list[str]:
        """The names of the orders found, in order."""
        answer = await self.shop.get(f"/v1/orders?{query}", **as_caller)
        assert answer.status_code == 200, answer.text
        names = {self.cups: "cups", self.plate: "plate", self.wrap: "wrap", self.boris: "boris"}
        return [names[order["id"]] for order in answer.json()["items"]]


@pytest.fixture
async def shelf(shop: OrdersAtWork) -> Shelf:
    return await Shelf(shop).fill()


async def test_orders_are_found_by_number_product_status_and_date(shelf: Shelf) -> None:
    number = number_of(shelf.plate)
    typed = number.lower().replace("0", "o").replace("-", "%20")

    for query, found in (
        (f"q={number}", ["plate"]),
        (f"q={typed}", ["plate"]),
        (f"q={shelf.plate}", ["plate"]),
        ("q=blue", ["cups"]),
        ("q=plat", ["plate"]),
        ("q=100%25%20silk_", ["wrap"]),
        ("q=%25", ["wrap"]),
        ("q=booked", ["plate"]),
        ("q=awaiting%20payment", ["plate"]),
        ("q=Отменён", ["wrap"]),
        ("q=создан", ["plate", "cups"]),
        (f"q={TODAY}", ["wrap", "plate", "cups"]),
        ("q=2026-01-01", []),
        ("q=2026-99-99", []),
        ("q=%20", ["wrap", "plate", "cups"]),
        ("q=teapot", []),
    ):
        assert await shelf.finds(query) == found, query


async def test_a_search_shows_nobody_elses_order(shelf: Shelf) -> None:
    number = number_of(shelf.boris)

    assert await shelf.finds(f"q={number}") == []
    assert await shelf.finds(f"q={number}", caller=OPERATOR) == ["boris"]
    assert await shelf.finds("q=plate", caller=OPERATOR) == ["boris", "plate"]
    assert await shelf.finds("q=plate&customer=cus_boris", caller=OPERATOR) == ["boris"]


async def test_a_list_is_narrowed_by_stage_state_status_and_days(shelf: Shelf) -> None:
    tomorrow = TODAY + timedelta(days=1)

    for query, found in (
        ("stage=awaiting_payment", ["plate"]),
        ("state=created", ["plate", "cups"]),
        ("state=created&stage=accepted", ["cups"]),
        ("state=cancelled", ["wrap"]),
        ("status=booked&state=fulfilled", []),
        (f"placed_from={TODAY}&placed_to={TODAY}", ["wrap", "plate", "cups"]),
        (f"placed_from={tomorrow}", []),
        (f"placed_to={TODAY - timedelta(days=1)}", []),
        (f"q=plat&placed_from={TODAY}&state=created", ["plate"]),
    ):
        assert await shelf.finds(query) == found, query


async def test_a_list_is_sorted_as_asked_and_goes_on_where_a_page_ended(shelf: Shelf) -> None:
    for sort, found in (
        ("-placed", ["wrap", "plate", "cups"]),
        ("placed", ["cups", "plate", "wrap"]),
        ("total", ["wrap", "plate", "cups"]),
        ("-total", ["cups", "plate", "wrap"]),
    ):
        pages = []
        cursor = ""
        for _ in range(3):
            page = (await shelf.shop.get(f"/v1/orders?limit=1&sort={sort}{cursor}")).json()
            pages += [order["id"] for order in page["items"]]
            cursor = f"&cursor={page['next_cursor']}"
        assert await shelf.finds(f"sort={sort}") == found
        assert pages == [getattr(shelf, name) for name in found]
        assert page["next_cursor"] is None
    assert await shelf.finds("sort=-total&q=created") == ["cups", "plate"]
    assert await shelf.finds("sort=total", caller=OPERATOR) == ["wrap", "plate", "boris", "cups"]


async def test_what_cannot_be_searched_for_is_malformed(shop: OrdersAtWork) -> None:
    of_totals, of_dates = cursor_of(("total", 1, "ord_1")), cursor_of("ord_1")

    for query in (
        "sort=price",
        "state=lost",
        "placed_from=today",
        "cursor=%21",
        f"q={'a' * 201}",
        f"cursor={of_totals}",
        f"sort=placed&cursor={of_totals}",
        f"sort=total&cursor={of_dates}",
        f"cursor={cursor_of(chr(0))}",
        "q=%00",
    ):
        answer = await shop.get(f"/v1/orders?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), query
