"""The route of notifications: one's own, newest first, in one's language."""

import pytest

from sagamart.contracts.orders import Line, OrderCancelled, OrderCompleted, ShortLine
from sagamart.contracts.wallet import WalletOpened
from sagamart.platform.http import Caller
from sagamart.shop.notifications.api import ROUTES
from sagamart.shop.notifications.service import NOTIFICATIONS
from shop_fixtures import RunningService, Started

ANNA = Caller("cus_1", frozenset({"CUSTOMER"}))
BORIS = Caller("cus_2", frozenset({"CUSTOMER"}))
LINES = (Line("CUP", "Blue cup", 3, 45_000),)
SHORT = (ShortLine("CUP", 3, 1),)


@pytest.fixture
async def notifications(started: Started) -> RunningService:
    """Anna was told that her wallet is open, then of a good order, then of a bad one; Boris of his wallet."""
    service = await started(NOTIFICATIONS, ROUTES)
    await service.hears(WalletOpened("cus_1", "RUB", 1))
    await service.hears(OrderCompleted("ord_1", 6, "completed", "cus_1", 1, LINES, 135_000, "RUB"))
    await service.hears(
        OrderCancelled("ord_2", 4, "cancelled", "cus_1", 1, LINES, 135_000, "RUB", "stock_refused", SHORT)
    )
    await service.hears(WalletOpened("cus_2", "RUB", 1))
    return service


async def test_everybody_reads_their_own_newest_first(notifications: RunningService) -> None:
    annas = (await notifications.get("/v1/notifications", caller=ANNA)).json()
    boris = (await notifications.get("/v1/notifications", caller=BORIS)).json()

    assert [(one["kind"], one["good"]) for one in annas["items"]] == [
        ("order_cancelled", False),
        ("order_completed", True),
        ("wallet_opened", True),
    ]
    assert [one["notification_id"] for one in boris["items"]] == ["cus_2/wallet_opened"]


async def test_facts_are_for_programs(notifications: RunningService) -> None:
    page = (await notifications.get("/v1/notifications?limit=1", caller=ANNA)).json()

    assert page["items"][0]["facts"] == {
        "order_id": "ord_2",
        "amount_minor": 135_000,
        "currency": "RUB",
        "reason": "stock_refused",
        "short": [{"sku": "CUP", "title": "Blue cup", "wanted": 3, "available": 1}],
    }


@pytest.mark.parametrize(
    ("accepted", "language", "title"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.5", "ru", "Ваш заказ отменён"),
        ("en-GB", "en", "Your order was cancelled"),
        ("de", "en", "Your order was cancelled"),
    ],
)
async def test_words_are_in_the_readers_language(
    notifications: RunningService, accepted: str, language: str, title: str
) -> None:
    response = await notifications.get("/v1/notifications", caller=ANNA, **{"Accept-Language": accepted})

    assert response.headers["content-language"] == language
    assert response.headers["vary"] == "Accept-Language"
    assert response.json()["items"][0]["title"] == title


async def test_pages_follow_one_another_without_gap_or_repetition(notifications: RunningService) -> None:
    first = (await notifications.get("/v1/notifications?limit=2", caller=ANNA)).json()
    second = (await notifications.get(f"/v1/notifications?limit=2&cursor={first['next_cursor']}", caller=ANNA)).json()

    assert [one["kind"] for one in first["items"]] == ["order_cancelled", "order_completed"]
    assert [one["kind"] for one in second["items"]] == ["wallet_opened"]
    assert second["next_cursor"] is None


async def test_a_cursor_shows_nobody_what_is_anothers(notifications: RunningService) -> None:
    boris = (await notifications.get("/v1/notifications", caller=BORIS)).json()
    annas = (await notifications.get("/v1/notifications?limit=1", caller=ANNA)).json()

    response = await notifications.get(f"/v1/notifications?cursor={annas['next_cursor']}", caller=BORIS)

    assert [one["notification_id"] for one in boris["items"]] == ["cus_2/wallet_opened"]
    assert response.json()["items"] == []  # his own is newer than the place that the cursor names


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=x"])
async def test_a_malformed_page_is_refused(notifications: RunningService, query: str) -> None:
    response = await notifications.get(f"/v1/notifications?{query}", caller=ANNA)

    assert (response.status_code, response.json()["code"]) == (400, "malformed")


async def test_a_stranger_reads_nothing(notifications: RunningService) -> None:
    response = await notifications.get("/v1/notifications")

    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
