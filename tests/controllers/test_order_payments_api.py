"""Paying an order over HTTP, in one or several payments, and how that is answered."""

from typing import Any

from orders_at_work import ANNA, BORIS, CUPS_MINOR, HOLDS_UNTIL, OPERATOR, STOREKEEPER, OrdersAtWork, OrdersOpen
from sagamart.contracts.order_requests import BankHoldRequested, BookingRequested, HoldRequested, StockCheckRequested
from sagamart.contracts.payments import PaymentDeclined, PaymentHeld, PaymentRedirected
from sagamart.contracts.stock import StockChecked
from sagamart.contracts.wallet import MoneyHeld
from sagamart.shop.orders.records import Terms

PAGE = "https://bank.example/pay/1"


async def test_an_order_that_is_paid_later_waits_and_says_until_when(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    seen = await shop.shown(order_id)

    assert (seen["status"], seen["due_minor"]) == ("booked", CUPS_MINOR)
    assert seen["stage"] == {"code": "awaiting_payment", "text": "awaiting payment"}
    assert seen["pay_by"] > seen["changed_at"]
    assert seen["payments"] == []


async def test_a_payment_takes_all_that_is_due_unless_it_names_less(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    first = await shop.pay(order_id, "wallet", 30_000)
    second = await shop.pay(order_id, "bank")

    assert (first.status_code, first.headers["Location"]) == (202, f"/v1/orders/{order_id}")
    assert first.json()["due_minor"] == 60_000
    payments = second.json()["payments"]
    assert [(one["source"], one["amount_minor"], one["state"]) for one in payments] == [
        ("wallet", 30_000, "started"),
        ("bank", 60_000, "started"),
    ]
    assert [(one.payment, one.amount_minor) for one in shop.told(HoldRequested)] == [(1, 30_000)]
    assert [(one.payment, one.amount_minor) for one in shop.told(BankHoldRequested)] == [(2, 60_000)]


async def test_a_payment_under_the_same_key_is_started_once(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    first = await shop.pay(order_id, "wallet", 30_000)
    again = await shop.pay(order_id, "wallet", 30_000)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert len((await shop.shown(order_id))["payments"]) == 1


async def test_nobody_pays_more_than_is_due(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()
    await shop.pay(order_id, "wallet", 30_000)

    answer = await shop.pay(order_id, "bank", 60_001)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "more_than_due")
    assert (problem["amount_minor"], problem["due_minor"], problem["currency"]) == (60_001, 60_000, "RUB")


async def test_an_order_that_is_paid_cannot_be_paid_again(shop: OrdersAtWork) -> None:
    order_id = await shop.completed()

    answer = await shop.pay(order_id, "wallet")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_payable_now")


NO_PAYMENTS: tuple[Any, ...] = (
    {},
    {"source": "cash"},
    {"source": "wallet", "amount_minor": 0},
    {"source": "wallet", "amount_minor": -1},
    {"source": "wallet", "amount_minor": 1.5},
    {"source": "wallet", "currency": "RUB"},
    {"source": "bank", "card": "4000000000000001"},
)


async def test_what_is_no_payment_cannot_be_made(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    answers = [await shop.call("POST", f"/v1/orders/{order_id}/payments", payment) for payment in NO_PAYMENTS]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(400, "malformed")}
    assert (await shop.shown(order_id))["payments"] == []


async def test_a_stranger_neither_pays_an_order_nor_sees_its_payments(shop: OrdersAtWork) -> None:
    path = f"/v1/orders/{await shop.awaiting()}/payments"

    for caller, status in ((None, 401), (BORIS, 404), (STOREKEEPER, 404)):
        assert (await shop.get(path, caller=caller)).status_code == status
        assert (await shop.call("POST", path, {"source": "wallet"}, caller=caller)).status_code == status
    assert shop.told(HoldRequested) == []


async def test_a_payment_through_the_bank_leads_to_its_page_until_it_is_confirmed(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()
    await shop.pay(order_id, "bank", 60_000)
    await shop.service.hears(PaymentRedirected(order_id, 1, 60_000, "RUB", PAGE))

    listed = (await shop.get(f"/v1/orders/{order_id}/payments")).json()
    await shop.service.hears(PaymentHeld(order_id, 1, 60_000, "RUB", HOLDS_UNTIL))
    later = (await shop.get(f"/v1/orders/{order_id}/payments", caller=OPERATOR)).json()

    payment = {"id": f"pay_{order_id[4:]}-1", "source": "bank", "amount_minor": 60_000}
    assert listed == {"items": [{**payment, "state": "started", "redirect_url": PAGE}], "next_cursor": None}
    assert later["items"] == [{**payment, "state": "held"}]
    assert (await shop.shown(order_id))["status"] == "partially_paid"


async def test_a_declined_payment_is_over_and_another_one_may_be_made(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()
    await shop.pay(order_id, "bank")
    await shop.service.hears(PaymentDeclined(order_id, 1, CUPS_MINOR, "RUB", "declined"))

    seen = await shop.shown(order_id)
    assert (seen["status"], seen["due_minor"], seen["payments"][0]["state"]) == ("booked", CUPS_MINOR, "ended")

    await shop.pay(order_id, "wallet")
    await shop.paid(order_id, CUPS_MINOR, payment=2)
    assert (await shop.shown(order_id))["status"] == "completed"


async def test_who_prefers_to_wait_gets_the_banks_page_with_the_answer(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()
    await shop.pay(order_id, "bank")
    await shop.service.hears(PaymentRedirected(order_id, 1, CUPS_MINOR, "RUB", PAGE))

    answer = await shop.pay(order_id, "bank", headers={"Prefer": "wait=30"})

    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=30")
    assert answer.json()["payments"][0]["redirect_url"] == PAGE


async def test_who_prefers_to_wait_learns_that_the_order_is_paid_or_that_more_is_due(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()
    await shop.pay(order_id, "wallet", 30_000)
    await shop.service.hears(MoneyHeld(order_id, 1, 30_000, "RUB"))
    part = await shop.pay(order_id, "wallet", 30_000, headers={"Prefer": "wait=30"})
    await shop.pay(order_id, "wallet")
    await shop.paid(order_id, 60_000, payment=2)
    await shop.paid(order_id, 30_000)
    whole = await shop.pay(order_id, "wallet", headers={"Prefer": "wait=30"})

    assert (part.status_code, part.json()["status"], part.json()["due_minor"]) == (200, "partially_paid", 60_000)
    assert (whole.status_code, whole.json()["status"], whole.json()["due_minor"]) == (201, "completed", 0)
    assert whole.headers["ETag"] == f'"{whole.json()["version"]}"'


async def test_who_prefers_to_wait_gets_202_when_it_takes_longer(shop: OrdersAtWork) -> None:
    answer = await shop.pay(await shop.awaiting(), "wallet", headers={"Prefer": "wait=0"})

    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers


async def test_goods_that_are_only_checked_are_booked_when_a_payment_starts(orders_open: OrdersOpen) -> None:
    shop = await orders_open(Terms(at_payment=True))
    order_id = await shop.placed(pay="later")
    assert (len(shop.told(StockCheckRequested)), shop.told(BookingRequested)) == (1, [])
    await shop.service.hears(StockChecked(order_id, 1))
    assert (await shop.shown(order_id))["status"] == "checked"

    answer = await shop.pay(order_id, "wallet")

    assert (answer.status_code, answer.json()["status"]) == (202, "booking_pending")
    assert (len(shop.told(BookingRequested)), shop.told(HoldRequested)) == (1, [])


async def test_staff_spend_from_nobodys_wallet(shop: OrdersAtWork) -> None:
    order_id = await shop.awaiting()

    refused = await shop.call("POST", f"/v1/orders/{order_id}/payments", {"source": "wallet"}, caller=OPERATOR)

    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_wallet")
    assert (shop.told(HoldRequested), await shop.acts_on(order_id)) == ([], [])
    assert (await shop.shown(order_id))["status"] == "booked"


async def test_staff_start_a_payment_that_the_customer_confirms_at_the_bank_and_it_is_written_down(
    shop: OrdersAtWork,
) -> None:
    order_id = await shop.awaiting()

    started = await shop.call("POST", f"/v1/orders/{order_id}/payments", {"source": "bank"}, caller=OPERATOR)

    (act,) = await shop.acts_on(order_id)
    assert started.status_code == 202
    assert shop.told(BankHoldRequested)[0].customer_id == ANNA.id
    assert (act["action"], act["by"], act["status_before"], act["status_after"]) == (
        "pay_order",
        OPERATOR.id,
        "booked",
        "pay_pending",
    )
