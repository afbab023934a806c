"""By which channels somebody is told, once each, and what came of it."""

import pytest

from one_service import AT, OneService
from sagamart.contracts.accounts import CustomerErased, PasswordResetRequested
from sagamart.contracts.orders import OrderCompleted
from sagamart.contracts.wallet import WalletOpened
from sagamart.messaging.decision import Arm
from sagamart.messaging.message import Body
from sagamart.shop.notifications.dispatching import REPEAT, UNKNOWN_OUTCOMES_MAX
from sagamart.shop.notifications.letters import message_id_of
from sagamart.shop.notifications.messages import (
    ChangePreferences,
    EmailRepeatDue,
    EmailRequested,
    MessageNotSent,
    MessageSent,
    SendingUnknown,
    SmsRequested,
)
from sagamart.shop.notifications.preferring import PhoneMissing, PreferencesChanged
from sagamart.shop.notifications.records import Channel, Dispatch, Facts, Preferences
from sagamart.shop.notifications.service import NotificationRules, notifications_service

FACTS = Facts("ord_1", 135_000, "RUB")
COMPLETED = OrderCompleted("ord_1", 6, "completed", "cus_1", 1, (), 135_000, "RUB")
OPENED = WalletOpened("cus_1", "RUB", 1)
RESET = PasswordResetRequested("cus_1", "tok_1")
BY_EMAIL = "ord_1/order_completed/email"
LOST = SendingUnknown(BY_EMAIL, "cus_1", "order_completed", FACTS)
BY_SMS_TOO = ChangePreferences("cus_1", sms=True, phone="+442079460000")


def shop(*channels: Channel) -> OneService:
    return OneService(notifications_service(NotificationRules(channels, repeat_s=60.0)))


def asked(service: OneService) -> list[tuple[type[Body], str]]:
    return [(type(one), one.key) for one in service.sent]


def test_a_shop_without_a_mail_server_sends_nothing() -> None:
    service = shop()

    service.hears(COMPLETED, RESET, OPENED)

    assert (service.sent, service.records(Dispatch)) == ([], {})


def test_an_order_is_told_once_by_each_channel_that_its_customer_wants() -> None:
    service = shop("email", "sms")

    service.hears(BY_SMS_TOO, COMPLETED, COMPLETED)

    assert asked(service) == [(EmailRequested, BY_EMAIL), (SmsRequested, "ord_1/order_completed/sms")]
    assert service.record(Dispatch, BY_EMAIL) == Dispatch(
        1, BY_EMAIL, "ord_1/order_completed", "cus_1", "email", "pending", AT
    )


def test_who_never_said_anything_is_told_by_e_mail_only() -> None:
    service = shop("email", "sms")

    service.hears(COMPLETED)

    assert asked(service) == [(EmailRequested, BY_EMAIL)]


def test_an_open_wallet_is_worth_no_letter() -> None:
    service = shop("email", "sms")

    service.hears(BY_SMS_TOO, OPENED)

    assert service.sent == []


def test_who_wants_no_e_mail_still_gets_the_link_that_was_asked_for() -> None:
    service = shop("email", "sms")

    service.hears(ChangePreferences("cus_1", email=False), COMPLETED, RESET)

    assert asked(service) == [(EmailRequested, "tok_1/password_reset/email")]


def test_who_was_erased_is_told_nothing_and_leaves_no_number() -> None:
    service = shop("email", "sms")

    service.hears(BY_SMS_TOO, CustomerErased("cus_1", 2), CustomerErased("cus_1", 2), COMPLETED, RESET)

    assert service.sent == []
    assert service.record(Preferences, "cus_1") == Preferences(2, "cus_1", email=False, erased=True)


def test_what_was_taken_is_sent_and_what_comes_later_changes_nothing() -> None:
    service = shop("email")

    service.hears(COMPLETED, MessageSent(BY_EMAIL), MessageNotSent(BY_EMAIL, "smtp_550"), LOST)

    sent = service.record(Dispatch, BY_EMAIL)
    assert (sent.version, sent.status, sent.ended_at, sent.unknown_outcomes) == (2, "sent", AT, 0)


def test_what_was_refused_keeps_its_reason() -> None:
    service = shop("email")

    service.hears(COMPLETED, MessageNotSent(BY_EMAIL, "smtp_550"))

    assert (service.record(Dispatch, BY_EMAIL).status, service.record(Dispatch, BY_EMAIL).reason) == (
        "failed",
        "smtp_550",
    )


def test_a_letter_of_which_nothing_is_known_is_counted_and_sent_again_after_growing_pauses() -> None:
    service = shop("email")
    service.hears(COMPLETED)
    again = EmailRepeatDue(BY_EMAIL, "cus_1", "order_completed", FACTS)

    first, second = service.hears(LOST), service.hears(LOST)
    service.hears(again)

    assert (first.timers, second.timers) == ([Arm(REPEAT, 60.0, again)], [Arm(REPEAT, 120.0, again)])
    assert asked(service) == [(EmailRequested, BY_EMAIL)] * 2
    assert service.record(Dispatch, BY_EMAIL).unknown_outcomes == 2


def test_a_letter_is_not_sent_into_the_unknown_for_ever() -> None:
    service = shop("email")

    last = service.hears(COMPLETED, *[LOST] * UNKNOWN_OUTCOMES_MAX)

    assert last.timers == ()
    assert service.record(Dispatch, BY_EMAIL).status == "unknown"
    assert service.hears(EmailRepeatDue(BY_EMAIL, "cus_1", "order_completed", FACTS)).send == ()


def test_the_same_dispatch_has_the_same_message_id_for_ever() -> None:
    assert message_id_of(BY_EMAIL, "shop@sagamart.example") == "<a05253ca99fbaa19f2a518d16f34d6eb@sagamart.example>"
    assert message_id_of(BY_EMAIL, "a@b.example") != message_id_of("ord_2/order_completed/email", "a@b.example")


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        (ChangePreferences("cus_1", sms=True), PhoneMissing()),
        (ChangePreferences("cus_1", email=False, expected_version=7), PreferencesChanged(0)),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(wish: ChangePreferences, refusal: object) -> None:
    service = shop("sms")

    assert service.hears(wish).reply == refusal
    assert service.records(Preferences) == {}


def test_taking_the_number_away_needs_sms_to_be_switched_off() -> None:
    service = shop("sms")
    service.hears(BY_SMS_TOO)

    assert service.hears(ChangePreferences("cus_1", phone="")).reply == PhoneMissing()
    service.hears(ChangePreferences("cus_1", sms=False, phone=""))
    assert service.record(Preferences, "cus_1").phone is None


def test_nothing_that_names_an_address_shows_it_when_it_is_written_down() -> None:
    assert "+44" not in repr(BY_SMS_TOO) + repr(Preferences(1, "cus_1", phone="+442079460000"))
