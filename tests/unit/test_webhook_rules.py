"""Which turns go to which webhooks, once each, and what becomes of a delivery."""

import pytest

from one_service import AT, OneService
from sagamart.contracts.order_requests import ShipmentRequested
from sagamart.contracts.orders import Delivery as Way
from sagamart.contracts.orders import Line, OrderCancelled, OrderCompleted
from sagamart.contracts.shipping import ShipmentHandedOver
from sagamart.contracts.wallet import WalletOpened
from sagamart.messaging.decision import Arm, Reply
from sagamart.messaging.message import Body
from sagamart.shop.notifications.delivering import (
    ATTEMPTS_MAX,
    PAUSE_S_MAX,
    RETRY,
    DeliveryUnderWay,
    UnknownDelivery,
    WebhookNotActive,
    delivery_id,
)
from sagamart.shop.notifications.records import Notification
from sagamart.shop.notifications.service import NotificationRules, notifications_service
from sagamart.shop.notifications.subscribing import (
    FORMER_SECRET_S,
    SUBSCRIPTIONS_MAX,
    TooManyWebhooks,
    UnknownWebhook,
    WebhookChanged,
)
from sagamart.shop.notifications.webhook_messages import (
    ChangeWebhook,
    CreateWebhook,
    DeleteWebhook,
    DeliveryDue,
    DeliveryFailed,
    DeliveryRequested,
    DeliveryTaken,
    ReplaceWebhookSecret,
    ReplayDelivery,
)
from sagamart.shop.notifications.webhook_records import AUDIENCE_ID, Audience, Delivery, EventType, News, Subscription

URL = "https://erp.example/news"
LINES = (Line("CUP", "Blue cup", 3, 45_000),)
COMPLETED = OrderCompleted("ord_1", 6, "completed", "cus_1", 1, LINES, 135_000, "RUB")
CANCELLED = OrderCancelled("ord_2", 4, "cancelled", "cus_1", 1, LINES, 135_000, "RUB", "payment_timeout")
SENT = ShipmentRequested("ord_1", 5, "paid", "cus_1", 1, LINES, 135_000, "RUB", Way("post", 500, needs_shipment=True))
SHIPPED = ShipmentHandedOver("ord_1", "shp_1", "RA1RU", "cus_1")
ONE = delivery_id("ord_1/order_completed", "whk_1")
DOWN = DeliveryFailed(ONE, "whk_1", "http_500", 500)


def webhook(name: str = "whk_1", *events: EventType) -> CreateWebhook:
    return CreateWebhook(name, URL, events or ("order.completed", "order.shipped"), "ERP", "whsec_one", "cus_9")


def shop(*webhooks: CreateWebhook) -> OneService:
    service = OneService(notifications_service(NotificationRules(retry_s=5.0)))
    service.hears(*webhooks)
    return service


def asked(service: OneService) -> list[str]:
    return [one.delivery_id for one in service.sent if isinstance(one, DeliveryRequested)]


def test_without_webhooks_a_turn_costs_its_one_row() -> None:
    service = shop()

    service.hears(COMPLETED, CANCELLED, SHIPPED)

    assert len(service.records(Notification)) == 3
    assert (service.sent, service.records(Delivery), service.records(Audience)) == ([], {}, {})


def test_a_turn_goes_to_each_webhook_that_wants_it_with_the_order_as_it_stands() -> None:
    service = shop(webhook(), webhook("whk_2", "order.cancelled"), webhook("whk_3", "order.completed"))

    service.hears(COMPLETED)

    assert asked(service) == [ONE, delivery_id("ord_1/order_completed", "whk_3")]
    data = News("ord_1", 135_000, "RUB", customer_id="cus_1", version=6, status="completed", lines=LINES)
    assert service.record(Delivery, ONE) == Delivery(
        1, ONE, "whk_1", "ord_1/order_completed", "order.completed", data, "pending", AT
    )


