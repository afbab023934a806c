"""Webhooks as a destination outside: a delivery is posted, signed, to the receiver that subscribed.

Rules:
- What a receiver does is an outcome, never an error of ours: one that is down holds up nobody else's news.
- A receiver that fails again and again is spared for a while; its deliveries count that as an attempt.
- Redirects are not followed, answers are not read; a connection is used once, since it is made to an address and not
  to a name.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from sagamart.messaging.message import Body, Message
from sagamart.messaging.outside import Breaker, Outside
from sagamart.platform.authorities import trusted
from sagamart.platform.http import Queries
from sagamart.shop.notifications.receivers import ForbiddenReceiverError, Receivers
from sagamart.shop.notifications.settings import WebhookSection
from sagamart.shop.notifications.signing import signed_headers
from sagamart.shop.notifications.webhook_messages import DeliveryFailed, DeliveryRequested, DeliveryTaken

ANSWER_S_MAX = 5.0
"""From looking up the receiver's name to its status."""

DEADLINE_S = 10.0
CALLS_MAX = 32
FAILURES_MAX = 5
SPARED_S = 10.0
GONE = 410


class Posting(msgspec.Struct, frozen=True):
    """The calls that the outside machinery makes for each delivery."""

    receivers: Receivers
    client: httpx.AsyncClient
    queries: Queries
    clock: Callable[[], datetime]
    breakers: dict[str, Breaker]

    async def call(self, message: Message[DeliveryRequested]) -> Body:
        """Post one delivery and say what came of it."""
        delivery_id = message.body.delivery_id
        found = await self.queries.delivery_to_post(delivery_id=delivery_id)
        if found is None:
            return DeliveryFailed(delivery_id, "", "forgotten", final=True)
        subscription_id: str = found["subscription_id"]
        if found["status"] != "active":
            return DeliveryFailed(delivery_id, subscription_id, f"webhook_{found['status']}", final=True)
        breaker = self.breakers.setdefault(subscription_id, Breaker(FAILURES_MAX, SPARED_S))
        if not breaker.admits(time.monotonic()):
            return DeliveryFailed(delivery_id, subscription_id, "receiver_spared")
        try:
            outcome = await self._post(delivery_id, found)
        except BaseException:
            breaker.failed(time.monotonic())  # or a probe that broke off would leave it half open
            raise
        if isinstance(outcome, DeliveryTaken):
            breaker.succeeded()
        else:
            breaker.failed(time.monotonic())
        return outcome

    async def _post(self, delivery_id: str, found: Mapping[str, Any]) -> DeliveryTaken | DeliveryFailed:
        subscription_id = found["subscription_id"]
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                answer = await self._answer(delivery_id, found)
        except ForbiddenReceiverError:
            return DeliveryFailed(delivery_id, subscription_id, "receiver_forbidden", final=True)
        except TimeoutError:
            return DeliveryFailed(delivery_id, subscription_id, "no_answer")
        except (httpx.HTTPError, OSError):
            return DeliveryFailed(delivery_id, subscription_id, "unreachable")
        if httpx.codes.is_success(answer):
            return DeliveryTaken(delivery_id, answer)
        ends = answer == GONE
        return DeliveryFailed(delivery_id, subscription_id, f"http_{answer}", answer, final=ends, gone=ends)

    async def _answer(self, delivery_id: str, found: Mapping[str, Any]) -> int:
        place = await self.receivers.place(found["url"])
        now = self.clock()
        body = posted(found)
        live = [found["secret"]]
        if found["former_secret"] and found["former_until"] > now:
            live.append(found["former_secret"])
        url = httpx.URL(found["url"])
        signed = signed_headers(live, delivery_id, int(now.timestamp()), body)
        headers = {**signed, "Host": url.netloc.decode(), "User-Agent": "sagamart"}
        async with self.client.stream(
            "POST",
            url.copy_with(host=place.address),
            content=body,
            headers=headers,
            extensions={"sni_hostname": place.host},
        ) as answer:
            return answer.status_code


def posted(found: Mapping[str, Any]) -> bytes:
    """What a receiver reads: the same bytes at every attempt."""
    return msgspec.json.encode({"type": found["type"], "timestamp": found["at"], "data": msgspec.Raw(found["data"])})


def webhooks(section: WebhookSection, queries: Queries, clock: Callable[[], datetime] | None = None) -> Outside:
    """Webhooks by these settings."""
    client = httpx.AsyncClient(
        timeout=ANSWER_S_MAX,
        follow_redirects=False,
        trust_env=False,
        verify=trusted(),
        limits=httpx.Limits(max_connections=CALLS_MAX, max_keepalive_connections=0),
    )
    posting = Posting(Receivers(section), client, queries, clock or _now, {})
    calls: dict[type[Body], Any] = {DeliveryRequested: posting.call}
    return Outside(name="webhooks", calls=calls, deadline_s=DEADLINE_S, concurrency_max=CALLS_MAX, close=client.aclose)


def _now() -> datetime:
    return datetime.now(UTC)
