"""Notifications alone: its worker over its own real database, the other services played by the test."""

import pytest

from sagamart.contracts.orders import OrderCancelled, OrderCompleted
from sagamart.contracts.wallet import WalletOpened
from sagamart.shop.notifications.service import NOTIFICATIONS
from shop_fixtures import RunningService, Started

COMPLETED = OrderCompleted("ord_1", 6, "completed", "cus_1", 1, (), 135_000, "RUB")
CANCELLED = OrderCancelled("ord_2", 4, "cancelled", "cus_1", 1, (), 135_000, "RUB", "payment_timeout")
OPENED = WalletOpened("cus_1", "RUB", 1)


@pytest.fixture
async def notifications(started: Started) -> RunningService:
    return await started(NOTIFICATIONS)


async def test_each_turn_is_told_once_however_often_its_fact_arrives(notifications: RunningService) -> None:
    await notifications.hears(OPENED, COMPLETED, COMPLETED, CANCELLED)
    await notifications.hears(CANCELLED, OPENED)

    assert await notifications.rows("select notification_id, version from notifications order by notification_id") == [
        ("cus_1/wallet_opened", 1),
        ("ord_1/order_completed", 1),
        ("ord_2/order_cancelled", 1),
    ]


async def test_it_tells_other_services_nothing(notifications: RunningService) -> None:
    await notifications.hears(OPENED, COMPLETED, CANCELLED)

    assert await notifications.rows("select count(*) from outbox") == [(0,)]
    assert await notifications.rows("select count(*) from dead_letters") == [(0,)]