def test_an_order_that_is_complete_at_once_is_told_as_paid_too() -> None:
    service = shop(webhook("whk_1", "order.paid"), webhook("whk_2", "order.completed", "order.paid"))

    service.hears(COMPLETED, COMPLETED)

    told = [(one.type, one.subscription_id, one.event) for one in service.records(Delivery).values()]
    assert told == [
        ("order.paid", "whk_1", "ord_1/order_paid"),
        ("order.paid", "whk_2", "ord_1/order_paid"),
        ("order.completed", "whk_2", "ord_1/order_completed"),
    ]
    assert list(service.records(Notification)) == ["ord_1/order_completed"]


@pytest.mark.parametrize("heard", [(SENT, COMPLETED), (COMPLETED, SENT)])
def test_an_order_that_is_shipped_is_told_as_paid_once_whichever_comes_first(heard: tuple[Body, ...]) -> None:
    service = shop(webhook("whk_1", "order.paid"))

    service.hears(*heard)

    assert asked(service) == [delivery_id("ord_1/order_paid", "whk_1")]


def test_who_was_not_told_of_a_payment_when_it_came_is_not_told_weeks_later() -> None:
    service = shop()

    service.hears(SENT, webhook("whk_1", "order.paid", "order.completed"), COMPLETED)

    assert asked(service) == [ONE]


def test_a_turn_is_delivered_once_however_often_its_fact_comes() -> None:
    service = shop(webhook())

    service.hears(COMPLETED, COMPLETED, SHIPPED, COMPLETED, SHIPPED)

    assert asked(service) == [ONE, delivery_id("ord_1/order_shipped", "whk_1")]


def test_who_subscribes_later_is_not_told_of_what_was_before() -> None:
    service = shop()

    service.hears(COMPLETED, webhook(), COMPLETED)

    assert asked(service) == []


def test_what_is_nobodys_order_is_for_no_webhook() -> None:
    service = shop(webhook())

    service.hears(WalletOpened("cus_1", "RUB", 1))

    assert asked(service) == []


def test_news_of_a_parcel_has_no_version_and_stays_true() -> None:
    service = shop(webhook())

    service.hears(SHIPPED)

    (delivery,) = service.records(Delivery).values()
    assert delivery.data == News("ord_1", tracking="RA1RU", customer_id="cus_1")


def test_what_was_taken_is_delivered_and_what_comes_later_changes_nothing() -> None:
    service = shop(webhook())

    service.hears(COMPLETED, DeliveryTaken(ONE, 204), DOWN, DeliveryDue(ONE))

    found = service.record(Delivery, ONE)
    assert (found.status, found.attempts, found.answer, found.ended_at) == ("delivered", 1, 204, AT)
    assert asked(service) == [ONE]


def test_what_failed_is_tried_again_after_growing_pauses_and_not_for_ever() -> None:
    service = shop(webhook())
    service.hears(COMPLETED)

    decisions = [service.hears(DOWN) for _ in range(ATTEMPTS_MAX)]

    pauses = [timer.after_s for one in decisions for timer in one.timers if isinstance(timer, Arm)]
    assert pauses[:4] == [5.0, 15.0, 45.0, 135.0]
    assert pauses[-3:] == [PAUSE_S_MAX] * 3
    assert decisions[0].timers == [Arm(RETRY, 5.0, DeliveryDue(ONE))]
    found = service.record(Delivery, ONE)
    assert (found.status, found.attempts, found.reason, found.answer) == ("failed", ATTEMPTS_MAX, "http_500", 500)
    assert len(pauses) == ATTEMPTS_MAX - 1


def test_a_delivery_that_is_due_is_posted_again() -> None:
    service = shop(webhook())

    service.hears(COMPLETED, DOWN, DeliveryDue(ONE))

    assert asked(service) == [ONE, ONE]


def test_a_receiver_that_says_it_is_gone_is_told_nothing_more() -> None:
    service = shop(webhook(), webhook("whk_2", "order.cancelled"))

    service.hears(COMPLETED, DeliveryFailed(ONE, "whk_1", "http_410", 410, final=True, gone=True), SHIPPED)

    assert service.record(Delivery, ONE).status == "failed"
    assert service.record(Subscription, "whk_1").status == "gone"
    assert [one.subscription_id for one in service.record(Audience, AUDIENCE_ID).listeners] == ["whk_2"]
    assert asked(service) == [ONE]


