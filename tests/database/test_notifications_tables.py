"""Notifications' table on a real PostgreSQL: what must not be is refused."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.notifications.delivering import ATTEMPTS_MAX
from sagamart.shop.notifications.records import Facts, Notification
from sagamart.shop.notifications.service import NOTIFICATIONS
from sagamart.shop.notifications.webhook_records import (
    Audience,
    Delivery,
)
from shop_fixtures import Tables, TablesOf
from table_rows import ANNS_CHANNELS, AT, HOOK, POSTED, SENT


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(NOTIFICATIONS)


async def test_a_kind_without_words_is_refused(tables: Tables) -> None:
    with pytest.raises(RejectedError, match="notifications_kind_check"):
        await tables.save(Notification(1, "x", "cus_1", "rumour", Facts(), AT))  # type: ignore[arg-type]  # what the table must refuse


async def test_a_turn_has_one_delivery_to_a_webhook(tables: Tables) -> None:
    await tables.save(POSTED)

    with pytest.raises(ConflictError, match="a_turn_once"):
        await tables.save(replace(POSTED, delivery_id="dlv_2"))


async def test_deliveries_that_ended_are_forgotten_and_others_are_not(tables: Tables) -> None:
    waits = replace(POSTED, delivery_id="dlv_2", event="ord_2/order_paid", status="pending", ended_at=None)
    await tables.save(POSTED, waits)

    await tables.database.prune(AT + timedelta(seconds=1))

    assert await tables.load(Delivery, "dlv_1", "dlv_2") == [waits]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (replace(SENT, dispatch_id="ord_1/order_cancelled/sms"), "dispatches_check"),
        (replace(SENT, status="pending"), "dispatches_check1"),
        (replace(SENT, channel="pigeon"), "dispatches_channel_check"),
        (replace(SENT, status="lost"), "dispatches_status_check"),
        (replace(SENT, unknown_outcomes=-1), "dispatches_unknown_outcomes_check"),
        (replace(HOOK, status="asleep"), "subscriptions_status_check"),
        (replace(HOOK, status="deleted"), "signed_unless_deleted"),
        (replace(HOOK, secret=""), "signed_unless_deleted"),
        (replace(HOOK, events=()), "subscriptions_events_check"),
        (replace(HOOK, url="https://erp.example/" + "x" * 2_000), "subscriptions_url_check"),
        (replace(HOOK, note="x" * 201), "subscriptions_note_check"),
        (replace(HOOK, former_secret="whsec_b2xk"), "former_secret_ends"),
        (Audience(1, "others", ()), "audiences_audience_id_check"),
        (replace(POSTED, status="lost"), "deliveries_status_check"),
        (replace(POSTED, status="pending"), "ends_once"),
        (replace(POSTED, next_at=AT), "waits_or_ends"),
        (replace(POSTED, attempts=ATTEMPTS_MAX + 1), "deliveries_attempts_check"),
        (replace(POSTED, replays=-1), "deliveries_replays_check"),
        (replace(ANNS_CHANNELS, phone=None), "preferences_check"),
        (replace(ANNS_CHANNELS, erased=True), "preferences_check1"),
        (replace(ANNS_CHANNELS, phone="+44207946000012345"), "preferences_phone_check"),
    ],
)
async def test_what_cannot_be_is_refused(tables: Tables, row: Record, rule: str) -> None:
    with pytest.raises(RejectedError, match=rule):
        await tables.save(row)
