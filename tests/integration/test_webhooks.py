"""Webhooks to a real receiver: signed, once, tried again while it is down, slow or broken, and never led astray."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from contact_book import ContactBook
from sagamart.contracts.orders import Line, OrderCancelled, OrderCompleted
from sagamart.platform.http import Caller
from sagamart.shop.notifications.emailing import email
from sagamart.shop.notifications.posting import FAILURES_MAX, webhooks
from sagamart.shop.notifications.service import NotificationRules, notifications_service
from sagamart.shop.notifications.settings import EmailSection, SmsSection, WebhookSection
from sagamart.shop.notifications.texting import sms
from sagamart.shop.notifications.webhook_messages import CreateWebhook
from sagamart.shop.notifications.webhooks_api import routes
from shop_fixtures import RunningService, Started
from webhook_receiver import Receiver, open_receiver

PATIENCE_S = 60
ADMIN = Caller("cus_admin", frozenset({"ADMIN"}))
INSIDE = WebhookSection(private=True)
LINES = (Line("CUP", "Чашка", 3, 45_000),)

Posting = Callable[..., Awaitable[RunningService]]
Subscribed = Callable[..., Awaitable[tuple[str, str]]]


def completed(number: int = 1) -> OrderCompleted:
    return OrderCompleted(f"ord_{number}", 6, "completed", "cus_1", 1, LINES, 135_000, "RUB")


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
def posting(started: Started) -> Posting:
    """Notifications that post to webhooks; what failed is tried again soon."""

    async def start(section: WebhookSection = INSIDE, retry_s: float = 0.01) -> RunningService:
        service = await started(notifications_service(NotificationRules(retry_s=retry_s)), routes(section))
        book = ContactBook()
        letters = email(EmailSection(), book), sms(SmsSection(), service.queries, book)
        service.reaches(*letters, webhooks(section, service.queries))
        return service

    return start


async def subscribed(service: RunningService, url: str, *events: str) -> tuple[str, str]:
    """A webhook's id and secret."""
    wish = {"url": url, "events": events or ["order.completed"]}
    made = await service.post("/v1/webhooks", wish, caller=ADMIN, key=url)
    assert made.status_code == 201
    return made.json()["id"], made.json()["secret"]


