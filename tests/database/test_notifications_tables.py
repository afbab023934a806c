"""Notifications' table on a real PostgreSQL: what goes in comes out, what must not be is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sagamart.contracts.orders import Line
from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.notifications.delivering import ATTEMPTS_MAX
from sagamart.shop.notifications.records import Dispatch, Facts, Notification, Preferences, ShortProduct
from sagamart.shop.notifications.service import NOTIFICATIONS
from sagamart.shop.notifications.webhook_records import (
    AUDIENCE_ID,
    Audience,
    Delivery,
    Listener,
    News,
    Subscription,
)
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


HOOK = Subscription(1, "whk_1", "https://erp.example/", ("order.paid",), "ERP", "active", "whsec_c2VjcmV0", "cus_9", AT)
NEWS = News("ord_1", 135_000, "RUB", customer_id="cus_1", version=4, status="paid", lines=(Line("CUP", "Чашка", 3, 9),))
POSTED = Delivery(
    1, "dlv_1", "whk_1", "ord_1/order_paid", "order.paid", NEWS, "delivered", AT, attempts=2, answer=204, ended_at=AT
)


async def test_webhooks_come_out_as_they_went_in(tables: Tables) -> None:
    audience = Audience(1, AUDIENCE_ID, (Listener("whk_1", ("order.paid",)),))

    await tables.save(HOOK, audience, POSTED)

    assert await tables.load(Subscription, "whk_1") == [HOOK]
    assert await tables.load(Audience, AUDIENCE_ID) == [audience]
    assert await tables.load(Delivery, "dlv_1") == [POSTED]


async def test_a_turn_has_one_delivery_to_a_webhook(tables: Tables) -> None:
    await tables.save(POSTED)

    with pytest.raises(ConflictError, match="a_turn_once"):
        await tables.save(replace(POSTED, delivery_id="dlv_2"))


async def test_deliveries_that_ended_are_forgotten_and_others_are_not(tables: Tables) -> None:
    waits = replace(POSTED, delivery_id="dlv_2", event="ord_2/order_paid", status="pending", ended_at=None)
    await tables.save(POSTED, waits)

    await tables.database.prune(AT + timedelta(seconds=1))

    assert await tables.load(Delivery, "dlv_1", "dlv_2") == [waits]


async def test_dispatches_and_preferences_come_out_as_they_went_in(tables: Tables) -> None:
    await tables.save(SENT, ANN)

    assert await tables.load(Dispatch, SENT.dispatch_id) == [SENT]
    assert await tables.load(Preferences, "cus_1") == [ANN]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (replace(SENT, dispatch_id="ord_1/order_cancelled/sms"), "dispatches_check"),
        (replace(SENT, status="pending"), "dispatches_check1"),
        (replace(SENT, channel="pigeon"), "dispatches_channel_check"),
        (replace(HOOK, status="asleep"), "subscriptions_status_check"),
        (replace(HOOK, status="deleted"), "signed_unless_deleted"),
        (replace(HOOK, secret=""), "signed_unless_deleted"),
        (replace(HOOK, events=()), "subscriptions_events_check"),
        (replace(HOOK, former_secret="whsec_b2xk"), "former_secret_ends"),
        (Audience(1, "others", ()), "audiences_audience_id_check"),
        (replace(POSTED, status="lost"), "deliveries_status_check"),
        (replace(POSTED, status="pending"), "ends_once"),
        (replace(POSTED, next_at=AT), "waits_or_ends"),
        (replace(POSTED, attempts=ATTEMPTS_MAX + 1), "deliveries_attempts_check"),
        (replace(ANN, phone=None), "preferences_check"),
        (replace(ANN, erased=True), "preferences_check1"),
        (replace(ANN, phone="+44207946000012345"), "preferences_phone_check"),
    ],
)
async def test_what_cannot_be_is_refused(tables: Tables, row: Record, rule: str) -> None:
    with pytest.raises(RejectedError, match=rule):
        await tables.save(row)
