"""SMS to a real gateway over HTTP: signed, under one id however often it is tried, and only to whom wants them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio

from contact_book import ContactBook
from sagamart.contracts.orders import OrderCompleted
from sagamart.platform.http import Caller
from sagamart.shop.notifications.api import ROUTES
from sagamart.shop.notifications.emailing import email
from sagamart.shop.notifications.posting import webhooks
from sagamart.shop.notifications.service import NotificationRules, notifications_service
from sagamart.shop.notifications.settings import EmailSection, SmsSection, WebhookSection
from sagamart.shop.notifications.texting import sms
from shop_fixtures import RunningService, Started
from webhook_receiver import Receiver, open_receiver

PATIENCE_S = 60
SECRET = "whsec_c2VjcmV0IG9mIHRoZSBnYXRld2F5"
ANN = Caller("cus_ann", frozenset({"CUSTOMER"}))
COMPLETED = OrderCompleted("ord_1", 6, "completed", "cus_ann", 1, (), 135_000, "RUB")


@pytest_asyncio.fixture
async def gateway() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


async def texting(started: Started, gateway: Receiver) -> RunningService:
    """Notifications with this gateway; Ann wants SMS and no e-mail."""
    service = await started(notifications_service(NotificationRules(("sms",))), ROUTES)
    book = ContactBook()
    channel = sms(SmsSection(url=gateway.url, secret=SECRET), service.queries, book)
    service.reaches(email(EmailSection(), book), channel, webhooks(WebhookSection(), service.queries))
    wish = {"email": False, "sms": True, "phone": "+442079460000"}
    assert (await service.send("PATCH", "/v1/notifications/preferences", wish, caller=ANN)).status_code == 200
    return service


async def went_out(service: RunningService) -> list[dict[str, Any]]:
    """How Ann's newest notification went out, once that is settled."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            page = (await service.get("/v1/notifications", caller=ANN)).json()
            if page["items"] and all(one["status"] != "pending" for one in page["items"][0]["sent"]):
                return list(page["items"][0]["sent"])
            await asyncio.sleep(0.05)


async def test_an_sms_is_signed_and_has_one_id_however_often_it_is_tried(started: Started, gateway: Receiver) -> None:
    service = await texting(started, gateway)
    gateway.answers = [500]

    await service.hears(COMPLETED, COMPLETED)

    assert await went_out(service) == [{"channel": "sms", "status": "sent", "reason": None}]
    assert [post.event for post in gateway.posts] == [
        {
            "id": "ord_1/order_completed/sms",
            "to": "+442079460000",
            "text": "Order ord_1 for ₽1,350.00 is paid and complete. Thank you!",
        }
    ] * 2
    assert all(post.is_signed_with(SECRET, datetime.now(UTC)) for post in gateway.posts)


async def test_an_sms_that_the_gateway_will_never_take_is_not_tried_again(started: Started, gateway: Receiver) -> None:
    service = await texting(started, gateway)
    gateway.always = 422

    await service.hears(COMPLETED)

    assert await went_out(service) == [{"channel": "sms", "status": "failed", "reason": "gateway_422"}]
    assert len(gateway.posts) == 1
