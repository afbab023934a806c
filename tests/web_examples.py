"""What the API says of a customer, Anna: two mugs in her basket, an order that is not paid, some money."""

from typing import Any

from web_shop import WebShop

MUG = {
    "sku": "MUG-BLUE",
    "title": "Blue <mug>",
    "description": "Holds 300 ml.",
    "price_minor": 59_000,
    "currency": "RUB",
    "weight_g": 320,
    "active": True,
    "photo": None,
    "version": 1,
}
BASKET = {"lines": [{"sku": "MUG-BLUE", "quantity": 2, "price_minor": 59_000}], "changed_at": None, "version": 3}
WALLET = {
    "customer_id": "cus_anna",
    "currency": "RUB",
    "balance_minor": 200_000,
    "held_minor": 0,
    "available_minor": 200_000,
    "may_deposit": True,
}
ADDRESS = {
    "id": "adr_1",
    "recipient": "Anna",
    "phone": "+7 342 0000000",
    "country": "RU",
    "postal_code": "614000",
    "city": "Perm",
    "street": "Lenina 1",
    "default": True,
}
COURIER = {
    "method": "courier",
    "title": "Courier",
    "price_minor": 30_000,
    "currency": "RUB",
    "needs_address": True,
    "parcels": 1,
    "available": True,
    "reason": None,
    "version": 1,
}
ME = {
    "id": "cus_anna",
    "email": "anna@sagamart.example",
    "name": "Anna",
    "language": "en",
    "roles": ["CUSTOMER"],
    "registered_at": "2026-11-01T00:00:00Z",
    "version": 1,
    "email_confirmed": False,
    "new_email": "anna@new.example",
}
ORDER: dict[str, Any] = {
    "id": "ord_1",
    "number": "A-100",
    "status": "booked",
    "stage": {"code": "awaiting_payment", "text": "awaiting payment"},
    "state": {"code": "created", "text": "created"},
    "customer_id": "cus_anna",
    "lines": [
        {"sku": "MUG-BLUE", "title": "Blue <mug>", "quantity": 2, "price_minor": 59_000, "amount_minor": 118_000}
    ],
    "total_minor": 148_000,
    "currency": "RUB",
    "due_minor": 148_000,
    "discount_minor": 0,
    "promo_code": None,
    "delivery": {"method": "courier", "price_minor": 30_000, "needs_shipment": True, "address": ADDRESS},
    "payments": [],
    "returns": [],
    "stopping": False,
    "elsewhere": None,
    "unchanged": [],
    "reason": None,
    "placed_at": "2026-11-21T10:00:00Z",
    "changed_at": "2026-11-21T10:00:01Z",
    "pay_by": "2026-11-21T10:05:00Z",
    "version": 3,
}
DONE = {**ORDER, "status": "completed", "stage": {"code": "created", "text": "created"}, "due_minor": 0, "pay_by": None}
TOLD = {"notification_id": "n1", "kind": "order_paid", "good": True, "title": "Paid", "text": "Thank you.", "facts": {}}


def page_of(*items: Any) -> dict[str, Any]:
    return {"items": list(items), "next_cursor": None}


def fill(shop: WebShop) -> None:
    """A shop in which Anna has two mugs in her basket and an order that is not paid."""
    shop.answers |= {
        "GET /v1/products": {**page_of(MUG), "corrected_question": None},
        "GET /v1/products/MUG-BLUE": MUG,
        "GET /v1/products/MUG-BLUE/prices": page_of(),
        "GET /v1/stock/MUG-BLUE/availability": {"sku": "MUG-BLUE", "available": 500},
        "GET /v1/basket": BASKET,
        "PUT /v1/basket": BASKET,
        "GET /v1/wallet": WALLET,
        "GET /v1/wallet/entries": page_of(
            {
                "entry_id": "e1",
                "kind": "deposit",
                "amount_minor": 200_000,
                "currency": "RUB",
                "reference": "cus_anna",
                "at": "2026-11-20T10:00:00Z",
            }
        ),
        "GET /v1/me/addresses": {"addresses": [ADDRESS], "version": 1},
        "GET /v1/delivery-methods": page_of(COURIER),
        "GET /v1/notifications": page_of({**TOLD, "at": "2026-11-21T10:00:00Z", "sent": []}),
        "GET /v1/notifications/preferences": {"email": True, "sms": False, "phone": None},
        "GET /v1/orders": page_of(ORDER),
        "GET /v1/orders/ord_1": ORDER,
        "GET /v1/shipments": page_of(),
        "POST /v1/orders": ORDER,
    }
    shop.log_in()
    shop.answers["GET /v1/me"] = ME