def test_a_delivery_that_ended_is_replayed_with_all_its_attempts() -> None:
    service = shop(webhook())
    service.hears(COMPLETED, DeliveryFailed(ONE, "whk_1", "receiver_forbidden", final=True))

    assert service.hears(ReplayDelivery(ONE, "whk_1")).reply == Reply(202)

    found = service.record(Delivery, ONE)
    assert (found.status, found.attempts, found.replays, found.reason, found.ended_at) == ("pending", 0, 1, None, None)
    assert asked(service) == [ONE, ONE]


def test_what_cannot_be_replayed_is_refused_by_name() -> None:
    service = shop(webhook(), webhook("whk_2"))
    service.hears(COMPLETED)

    assert service.hears(ReplayDelivery(ONE, "whk_1")).reply == DeliveryUnderWay()
    assert service.hears(ReplayDelivery(ONE, "whk_2")).reply == UnknownDelivery()
    assert service.hears(ReplayDelivery("dlv_none", "whk_1")).reply == UnknownDelivery()
    service.hears(DeliveryTaken(ONE, 200), DeleteWebhook("whk_1"))
    assert service.hears(ReplayDelivery(ONE, "whk_1")).reply == WebhookNotActive()


def test_a_paused_webhook_is_told_nothing_until_it_is_resumed() -> None:
    service = shop(webhook())

    service.hears(ChangeWebhook("whk_1", 1, active=False), COMPLETED, ChangeWebhook("whk_1", 2, active=True), SHIPPED)

    assert asked(service) == [delivery_id("ord_1/order_shipped", "whk_1")]


def test_a_change_takes_what_is_named_and_leaves_the_rest() -> None:
    service = shop(webhook())

    service.hears(ChangeWebhook("whk_1", 1, events=("order.cancelled",)), COMPLETED, CANCELLED)

    found = service.record(Subscription, "whk_1")
    assert (found.version, found.url, found.events, found.note) == (2, URL, ("order.cancelled",), "ERP")
    assert asked(service) == [delivery_id("ord_2/order_cancelled", "whk_1")]


def test_while_a_secret_is_replaced_both_are_live() -> None:
    service = shop(webhook())

    service.hears(ReplaceWebhookSecret("whk_1", "whsec_two"))

    found = service.record(Subscription, "whk_1")
    assert (found.secret, found.former_secret) == ("whsec_two", "whsec_one")
    assert found.former_until is not None
    assert (found.former_until - AT).total_seconds() == FORMER_SECRET_S


def test_a_deleted_webhook_leaves_no_secret() -> None:
    service = shop(webhook())
    service.hears(ReplaceWebhookSecret("whk_1", "whsec_two"))

    assert service.hears(DeleteWebhook("whk_1")).reply == Reply(204)

    found = service.record(Subscription, "whk_1")
    assert (found.status, found.secret, found.former_secret) == ("deleted", "", None)
    for wish in (DeleteWebhook("whk_1"), ReplaceWebhookSecret("whk_1", "x"), ChangeWebhook("whk_1", 3, active=True)):
        assert service.hears(wish).reply == UnknownWebhook()


def test_whoever_has_seen_an_older_version_changes_nothing() -> None:
    service = shop(webhook())

    assert service.hears(ChangeWebhook("whk_1", 7, active=False)).reply == WebhookChanged(1)
    assert service.record(Subscription, "whk_1").status == "active"


def test_there_are_only_so_many_active_webhooks() -> None:
    service = shop(*[webhook(f"whk_{number}") for number in range(SUBSCRIPTIONS_MAX)])

    assert service.hears(webhook("whk_more")).reply == TooManyWebhooks()
    service.hears(ChangeWebhook("whk_7", 1, active=False), webhook("whk_more"))
    assert service.hears(ChangeWebhook("whk_7", 2, active=True)).reply == TooManyWebhooks()


@pytest.mark.parametrize("one", [webhook(), ReplaceWebhookSecret("whk_1", "whsec_one")])
def test_nothing_that_holds_a_secret_shows_it_when_it_is_written_down(one: object) -> None:
    subscription = shop(webhook()).record(Subscription, "whk_1")

    assert "whsec_" not in repr(one) + repr(subscription)
