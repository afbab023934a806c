"""Notifications' table on a real PostgreSQL: what goes in comes out, what must not be is refused."""

from datetime import UTC, datetime

import pytest

from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.shop.notifications.records import Facts, Notification, ShortProduct
from sagamart.shop.notifications.service import NOTIFICATIONS
from shop_fixtures import Tables, TablesOf

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
FACTS = Facts("ord_1", 135_000, "RUB", "stock_refused", (ShortProduct("CUP", "Синяя «чашка»", 3, 1),), 100)
TOLD = Notification(1, "ord_1/order_cancelled", "cus_1", "order_cancelled", FACTS, AT)


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(NOTIFICATIONS)


async def test_a_notification_comes_out_as_it_went_in(tables: Tables) -> None:
    await tables.save(TOLD)

    assert await tables.load(Notification, "ord_1/order_cancelled") == [TOLD]


async def test_a_kind_without_words_is_refused(tables: Tables) -> None:
    with pytest.raises(RejectedError, match="notifications_kind_check"):
        await tables.save(Notification(1, "x", "cus_1", "rumour", Facts(), AT))  # type: ignore[arg-type]  # what the table must refuse


async def test_a_turn_is_told_once_for_ever(tables: Tables) -> None:
    await tables.save(TOLD)

    with pytest.raises(ConflictError, match="notifications_pkey"):
        await tables.save(TOLD)


async def test_a_rollback_leaves_nothing(tables: Tables) -> None:
    with pytest.raises(KeyboardInterrupt):
        await tables.save(TOLD, then=KeyboardInterrupt())

    assert await tables.load(Notification, "ord_1/order_cancelled") == []
