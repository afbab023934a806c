"""Letters to a real mail server: taken, refused, and lost from sight after the final dot."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from contact_book import ContactBook
from mail_server import Mailbox, open_mailbox
from open_shop import Opened
from sagamart.contracts.accounts import (
    CustomerErased,
    EmailChangeAnnounced,
    EmailChangeRequested,
    EmailConfirmationRequested,
    PasswordResetRequested,
)
from sagamart.contracts.orders import Line, OrderCancelled, OrderCompleted, ShortLine
from sagamart.platform.http import Caller
from sagamart.settings import ShopSettings
from sagamart.shop.notifications.api import ROUTES
from sagamart.shop.notifications.dispatching import UNKNOWN_OUTCOMES_MAX
from sagamart.shop.notifications.emailing import email
from sagamart.shop.notifications.posting import webhooks
from sagamart.shop.notifications.service import NotificationRules, notifications_service
from sagamart.shop.notifications.settings import EmailSection, SmsSection, WebhookSection
from sagamart.shop.notifications.texting import sms
from shop_fixtures import RunningService, Started
from webhook_receiver import open_receiver

CANARY = "canary-Pa55word"
PATIENCE_S = 60
ANN = Caller("cus_ann", frozenset({"CUSTOMER"}))
BORIS = Caller("cus_boris", frozenset({"CUSTOMER"}))
COMPLETED = OrderCompleted("ord_1", 6, "completed", "cus_ann", 1, (), 135_000, "RUB")
CUPS = (Line("CUP", "Чашка <синяя>", 3, 45_000),)
CANCELLED = OrderCancelled(
    "ord_2", 4, "cancelled", "cus_boris", 1, CUPS, 135_000, "RUB", "stock_refused", (ShortLine("CUP", 3, 1),)
)

Mailing = Callable[..., Awaitable[RunningService]]


@pytest_asyncio.fixture
async def mail() -> AsyncIterator[tuple[Mailbox, int]]:
    async with open_mailbox() as opened:
        yield opened


@pytest.fixture
def mailbox(mail: tuple[Mailbox, int]) -> Mailbox:
    return mail[0]


@pytest.fixture
def book() -> ContactBook:
    return ContactBook()


@pytest.fixture
def mailing(started: Started, mail: tuple[Mailbox, int], book: ContactBook) -> Mailing:
    """Notifications with this mail server; a letter of unknown outcome is repeated at once."""

    async def start(**settings: Any) -> RunningService:
        service = await started(notifications_service(NotificationRules(("email",), repeat_s=0.0)), ROUTES)
        section = EmailSection(host="127.0.0.1", port=mail[1], tls="none", pages="https://shop.example")
        section = msgspec.structs.replace(section, **settings)
        service.reaches(
            email(section, book), sms(SmsSection(), service.queries, book), webhooks(WebhookSection(), service.queries)
        )
        return service

    return start


async def went_out(service: RunningService, caller: Caller = ANN) -> list[dict[str, Any]]:
    """How somebody's newest notification went out, once that is settled."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            page = (await service.get("/v1/notifications", caller=caller)).json()
            if page["items"] and all(one["status"] != "pending" for one in page["items"][0]["sent"]):
                return list(page["items"][0]["sent"])
            await asyncio.sleep(0.05)


async def test_good_news_is_mailed_once_however_often_its_fact_arrives(mailing: Mailing, mailbox: Mailbox) -> None:
    service = await mailing()

    await service.hears(COMPLETED, COMPLETED)
    await service.hears(COMPLETED)

    assert await went_out(service) == [{"channel": "email", "status": "sent", "reason": None}]
    assert [letter["Subject"] for letter in mailbox.letters] == ["Your order is complete"]
    assert mailbox.recipients == ["ann@example.com"]


async def test_bad_news_is_in_the_customers_language_and_nobodys_name_is_markup(
    mailing: Mailing, mailbox: Mailbox
) -> None:
    service = await mailing()

    await service.hears(CANCELLED)
    await went_out(service, BORIS)

    (letter,) = mailbox.letters
    text, html = (letter.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]  # it has both
    assert letter["Subject"] == "Ваш заказ отменён"
    assert "Здравствуйте, Борис!" in text
    assert "«Чашка <синяя>» — вы заказали 3 шт., у нас есть 1" in text
    assert "«Чашка &lt;синяя&gt;» — вы заказали 3 шт., у нас есть 1" in html


