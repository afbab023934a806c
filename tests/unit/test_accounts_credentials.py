"""Another password and another e-mail address, wished for by somebody who is logged in, on literals."""

from datetime import UTC, datetime, timedelta

import pytest

from one_service import OneService
from sagamart.contracts.accounts import EmailChangeAnnounced, EmailChangeRequested, PasswordChanged
from sagamart.messaging.decision import Refusal, Reply
from sagamart.messaging.message import Body
from sagamart.shop.accounts.credentials import EMAIL_CHANGE_GOOD_S, LetterTooSoon
from sagamart.shop.accounts.decide import EmailTaken, SessionInvalid
from sagamart.shop.accounts.messages import (
    ChangeEmail,
    ChangePassword,
    EraseCustomer,
    RegisterCustomer,
    RequestPasswordReset,
    ResetPassword,
    RotateSession,
    StartSession,
    TakeNewEmail,
)
from sagamart.shop.accounts.one_time import TokenInvalid
from sagamart.shop.accounts.records import OneTimeToken, Purpose, RefreshFamily, User
from sagamart.shop.accounts.service import ACCOUNTS

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HASH, OTHER_HASH = "$argon2id$old", "$argon2id$new"
ANN = RegisterCustomer("cus_ann", "ann@old.example", HASH, "Ann", "en")
BOB = RegisterCustomer("cus_bob", "bob@example.com", HASH, "Bob", "en")
PHONE = StartSession("ses_phone", "phone", "cus_ann", "p1")
LAPTOP = StartSession("ses_laptop", "laptop", "cus_ann", "l1")
ON_THE_LAPTOP = ChangePassword("cus_ann", OTHER_HASH, 0, "ses_laptop")
MOVE = ChangeEmail("cus_ann", "ann@new.example", 0)
FORGOTTEN = RequestPasswordReset("ann@old.example")


def accounts(*bodies: Body) -> OneService:
    service = OneService(ACCOUNTS)
    service.now = NOON
    service.hears(ANN, *bodies)
    return service


def answer(service: OneService, body: Body) -> Reply | Refusal | None:
    return service.hears(body).reply


def token(service: OneService, purpose: Purpose) -> str:
    """The last token of this purpose."""
    return [one.token_id for one in service.records(OneTimeToken).values() if one.purpose == purpose][-1]


def follow(service: OneService, token_id: str, email: str = "ann@new.example") -> Reply | Refusal | None:
    """The link of a letter to a new address."""
    return answer(service, TakeNewEmail(token_id, "cus_ann", email))


def test_a_new_password_ends_every_log_in_but_the_one_that_it_was_chosen_in() -> None:
    service = accounts(PHONE, LAPTOP)

    assert answer(service, ON_THE_LAPTOP) == Reply(204)

    assert service.record(User, "cus_ann").password_hash == OTHER_HASH
    assert service.sent[-1] == PasswordChanged("cus_ann", 2)
    assert answer(service, RotateSession("ses_phone", "phone", "p1", "p2")) == SessionInvalid()
    assert isinstance(answer(service, RotateSession("ses_laptop", "laptop", "l1", "l2")), Reply)


def test_nobody_keeps_a_log_in_of_somebody_else() -> None:
    service = accounts(BOB, StartSession("ses_bob", "bob", "cus_bob", "b1"))

    service.hears(ChangePassword("cus_ann", OTHER_HASH, 0, "ses_bob"))

    assert service.record(RefreshFamily, "ses_bob").version == 1


def test_a_log_in_that_had_ended_does_not_come_back() -> None:
    service = accounts(PHONE, LAPTOP, ON_THE_LAPTOP)

    service.hears(ChangePassword("cus_ann", HASH, 1, "ses_phone"))

    assert answer(service, RotateSession("ses_phone", "phone", "p1", "p2")) == SessionInvalid()


def test_a_password_that_was_changed_meanwhile_proves_nothing() -> None:
    service = accounts(LAPTOP, ON_THE_LAPTOP)

    assert answer(service, ON_THE_LAPTOP) == SessionInvalid()
    assert answer(service, MOVE) == SessionInvalid()


