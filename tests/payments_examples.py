"""Payments for tests: one of an order, one top-up, and what the bank says of them."""

from datetime import timedelta
from typing import Any, Literal

from one_service import AT, OneService
from sagamart.contracts.order_requests import (
    BankCaptureRequested,
    BankHoldRequested,
    BankRefundRequested,
    BankVoidRequested,
)
from sagamart.messaging.message import Body
from sagamart.shop.payments.messages import (
    Answer,
    BankTold,
    BankView,
    OpenTopUp,
)
from sagamart.shop.payments.records import BankStatus, Payment

ORDER: dict[str, Any] = {
    "order_id": "ord_1",
    "version": 3,
    "status": "pay_pending",
    "customer_id": "cus_1",
    "attempt": 1,
    "lines": (),
    "total_minor": 500,
    "currency": "RUB",
    "payment": 1,
}
PAY, TOP = "pay_1-1", "top_1"
ABOUT = ("ord_1", 1, 500, "RUB")
PAGE = "https://bank.example/confirm/1"
UNTIL = AT + timedelta(hours=24)

HOLD = BankHoldRequested(**ORDER, amount_minor=500, expires_s=900)
CAPTURE = BankCaptureRequested(**ORDER, amount_minor=500)
VOID = BankVoidRequested(**ORDER, amount_minor=500)
TOP_UP = OpenTopUp(TOP, "cus_1", 500, "RUB")


def refund(amount_minor: int, refund_id: str = "ref_1") -> BankRefundRequested:
    return BankRefundRequested(**ORDER, amount_minor=amount_minor, refund_id=refund_id)


def seen(status: BankStatus, version: int = 1, refunded_minor: int = 0, refusal: str | None = None) -> BankView:
    """The payment as the bank has it."""
    captured_minor = 500 if status == "captured" else 0
    page = PAGE if status == "needs_confirmation" else None
    held = UNTIL if status == "held" else None
    return BankView("bank_1", status, version, captured_minor, refunded_minor, page, held, refusal)


Asked = Literal["open", "capture", "cancel", "refund", "state"]


def told(
    asked: Asked, ended: Any, view: BankView | None = None, refund_id: str = "", payment_id: str = PAY
) -> BankTold:
    return BankTold(payment_id, asked, Answer(ended, "", view), refund_id)


REDIRECTED = told("open", "pending", seen("needs_confirmation"))
HELD = told("state", "succeeded", seen("held", 2))
CAPTURED = told("capture", "succeeded", seen("captured", 3))
CANCELLED = told("cancel", "cancelled", seen("cancelled", 4))
TAKEN = told("state", "succeeded", seen("captured", 2), payment_id=TOP)
GIVEN_BACK = told("cancel", "cancelled", seen("cancelled", 3), payment_id=TOP)


def payment(payments: OneService, key: str = PAY) -> Payment:
    return payments.record(Payment, key)


def facts(payments: OneService) -> list[Body]:
    """What it told others, without what it asked of the bank."""
    return [one for one in payments.sent if type(one).__name__ not in payments.service.outside]


def asked(payments: OneService) -> list[Body]:
    """What it asked of the bank."""
    return [one for one in payments.sent if type(one).__name__ in payments.service.outside]