async def test_a_letter_lost_after_the_final_dot_is_sent_again_as_the_same_letter_and_counted(
    mailing: Mailing, mailbox: Mailbox
) -> None:
    service = await mailing()
    mailbox.answers = [None]

    await service.hears(COMPLETED)

    assert await went_out(service) == [{"channel": "email", "status": "sent", "reason": None}]
    first, second = (letter["Message-ID"] for letter in mailbox.letters)
    assert first == second
    assert await service.rows("select unknown_outcomes from dispatches") == [(1,)]


async def test_a_letter_that_is_always_lost_from_sight_is_not_sent_for_ever(mailing: Mailing, mailbox: Mailbox) -> None:
    service = await mailing()
    mailbox.answers = [None] * 10

    await service.hears(COMPLETED)

    assert [one["status"] for one in await went_out(service)] == ["unknown"]
    assert len(mailbox.letters) == UNKNOWN_OUTCOMES_MAX


@pytest.mark.parametrize("answer", ["550 not wanted", "554 looks like spam"])
async def test_a_letter_that_is_refused_for_good_is_not_tried_again(
    mailing: Mailing, mailbox: Mailbox, answer: str
) -> None:
    service = await mailing()
    mailbox.answers = [answer]

    await service.hears(COMPLETED)

    assert await went_out(service) == [{"channel": "email", "status": "failed", "reason": f"smtp_{answer[:3]}"}]
    assert len(mailbox.letters) == 1


async def test_an_address_that_nobody_has_is_not_tried_again(mailing: Mailing, mailbox: Mailbox) -> None:
    service = await mailing()
    mailbox.unknown_people = {"ann@example.com"}

    await service.hears(COMPLETED)

    assert await went_out(service) == [{"channel": "email", "status": "failed", "reason": "smtp_550"}]


async def test_a_letter_that_was_put_off_is_sent_later(mailing: Mailing, mailbox: Mailbox) -> None:
    service = await mailing()
    mailbox.answers = ["451 come again"]

    await service.hears(COMPLETED)

    assert await went_out(service) == [{"channel": "email", "status": "sent", "reason": None}]
    assert await service.rows("select unknown_outcomes from dispatches") == [(0,)]