def test_a_link_to_choose_a_password_ends_with_the_password() -> None:
    service = accounts(FORGOTTEN, ON_THE_LAPTOP)

    assert answer(service, ResetPassword(token(service, "password_reset"), "$argon2id$thief")) == TokenInvalid()
    assert service.record(User, "cus_ann").password_hash == OTHER_HASH


def test_who_chose_a_password_by_letter_is_told_of_it() -> None:
    service = accounts(FORGOTTEN)

    service.hears(ResetPassword(token(service, "password_reset"), OTHER_HASH))

    assert service.sent[-1] == PasswordChanged("cus_ann", 3)


def test_another_address_is_asked_at_that_address_and_told_at_the_present_one() -> None:
    service = accounts()

    assert answer(service, MOVE) == Reply(202)

    asked = token(service, "email_change")
    assert service.sent[-2:] == [EmailChangeRequested("cus_ann", asked), EmailChangeAnnounced("cus_ann", 2)]
    ann = service.record(User, "cus_ann")
    assert (ann.email, ann.new_email, ann.new_email_token) == ("ann@old.example", "ann@new.example", asked)


def test_the_link_moves_the_account_and_ends_every_log_in_and_every_older_link() -> None:
    service = accounts(LAPTOP, FORGOTTEN)
    service.now += timedelta(minutes=2)
    service.hears(MOVE)

    assert follow(service, token(service, "email_change")) == Reply(204)

    ann = service.record(User, "cus_ann")
    assert (ann.email, ann.email_confirmed_at, ann.new_email) == ("ann@new.example", service.now, None)
    assert answer(service, RotateSession("ses_laptop", "laptop", "l1", "l2")) == SessionInvalid()
    assert answer(service, ResetPassword(token(service, "password_reset"), OTHER_HASH)) == TokenInvalid()
    assert follow(service, token(service, "email_change")) == TokenInvalid()


def test_only_the_link_that_was_asked_for_last_is_good() -> None:
    service = accounts(MOVE)
    first = token(service, "email_change")
    service.now += timedelta(minutes=2)

    service.hears(ChangeEmail("cus_ann", "ann@newest.example", 0))

    assert follow(service, first) == TokenInvalid()
    assert follow(service, first, "ann@newest.example") == TokenInvalid()
    assert follow(service, token(service, "email_change"), "ann@newest.example") == Reply(204)


def test_a_link_to_a_new_address_is_good_for_a_day_and_ends_with_the_password() -> None:
    late = accounts(MOVE)
    late.now += timedelta(seconds=EMAIL_CHANGE_GOOD_S)
    assert follow(late, token(late, "email_change")) == TokenInvalid()

    stopped = accounts(MOVE, ON_THE_LAPTOP)
    assert follow(stopped, token(stopped, "email_change")) == TokenInvalid()


def test_an_address_that_somebody_has_is_refused_when_it_is_asked_for_and_when_the_link_comes_back() -> None:
    service = accounts(BOB)
    assert answer(service, ChangeEmail("cus_ann", "bob@example.com", 0)) == EmailTaken()

    service.hears(MOVE, RegisterCustomer("cus_eve", "ann@new.example", HASH, "Eve", "en"))

    assert follow(service, token(service, "email_change")) == EmailTaken()
    assert service.record(User, "cus_ann").email == "ann@old.example"


def test_one_letter_goes_out_a_minute() -> None:
    service = accounts(MOVE)

    assert answer(service, ChangeEmail("cus_ann", "ann@newest.example", 0)) == LetterTooSoon()


@pytest.mark.parametrize("wish", [MOVE, ON_THE_LAPTOP, TakeNewEmail("tok_1", "cus_ann", "ann@new.example")])
def test_who_was_erased_changes_nothing_and_is_moved_nowhere(wish: Body) -> None:
    service = accounts(MOVE, EraseCustomer("cus_ann"))

    assert isinstance(answer(service, wish), Refusal)
    assert service.record(User, "cus_ann").new_email is None
