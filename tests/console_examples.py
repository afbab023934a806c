"""What the API says of a shop in which an order is stuck, and of who looks at it in the console."""

from typing import Any

from web_shop import WebShop

ORDER_ID = "ord_1"
ORDER = {
    "id": ORDER_ID,
    "number": "0T4E-ESA8-PYHQ-K1ZR",
    "status": "booking_pending",
    "stage": {"code": "accepted", "text": "accepted"},
    "state": {"code": "created", "text": "created"},
    "customer_id": "cus_anna",
    "lines": [{"sku": "MUG", "title": "A <b>mug</b>", "quantity": 2, "price_minor": 100, "amount_minor": 200}],
    "total_minor": 200,
    "currency": "RUB",
    "due_minor": 200,
    "discount_minor": 0,
    "promo_code": None,
    "delivery": None,
    "payments": [{"id": "pay_1-1", "source": "bank", "amount_minor": 200, "state": "started"}],
    "returns": [],
    "stopping": False,
    "elsewhere": None,
    "unchanged": [],
    "reason": None,
    "placed_at": "2026-11-21T20:17:40Z",
    "changed_at": "2026-11-21T20:17:41Z",
    "pay_by": None,
    "version": 7,
}
LETTER = {
    "id": "stock.018f0000-0000-7000-8000-000000000000",
    "service": "stock",
    "message_id": "018f0000-0000-7000-8000-000000000000",
    "type": "BookingRequested",
    "key": ORDER_ID,
    "status": "dead",
    "error": "RuntimeError: the shelf has fallen over",
    "at": "2026-11-21T20:17:40Z",
}
STUCK: dict[str, Any] = {
    "id": ORDER_ID,
    "number": "0T4E-ESA8-PYHQ-K1ZR",
    "status": "booking_pending",
    "customer_id": "cus_anna",
    "total_minor": 200,
    "currency": "RUB",
    "placed_at": "2026-11-21T20:17:40Z",
    "changed_at": "2026-11-21T20:17:41Z",
    "due_at": "2026-11-21T20:18:41Z",
    "overdue_s": 125,
    "awaits": ["StockBooked"],
    "timer_at": None,
    "parked": False,
}
ACT = {
    "id": "act-1",
    "service": "orders",
    "action": "move_order",
    "subject": ORDER_ID,
    "letter": None,
    "by": "cus_olga",
    "why": "the courier told us",
    "at": "2026-11-21T20:17:40Z",
    "status_before": "paid",
    "status_after": "completed",
}
NOTHING: dict[str, Any] = {"items": [], "next_cursor": None}
PACE: dict[str, Any] = {"now": "2026-11-21T20:18:00Z", "seconds": 60, "statuses": {}, "placed": []}
UNKNOWN: dict[str, Any] = {
    "id": "top_1",
    "purpose": "top_up",
    "order_id": None,
    "customer_id": "cus_anna",
    "amount_minor": 25_075,
    "currency": "RUB",
    "at": "2026-11-21T20:17:40Z",
    "age_s": 125,
    "asked": ["state"],
    "next_asking_at": "2026-11-21T20:19:40Z",
}
WHY = "the customer called"


def told(number: int, kind: str, source: str, to: str, because_of: int | None = None) -> dict[str, Any]:
    """An entry of the timeline."""
    return {
        "number": number,
        "message_id": f"018f0000-0000-7000-8000-00000000000{number}",
        "type": kind,
        "text": f"text of {kind}",
        "source": source,
        "to": [to],
        "at": f"2026-11-21T20:17:4{number}Z",
        "node": "node-a",
        "order_version": None,
        "status": None,
        "cause": None,
        "because_of": because_of,
        "correlation": "c",
        "body": {"attempt": 1, "note": "<script>"},
    }


STORY = {
    "items": [told(1, "BookingRequested", "orders", "stock"), told(2, "StockBooked", "stock", "orders", 1)],
    "next_cursor": None,
}


def page_of(*items: Any) -> dict[str, Any]:
    return {"items": list(items), "next_cursor": None}


def fill_console(shop: WebShop, roles: str = "OPERATOR") -> None:
    """A shop with a stuck order and its dead letter, for somebody who is logged in with these roles."""
    shop.answers |= {
        "GET /v1/orders": {"items": [ORDER], "next_cursor": "more"},
        f"GET /v1/orders/{ORDER_ID}": ORDER,
        f"GET /v1/orders/{ORDER_ID}/timeline": STORY,
        "GET /v1/operations/dead-letters": page_of(LETTER),
        "GET /v1/operations/orders/stuck": page_of(STUCK),
        "GET /v1/operations/orders/pace": PACE,
        "GET /v1/operations/consumers": NOTHING,
        "GET /v1/operations/actions": page_of(ACT),
        "GET /v1/operations/payments/unknown": NOTHING,
        "GET /v1/payments/pay_1-1": {"id": "pay_1-1", "status": "unknown", "amount_minor": 200, "currency": "RUB"},
    }
    shop.log_in()
    shop.browser.cookies.set("roles", roles)
