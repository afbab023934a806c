"""Notifications' table on a real PostgreSQL: what goes in comes out, what must not be is refused."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.notifications.records import Dispatch, Facts, Notification, Preferences, ShortProduct
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


SENT = Dispatch(1, "ord_1/order_cancelled/email", "ord_1/order_cancelled", "cus_1", "email", "sent", AT, 2, None, AT)
ANN = Preferences(1, "cus_1", email=False, sms=True, phone="+442079460000")


async def test_dispatches_and_preferences_come_out_as_they_went_in(tables: Tables) -> None:
    await tables.save(SENT, ANN)

    assert await tables.load(Dispatch, SENT.dispatch_id) == [SENT]
    assert await tables.load(Preferences, "cus_1") == [ANN]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (replace(SENT, dispatch_id="ord_2/order_cancelled/email"), "dispatches_check"),
        (replace(SENT, status="pending"), "dispatches_check1"),
        (replace(SENT, channel="pigeon"), "dispatches_channel_check"),
        (replace(ANN, phone=None), "preferences_check"),
        (replace(ANN, erased=True), "preferences_check1"),
        (replace(ANN, phone="+44207946000012345"), "preferences_phone_check"),
    ],
)
async def test_what_cannot_be_is_refused(tables: Tables, row: Record, rule: str) -> None:
    with pytest.raises(RejectedError, match=rule):
        await tables.save(row)