async def delivered(
    service: RunningService, webhook_id: str, holds: Callable[[Any], bool] = lambda one: one["status"] != "pending"
) -> dict[str, Any]:
    """The newest delivery, once this holds of it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            page = (await service.get(f"/v1/webhooks/{webhook_id}/deliveries", caller=ADMIN)).json()
            if page["items"] and holds(page["items"][0]):
                return dict(page["items"][0])
            await asyncio.sleep(0.05)


async def test_a_turn_is_posted_once_signed_and_with_the_order_as_it_stands(
    posting: Posting, receiver: Receiver
) -> None:
    service = await posting()
    webhook_id, secret = await subscribed(service, receiver.url)

    await service.hears(completed(), completed())
    await service.hears(completed())

    delivery = await delivered(service, webhook_id)
    (post,) = receiver.posts
    assert (delivery["status"], delivery["attempts"], delivery["answer"]) == ("delivered", 1, 204)
    assert post.id == delivery["id"]
    assert post.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert post.is_signed_with(secret, datetime.now(UTC))
    assert not post.is_signed_with("whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA==", datetime.now(UTC))
    assert (post.event["type"], post.event["data"]) == (
        "order.completed",
        {
            "order_id": "ord_1",
            "amount_minor": 135_000,
            "currency": "RUB",
            "customer_id": "cus_1",
            "version": 6,
            "status": "completed",
            "lines": [{"sku": "CUP", "title": "Чашка", "quantity": 3, "price_minor": 45_000}],
        },
    )


async def test_a_receiver_that_fails_gets_the_same_again_under_the_same_id(
    posting: Posting, receiver: Receiver
) -> None:
    service = await posting()
    webhook_id, _ = await subscribed(service, receiver.url)
    receiver.answers = [500, 503]

    await service.hears(completed())

    delivery = await delivered(service, webhook_id)
    assert (delivery["status"], delivery["attempts"], delivery["reason"]) == ("delivered", 3, None)
    assert len({(post.id, post.body) for post in receiver.posts}) == 1
    assert len(receiver.posts) == 3


async def test_what_a_receiver_missed_while_it_was_down_comes_when_it_is_back(
    posting: Posting, receiver: Receiver
) -> None:
    service = await posting()
    webhook_id, _ = await subscribed(service, receiver.url)
    receiver.close()

    await service.hears(completed())
    missed = await delivered(service, webhook_id, lambda one: one["attempts"] > 0)
    await receiver.open()

    assert (missed["status"], missed["reason"]) == ("pending", "unreachable")
    assert (await delivered(service, webhook_id))["status"] == "delivered"


async def test_a_receiver_that_never_answers_holds_up_nobody_else(posting: Posting, receiver: Receiver) -> None:
    async with open_receiver() as silent:
        silent.always = "silence"
        service = await posting(retry_s=3_600)
        stuck, _ = await subscribed(service, silent.url)
        webhook_id, _ = await subscribed(service, receiver.url)

        await service.hears(completed())

        await silent.until(lambda: len(silent.posts) == 1)
        assert (await delivered(service, webhook_id))["status"] == "delivered"
        late = await delivered(service, stuck, lambda one: one["attempts"] > 0)
        assert (late["status"], late["reason"], late["answer"]) == ("pending", "no_answer", None)


async def test_a_receiver_that_fails_in_a_row_is_spared(posting: Posting, receiver: Receiver) -> None:
    service = await posting(retry_s=3_600)
    webhook_id, _ = await subscribed(service, receiver.url)
    receiver.always = 500
    for number in range(FAILURES_MAX):
        await service.hears(completed(number))
        tried = f"ord_{number}/order_completed"
        await delivered(service, webhook_id, lambda one, tried=tried: one["event"] == tried and one["attempts"] > 0)  # type: ignore[misc]  # the loop's own

    await service.hears(completed(FAILURES_MAX))

    last = f"ord_{FAILURES_MAX}/order_completed"
    spared = await delivered(service, webhook_id, lambda one: one["event"] == last and one["attempts"] > 0)
    assert (spared["status"], spared["reason"]) == ("pending", "receiver_spared")
    assert len(receiver.posts) == FAILURES_MAX


async def test_a_receiver_that_is_gone_for_good_is_told_nothing_more(posting: Posting, receiver: Receiver) -> None:
    service = await posting()
    webhook_id, _ = await subscribed(service, receiver.url)
    receiver.answers = [410]

    await service.hears(completed(1))
    ended = await delivered(service, webhook_id)
    await service.hears(completed(2))

    assert (ended["status"], ended["reason"], ended["attempts"]) == ("failed", "http_410", 1)
    assert (await service.get(f"/v1/webhooks/{webhook_id}", caller=ADMIN)).json()["status"] == "gone"
    assert await service.rows("select count(*) from deliveries") == [(1,)]


async def test_nobody_is_led_elsewhere_by_a_redirect(posting: Posting, receiver: Receiver) -> None:
    async with open_receiver() as elsewhere:
        service = await posting(retry_s=3_600)
        webhook_id, _ = await subscribed(service, receiver.url)
        receiver.always, receiver.elsewhere = 302, elsewhere.url

        await service.hears(completed())

        tried = await delivered(service, webhook_id, lambda one: one["attempts"] > 0)
        assert (tried["status"], tried["reason"]) == ("pending", "http_302")
        assert elsewhere.posts == []


async def test_a_name_that_leads_into_the_shops_own_network_is_not_called(posting: Posting, receiver: Receiver) -> None:
    service = await posting(WebhookSection())
    trap = CreateWebhook(
        f"whk_{'0' * 32}", f"https://localhost:{receiver.port}/", ("order.completed",), "", "whsec_c2VjcmV0", "cus_9"
    )
    await service.hears(trap, completed())

    ended = await delivered(service, trap.subscription_id)

    assert (ended["status"], ended["reason"]) == ("failed", "receiver_forbidden")
    assert receiver.posts == []


async def test_while_a_secret_is_replaced_either_fits(posting: Posting, receiver: Receiver) -> None:
    service = await posting()
    webhook_id, first = await subscribed(service, receiver.url)
    second = (await service.post(f"/v1/webhooks/{webhook_id}/secret", None, caller=ADMIN)).json()["secret"]

    await service.hears(completed())
    await delivered(service, webhook_id)

    (post,) = receiver.posts
    assert post.is_signed_with(first, datetime.now(UTC))
    assert post.is_signed_with(second, datetime.now(UTC))


async def test_a_delivery_is_made_again_when_somebody_asks(posting: Posting, receiver: Receiver) -> None:
    service = await posting()
    webhook_id, _ = await subscribed(service, receiver.url)
    await service.hears(completed())
    delivery = await delivered(service, webhook_id)

    again = await service.post(f"/v1/webhooks/{webhook_id}/deliveries/{delivery['id']}/replay", None, caller=ADMIN)

    assert again.status_code == 202
    await receiver.until(lambda: len(receiver.posts) == 2)
    replayed = await delivered(service, webhook_id)
    assert (replayed["status"], replayed["replays"]) == ("delivered", 1)
    assert len({(post.id, post.body) for post in receiver.posts}) == 1


async def test_a_webhook_that_was_paused_or_deleted_is_posted_nothing_more(
    posting: Posting, receiver: Receiver
) -> None:
    service = await posting()
    webhook_id, _ = await subscribed(service, receiver.url)
    receiver.always = 500
    await service.hears(completed())
    await delivered(service, webhook_id, lambda one: one["attempts"] > 0)

    change = {"active": False}
    paused = await service.send("PATCH", f"/v1/webhooks/{webhook_id}", change, caller=ADMIN, **{"If-Match": '"1"'})
    ended = await delivered(service, webhook_id)
    seen = len(receiver.posts)
    await service.hears(OrderCancelled("ord_2", 4, "cancelled", "cus_1", 1, (), 1, "RUB", "payment_timeout"))

    assert paused.json()["status"] == "paused"
    assert (ended["status"], ended["reason"]) == ("failed", "webhook_paused")
    assert len(receiver.posts) == seen
    assert await service.rows("select count(*) from deliveries") == [(1,)]
