"""Rows of every table: each column holds something in one of them, and nothing in another where it may."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from msgspec.structs import replace

from orders_examples import ORDERED, order_in, shop_with_order
from sagamart.contracts.orders import Address, Delivery, Line, ReturnedLine, ShortLine
from sagamart.messaging.records import Entry, Record
from sagamart.shop.accounts import records as accounts
from sagamart.shop.catalogue import records as catalogue
from sagamart.shop.notifications import records as notifications
from sagamart.shop.notifications import webhook_records as webhooks
from sagamart.shop.orders import records as orders
from sagamart.shop.payments import records as payments
from sagamart.shop.promotions import records as promotions
from sagamart.shop.shipping import records as shipping
from sagamart.shop.stock import records as stock
from sagamart.shop.timeline.records import StoryEntry
from sagamart.shop.wallet import records as wallet

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
LATER = datetime(2026, 12, 21, 12, 0, tzinfo=UTC)

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
DIGEST = "0123456789abcdef" * 4
ANN = accounts.User(1, "cus_ann", "ann@example.com", HASH, "Анна", "ru", ("CUSTOMER", "OPERATOR"), AT)
CONFIRMED = replace(ANN, customer_id="cus_bob", email="bob@example.com", email_confirmed_at=AT, letter_asked_at=AT)
MOVING = replace(
    ANN, customer_id="cus_eve", email="eve@example.com", new_email="eva@example.com", new_email_token="tok_3"
)
ERASED = replace(ANN, customer_id="cus_gone", email="cus_gone", name="", epoch=3, erased_at=AT)
LOG_IN = accounts.RefreshFamily(1, "ses_1", "cus_ann", DIGEST, DIGEST, 1, AT)
REVOKED = replace(LOG_IN, family_id="ses_2", revoked_for="token_reused", epoch=2)
CONFIRMATION = accounts.OneTimeToken(1, "tok_1", "cus_ann", "confirmation", AT)
HOME = accounts.Address("adr_1", "Ann Lee", "+44 20 7946 0000", "GB", "N1 9GU", "London", "12 Reed Lane")
BOOK = accounts.AddressBook(1, "cus_ann", (HOME,))
TILL = accounts.Machine(1, "cli_1", "Till", DIGEST, ("OPERATOR",), "cus_ann", AT)

PICTURE = catalogue.Photo(1, sha256(b"twelve bytes").hexdigest() + ".png", b"twelve bytes")
MUG = catalogue.Product(1, "MUG", "Blue mug", "Holds 300 ml", 45_000, "RUB", 350, 80, 80, 100, 2_000, active=True)
SHOWN = replace(MUG, sku="JUG", photo=PICTURE.photo_id)
BARE = catalogue.Product(1, "BARE", "Stone", "", 0, "EUR", 0, None, None, None, 0, active=False)
PRICE = catalogue.Price("019aa000-0000-7000-8000-000000000001", "MUG", 45_000, "RUB", AT, "cus_op")

FACTS = notifications.Facts(
    "ord_1", 135_000, "RUB", "stock_refused", (notifications.ShortProduct("CUP", "Синяя «чашка»", 3, 1),), 100
)
TOLD = notifications.Notification(1, "ord_1/order_cancelled", "cus_1", "order_cancelled", FACTS, AT)
SENT = notifications.Dispatch(
    1, "ord_1/order_cancelled/email", "ord_1/order_cancelled", "cus_1", "email", "sent", AT, 2, None, AT
)
UNSENT = replace(SENT, dispatch_id="ord_2/order_paid/email", status="failed", reason="given_up")
WAITS = replace(SENT, dispatch_id="ord_2/order_paid/sms", channel="sms", status="pending", ended_at=None)
ANNS_CHANNELS = notifications.Preferences(1, "cus_1", email=False, sms=True, phone="+442079460000")
HOOK = webhooks.Subscription(
    1, "whk_1", "https://erp.example/", ("order.paid",), "ERP", "active", "whsec_c2VjcmV0", "cus_9", AT
)
TURNING = replace(HOOK, subscription_id="whk_2", former_secret="whsec_b2xk", former_until=LATER)
AUDIENCE = webhooks.Audience(1, webhooks.AUDIENCE_ID, (webhooks.Listener("whk_1", ("order.paid",)),))
NEWS = webhooks.News(
    "ord_1", 135_000, "RUB", customer_id="cus_1", version=4, status="paid", lines=(Line("CUP", "Чашка", 3, 9),)
)
POSTED = webhooks.Delivery(
    1, "dlv_1", "whk_1", "ord_1/order_paid", "order.paid", NEWS, "delivered", AT, attempts=2, answer=204, ended_at=AT
)
UNPOSTED = replace(
    POSTED,
    delivery_id="dlv_2",
    event="ord_2/order_paid",
    status="pending",
    answer=None,
    reason="no answer",
    next_at=LATER,
    ended_at=None,
)

MOSCOW = Address("Анна", "RU", "Москва", "Тверская, 1", "125009", "+7 495 000-00-00", "звонить дважды")
PLACED = replace(order_in(shop_with_order("booking_pending")), version=1)
REFUSED = replace(
    order_in(shop_with_order("cancelled")),
    version=1,
    order_id="ord_2",
    shortfall=orders.Shortfall(short=(ShortLine("CUP", 2, 1),), money="insufficient_funds", available_minor=100),
)
RETURNED = replace(
    PLACED,
    version=9,
    order_id="ord_3",
    status="returned",
    attempt=2,
    known=(orders.Fact(1, "booked"), orders.Fact("ret_1", "received")),
    payments=(
        orders.Payment("wallet", 60_000, AT, asked=True),
        orders.Payment("bank", 100_000, AT, asked=True, redirect_url="https://bank.example/1", holds_until=LATER),
    ),
    plan=orders.Plan(
        orders.Terms(later=True, at_payment=True, window_s=60, attempt_s=90, revive=True),
        Delivery("courier", 30_000, needs_shipment=True, address=MOSCOW),
        promo_code="TENTH",
        discount_minor=16_000,
        stopping="cancelled_by_customer",
        before=orders.Content(ORDERED[:1], None),
        slot_lost=True,
    ),
    returns=(orders.Return("ret_1", (ReturnedLine(0, 1),), ((1, 45_000),)),),
)
SLOTS = orders.UnpaidOrders(1, "cus_1", ("ord_1",), 1)
CUP_COPY = orders.ProductCopy(
    1, "CUP", 3, "Синяя чашка", 45_000, "RUB", active=True, stock_version=7, sold_out=True, charged_g=400
)
COURIER_COPY = orders.DeliveryCopy(1, "courier", 2, 30_000, "RUB", True, True, True, 500)  # noqa: FBT003  a row
BASKET = orders.Basket(1, "cus_1", (orders.BasketLine("CUP", 2, 45_000), orders.BasketLine("PLATE", 1)), AT)

NEW = payments.Payment(1, "pay_1-1", "order", "ord_1", 1, 3, "cus_1", 500, "RUB", "new", AT)
DECLINED = replace(NEW, payment_id="pay_3-1", status="declined", reason="insufficient_funds")
REFUNDED = payments.Payment(
    7,
    "pay_2-1",
    "order",
    "ord_2",
    1,
    3,
    "cus_1",
    500,
    "RUB",
    "captured",
    AT,
    bank_id="bank_2",
    bank_status="captured",
    bank_version=3,
    redirect_url="https://bank.example/2",
    holds_until=AT,
    captured_minor=500,
    refunded_minor=200,
    refunds=(payments.Refund("ref_1", 200, "refunded"), payments.Refund("ref_2", 300, "asked")),
    moved_at=AT,
    statement_minor=300,
)
OPEN = payments.OpenTopUps(1, "cus_1", ("top_1", "top_2"), 3)
RUN = payments.Reconciliation(1, "bank", AT, running=False, at=AT, entries=3, differences=1, mended=2)
FIRST_RUN = payments.Reconciliation(1, "another bank", None, running=True, at=AT)
RESOLVED = payments.Resolution("res_1", "pay_1-1", "captured", "usr_1", "a letter", AT)
DIFFERENT = payments.Difference("1", "key", "debit", 500, "RUB", "unknown", AT)

TENTH = promotions.PromoCode(1, "TENTH", 1_000, 0, "RUB", 50_000, AT, LATER, 3, 1, active=True, used=2)
ENDLESS = promotions.PromoCode(1, "GIFT", 0, 50_000, "RUB", 0, AT, None, None, None, active=False, used=9)
ANNAS = promotions.CustomerUses(1, "TENTH/cus_1", "TENTH", "cus_1", 1, 1)
UNBOUNDED = promotions.CustomerUses(1, "GIFT/cus_1", "GIFT", "cus_1", 9)
REDEEMED = promotions.Redemption(1, "ord_1/1", "ord_1", 1, "cus_1", "TENTH", "redeemed", 9_999)
NOT_REDEEMED = promotions.Redemption(1, "ord_2/1", "ord_2", 1, "cus_1", "НЕТ", "refused", 0, "unknown_code")

COURIER = shipping.DeliveryMethod(
    1,
    "courier",
    "Courier",
    "Курьер",
    30_000,
    500,
    "RUB",
    needs_shipment=True,
    needs_address=True,
    countries=("RU", "BY"),
    parcel_max=shipping.ParcelLimits(20_000, 1_200, 120_000),
    active=True,
)
CUP = shipping.ProductMeasures(1, "CUP", 3, 400, 90, None, 70)
PLATE = shipping.ProductMeasures(1, "PLATE", 3, 400, None, 90, None)
PENDING = shipping.Shipment(
    version=1,
    shipment_id="shp_1",
    order_id="ord_1",
    customer_id="cus_1",
    method="courier",
    status="pending",
    reason=None,
    address=MOSCOW,
    parcels=(shipping.Parcel(800, 5_000, (shipping.PackedPieces(0, 2),)),),
    pieces=2,
    pieces_back=0,
    carrier="",
    tracking="",
    changed_at=AT,
)
TOMBSTONE = replace(
    PENDING,
    shipment_id="shp_2",
    order_id="ord_2",
    status="stopped",
    reason="stopped",
    address=None,
    parcels=(),
    pieces=0,
    method="",
)
MOVED = replace(PENDING, shipment_id="shp_3", order_id="ord_3", changes=2, change_refusal="address_not_served")
ANNOUNCED = shipping.Return(1, "ret_1", "ord_1", "announced", (ReturnedLine(0, 1),))
TAKEN = shipping.HandOver("shp_1-1", "shp_1", "Post", "RA1RU", "usr_packer", AT)

CUPS = stock.Sku(1, "CUP", 5, 2, 1)
BOOKED = stock.Reservation(
    1, "ord_1/1", "ord_1", 1, "booked", (stock.ReservedLine("CUP", 2), stock.ReservedLine("Чашка", 1))
)
NOT_BOOKED = stock.Reservation(1, "ord_2/1", "ord_2", 1, "refused", short=(ShortLine("CUP", 9, 3),))
RECEIVED = stock.Movement("mov_1", "CUP", "received", 5, "usr_keeper", AT)

ENTRY = StoryEntry(
    message_id="msg_1",
    order_id="ord_1",
    customer_id="cus_1",
    type="OrderPaid",
    source="orders",
    node="node-1",
    at=AT,
    kept_until=AT + timedelta(days=36_500),
    cause="msg_0",
    correlation="msg_0",
    order_version=4,
    status="paid",
    body={"total_minor": 100, "lines": [{"sku": "CUP"}]},
)
ANSWER = replace(ENTRY, message_id="msg_2", customer_id=None, cause=None, order_version=None, status=None, body={})

RICH = wallet.Wallet(1, "cus_1", "RUB", 9_000_000_000_000_000_000, 1)
HELD = wallet.Hold(1, "pay_1-1", "ord_1", 1, "cus_1", 300, "RUB", "held")
NOT_HELD = wallet.Hold(1, "pay_2-1", "ord_2", 1, "cus_1", 300, "RUB", "refused", "insufficient_funds", 299)
CLEARED = wallet.Clearing(1, "bank/1", 500, "RUB")
DEPOSIT = wallet.Movement("mov_1", "deposit", 500, "RUB", "usr_operator", AT).postings(
    "house:clearing", "customer:cus_1"
)

ROWS: Mapping[str, Sequence[Record | Entry]] = {
    "accounts": (
        *(ANN, CONFIRMED, MOVING, ERASED, LOG_IN, REVOKED),
        *(CONFIRMATION, replace(CONFIRMATION, token_id="tok_2", used_at=AT, epoch=2)),
        *(BOOK, TILL, replace(TILL, client_id="cli_2", revoked_at=AT)),
        accounts.Administrators(1, accounts.ADMINISTRATORS_NAME, ("cus_ann",)),
        accounts.FailedLogIns(1, DIGEST, AT),
        accounts.RoleChange("019aa000", "cus_ann", "cus_boss", ("CUSTOMER",), ("ADMIN",), AT),
    ),
    "catalogue": (PICTURE, MUG, SHOWN, BARE, PRICE, catalogue.Availability(1, "MUG", 4, available=True)),
    "notifications": (TOLD, SENT, UNSENT, WAITS, ANNS_CHANNELS, HOOK, TURNING, AUDIENCE, POSTED, UNPOSTED),
    "orders": (PLACED, REFUSED, RETURNED, SLOTS, CUP_COPY, COURIER_COPY, BASKET),
    "payments": (NEW, DECLINED, REFUNDED, OPEN, RUN, FIRST_RUN, RESOLVED, DIFFERENT),
    "promotions": (TENTH, ENDLESS, ANNAS, UNBOUNDED, REDEEMED, NOT_REDEEMED),
    "shipping": (COURIER, CUP, PLATE, PENDING, TOMBSTONE, MOVED, ANNOUNCED, TAKEN),
    "stock": (CUPS, BOOKED, NOT_BOOKED, RECEIVED),
    "timeline": (ENTRY, ANSWER),
    "wallet": (RICH, HELD, NOT_HELD, CLEARED, *DEPOSIT),
}
"""By service."""