async def test_a_server_that_stays_busy_is_given_up_and_neither_password_nor_address_is_ever_logged(
    mailing: Mailing, mailbox: Mailbox, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    mailbox.busy = True
    service = await mailing(user="shop", password=CANARY, give_up_s=1.0)

    await service.hears(PasswordResetRequested("cus_ann", "tok_1"))

    assert await went_out(service) == [{"channel": "email", "status": "failed", "reason": "given_up"}]
    told = "".join([*capfd.readouterr(), caplog.text])
    assert "outside call failed" in told
    assert [one for one in (CANARY, "ann@example.com", "sealed") if one in told] == []


async def test_a_link_that_is_not_good_any_more_is_not_mailed(mailing: Mailing, book: ContactBook) -> None:
    service = await mailing()
    book.tokens.clear()

    await service.hears(PasswordResetRequested("cus_ann", "tok_1"))

    assert await went_out(service) == [{"channel": "email", "status": "failed", "reason": "link_not_good_any_more"}]


async def test_the_letter_that_moves_an_account_goes_to_the_new_address_and_its_notice_to_the_old_one(
    mailing: Mailing, mailbox: Mailbox
) -> None:
    service = await mailing()

    await service.hears(EmailChangeRequested("cus_moving", "tok_1"), EmailChangeAnnounced("cus_moving", 4))

    await mailbox.until(lambda: len(mailbox.letters) == 2)
    assert {letter["To"]: letter["Subject"] for letter in mailbox.letters} == {
        "ann@new.example": "Please confirm your new e-mail address",
        "ann@old.example": "Your account is to move to another e-mail address",
    }
    assert sorted(mailbox.recipients) == ["ann@new.example", "ann@old.example"]
    texts = {letter["To"]: letter.get_body(("plain",)).get_content() for letter in mailbox.letters}  # type: ignore[union-attr]  # it has one
    assert "https://shop.example/confirm#token=tok_1.sealed" in texts["ann@new.example"]
    assert "#token=" not in texts["ann@old.example"]


async def test_the_letter_that_moves_an_account_is_not_sent_once_nothing_waits_to_be_confirmed(
    mailing: Mailing, mailbox: Mailbox
) -> None:
    service = await mailing()

    await service.hears(EmailChangeRequested("cus_ann", "tok_1"))

    assert await went_out(service) == [{"channel": "email", "status": "failed", "reason": "link_not_good_any_more"}]
    assert mailbox.letters == []


async def test_who_wants_no_e_mail_gets_only_the_letters_that_were_asked_for(
    mailing: Mailing, mailbox: Mailbox
) -> None:
    service = await mailing()
    await service.send("PATCH", "/v1/notifications/preferences", {"email": False}, caller=ANN)

    await service.hears(COMPLETED, EmailConfirmationRequested("cus_ann", "tok_1"))

    assert await service.rows("select dispatch_id from dispatches") == [("tok_1/email_confirmation/email",)]
    await mailbox.until(lambda: len(mailbox.letters) == 1)
    assert mailbox.letters[0]["Subject"] == "Please confirm your e-mail address"


async def test_who_was_erased_is_told_nothing_more(mailing: Mailing) -> None:
    service = await mailing()

    await service.hears(CustomerErased("cus_ann", 2))
    await service.hears(COMPLETED)

    assert await service.rows("select count(*) from dispatches") == [(0,)]


async def test_a_link_confirms_the_address_that_it_was_mailed_to(open_shop: Opened, mail: tuple[Mailbox, int]) -> None:
    mailbox, port = mail
    section = EmailSection(host="127.0.0.1", port=port, tls="none", pages="https://shop.example")
    shop = await open_shop(ShopSettings(email=section))
    newcomer = {"email": "ann@example.com", "password": "otter counts nine reeds", "name": "Ann", "language": "en"}
    profile = (await shop.call("POST", "/v1/users", newcomer)).json()
    await mailbox.until(lambda: len(mailbox.letters) == 1)
    text = mailbox.letters[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]  # it has one
    (token,) = [line.partition("#token=")[2] for line in text.splitlines() if "https://shop.example/confirm#" in line]

    answer = await shop.call("POST", "/v1/users/confirmation", {"token": token})

    again = await shop.get("/v1/me", caller=Caller(profile["id"], frozenset({"CUSTOMER"})))
    assert mailbox.recipients == ["ann@example.com"]
    assert answer.status_code == 204
    assert again.json()["email_confirmed"] is True


async def test_an_order_that_is_paid_at_once_leads_to_one_letter_and_one_post(
    open_shop: Opened, mail: tuple[Mailbox, int]
) -> None:
    mailbox, port = mail
    section = EmailSection(host="127.0.0.1", port=port, tls="none")
    async with open_receiver() as receiver:
        shop = await open_shop(ShopSettings(email=section, webhooks=WebhookSection(private=True)))
        newcomer = {"email": "ann@example.com", "password": "otter counts nine reeds", "name": "Ann", "language": "ru"}
        ann = Caller((await shop.call("POST", "/v1/users", newcomer)).json()["id"], frozenset({"CUSTOMER"}))
        money = {"amount_minor": 1_000, "currency": "RUB", "customer_id": ann.id}
        await shop.post("/v1/wallet/deposits", money, caller=Caller("cus_op", frozenset({"OPERATOR"})), key="money")
        wish = {"url": receiver.url, "events": ["order.completed", "order.cancelled"]}
        await shop.post("/v1/webhooks", wish, caller=Caller("cus_adm", frozenset({"ADMIN"})), key="hook")

        cup = {"lines": [{"title": "Чашка", "price_minor": 900}]}
        order = (await shop.post("/v1/orders", cup, caller=ann, key="order", Prefer="wait=30")).json()

        await mailbox.until(lambda: len(mailbox.letters) == 2)
        await receiver.until(lambda: len(receiver.posts) == 1)
    assert sorted(letter["Subject"] for letter in mailbox.letters) == [
        "Ваш заказ выполнен",
        "Подтвердите адрес электронной почты",
    ]
    told = receiver.posts[0].event
    assert (told["type"], told["data"]["order_id"], told["data"]["status"]) == (
        "order.completed",
        order["id"],
        "completed",
    )
