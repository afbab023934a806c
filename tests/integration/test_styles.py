"""The same order in two styles of interaction beside the usual one: services that call each other over HTTP.

The usual one, event collaboration, is what all other tests run in.
"""

import asyncio

import pytest

from sagamart.messaging.message import Body, Message
from sagamart.styles import Style
from styles_street import OpenStreet

STYLES: tuple[Style, ...] = ("http", "http-events")

pytestmark = pytest.mark.parametrize("style", STYLES)


async def test_one_request_answers_whether_an_order_is_paid(open_street: OpenStreet, style: Style) -> None:
    street = await open_street(style)
    ann = await street.registered("ann")
    await street.until_told(ann, "wallet_opened")
    await street.deposit(ann, 1_000)

    bought, again = await street.orders(ann), await street.orders(ann)
    second = await street.orders(ann, "key-2")
    refused = await street.orders(ann, "key-3")

    assert [one.status_code for one in (bought, again, second, refused)] == [201, 201, 201, 403]
    assert bought.json()["status"] == "completed"
    assert again.json() == bought.json()
    problem = refused.json()
    assert (problem["code"], problem["money"], problem["available_minor"]) == (
        "money_refused",
        "insufficient_funds",
        200,
    )
    assert await street.money_of(ann) == (200, 0)
    await street.until_told(ann, "wallet_opened", "order_completed", "order_completed", "order_cancelled")
    assert await street.audited() == []


async def test_a_dead_wallet_leaves_an_order_unknown_and_never_pays_it_twice(
    open_street: OpenStreet, style: Style
) -> None:
    street = await open_street(style, answer_s=1)
    ann = await street.registered("ann")
    await street.until_told(ann, "wallet_opened")
    await street.deposit(ann, 1_000)
    await street.stop("wallet")

    unknown = await street.orders(ann)
    beth = await street.registered("beth")
    await street.start("wallet")

    assert (unknown.status_code, unknown.json()["code"]) == (504, "outcome_unknown")
    assert "Retry-After" in unknown.headers
    paid = unknown
    async with asyncio.timeout(90):
        while paid.status_code == 504:
            paid = await street.orders(ann)
    assert (paid.status_code, paid.headers["Location"]) == (201, unknown.headers["Location"])
    assert await street.money_of(ann) == (600, 0)
    await street.until_told(ann, "wallet_opened", "order_completed")
    await street.until_told(beth, "wallet_opened")
    assert await street.audited() == []


async def test_dead_notifications_are_nobody_elses_trouble(open_street: OpenStreet, style: Style) -> None:
    street = await open_street(style)
    ann = await street.registered("ann")
    await street.until_told(ann, "wallet_opened")
    await street.deposit(ann, 500)
    await street.stop("notifications")

    answers = [(await street.orders(ann, key)).status_code for key in ("key-1", "key-2")]
    await street.start("notifications")

    assert answers == [201, 403]
    assert await street.money_of(ann) == (100, 0)
    await street.until_told(ann, "wallet_opened", "order_completed", "order_cancelled")
    assert await street.audited() == []


async def test_a_wallet_whose_answer_is_lost_is_asked_again_and_pays_once(
    open_street: OpenStreet, style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    street = await open_street(style)
    ann = await street.registered("ann")
    await street.until_told(ann, "wallet_opened")
    await street.deposit(ann, 1_000)
    calls = street.doors["front"].shop.calls
    assert calls is not None
    right, lost = calls.call, set[str]()

    async def loses_the_first_answer(service: str, message: Message[Body]) -> Body | None:
        answer = await right(service, message)
        if message.type not in lost:
            lost.add(message.type)
            raise ConnectionError("the answer was lost")
        return answer

    monkeypatch.setattr(calls, "call", loses_the_first_answer)

    bought = await street.orders(ann)

    assert bought.status_code == 201
    assert lost == {"HoldRequested", "CaptureRequested"}
    assert await street.money_of(ann) == (600, 0)
    assert await street.audited() == []
