"""Telling merchants: events on their way, signed, tried again, listed and replayed.

Rules:
- An event is written in the transaction that it tells of; whoever delivers leases it first, so several may.
- Whether it was received is the merchant's status: 2xx within `ANSWER_WAIT_S`.  Redirects are not followed.
- The merchant's address is checked against its hosts when it is set; nothing of an answer is read but its status.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import structlog

from sagamart.bank.answers import Delivery, DeliveryStatus
from sagamart.bank.clock import Clock
from sagamart.bank.merchants import KnownMerchant
from sagamart.bank.signature import signature_header
from sagamart.platform.http import NotFound

ANSWER_WAIT_S = 10.0
ATTEMPTS_MAX = 12
RETRY_S_MIN = 1.0
RETRY_S_MAX = 60.0
BATCH_MAX = 50
LEASE_S = 30.0
"""Longer than an attempt takes: a deliverer that died is followed by another after that."""

_DELIVERY = "event_id, type, payment_id, status, attempts, answer, created_at, next_attempt_at"
_OUT_OF_ORDER = """
    (misbehaviour = 'webhook_out_of_order' and attempts = 0 and status = 'pending' and exists (
        select from events as later
        where later.payment_id = events.payment_id and later.number > events.number and later.status = 'delivered'))
"""
_CLAIM = f"""
    update events set next_attempt_at = $1 + interval '{LEASE_S} s'
    from merchants
    where merchants.merchant_id = events.merchant_id and event_id in (
        select event_id from events
        where status = 'pending' and (next_attempt_at <= $1 or {_OUT_OF_ORDER})
        order by number limit {BATCH_MAX} for update skip locked)
    returning event_id, number, payment_id, type, body, attempts, misbehaviour, webhook_url, webhook_secrets
"""

log = structlog.get_logger("sagamart.bank")


class Webhooks:
    """The bank's events on their way."""

    def __init__(self, pool: Any, client: httpx.AsyncClient, clock: Clock) -> None:
        self._pool = pool
        self._client = client
        self._clock = clock

    async def deliver_due(self) -> int:
        """Try every event whose time has come, those of one payment in their order.  How many there were."""
        claimed = await self._pool.fetch(_CLAIM, self._clock.now())
        lines: dict[str, list[asyncpg.Record]] = {}
        for row in sorted(claimed, key=lambda row: int(row["number"])):
            lines.setdefault(row["payment_id"], []).append(row)
        await asyncio.gather(*(self._deliver(line) for line in lines.values()))
        return len(claimed)

    async def page(
        self, merchant: KnownMerchant, status: DeliveryStatus | None, before: int, limit: int
    ) -> list[tuple[int, Delivery]]:
        """Deliveries of a merchant with their numbers, newest first, from just before a number on."""
        rows = await self._pool.fetch(
            f"select number, {_DELIVERY} from events where merchant_id = $1 and number < $2"
            " and ($3::text is null or status = $3) order by number desc limit $4",
            *(merchant.merchant_id, before, status, limit),
        )
        return [(number, Delivery(*rest)) for number, *rest in rows]

    async def replay(self, merchant: KnownMerchant, event_id: str) -> Delivery:
        """Send an event again, as if it were new.  Raises NotFound."""
        row = await self._pool.fetchrow(
            "update events set status = 'pending', attempts = 0, misbehaviour = null, next_attempt_at = $3"
            f" where event_id = $1 and merchant_id = $2 returning {_DELIVERY}",
            *(event_id, merchant.merchant_id, self._clock.now()),
        )
        if row is None:
            raise NotFound(f"There is no event {event_id}")
        return Delivery(*row.values())

    async def _deliver(self, line: Sequence[asyncpg.Record]) -> None:
        for event in line:
            answer = await self._send(event)
            if _is_received(answer) and event["misbehaviour"] == "webhook_twice":
                await self._send(event)
            await self._note(event, answer)

    async def _send(self, event: asyncpg.Record) -> int | None:
        """Try once: the merchant's status, None where there was none."""
        if event["webhook_url"] is None or not event["webhook_secrets"]:
            return None
        try:
            async with (
                asyncio.timeout(ANSWER_WAIT_S),
                self._client.stream(
                    "POST",
                    event["webhook_url"],
                    content=event["body"],
                    headers=self._headers(event),
                    follow_redirects=False,
                ) as response,
            ):
                return response.status_code
        except (httpx.HTTPError, TimeoutError) as error:
            log.info("webhook not received", event_id=event["event_id"], error=type(error).__name__)
            return None

    def _headers(self, event: asyncpg.Record) -> Mapping[str, str]:
        timestamp_s = int(self._clock.now().timestamp())
        body: bytes = event["body"]
        is_forged = event["misbehaviour"] == "webhook_wrong_signature" and event["attempts"] == 0
        signed = body + b" " if is_forged else body
        return {
            "content-type": "application/json",
            "webhook-id": event["event_id"],
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature_header(event["webhook_secrets"], event["event_id"], timestamp_s, signed),
        }

    async def _note(self, event: asyncpg.Record, answer: int | None) -> None:
        attempts = event["attempts"] + 1
        status: DeliveryStatus = "delivered" if _is_received(answer) else "pending"
        if status == "pending" and attempts >= ATTEMPTS_MAX:
            status = "failed"
        await self._pool.execute(
            "update events set status = $2, attempts = $3, answer = $4, next_attempt_at = $5 where event_id = $1",
            *(event["event_id"], status, attempts, answer, self._clock.now() + retry_after(attempts)),
        )


def retry_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    return timedelta(seconds=min(RETRY_S_MIN * 2 ** (attempts - 1), RETRY_S_MAX))


def _is_received(answer: int | None) -> bool:
    return answer is not None and httpx.codes.is_success(answer)
