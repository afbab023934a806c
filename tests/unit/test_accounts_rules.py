"""The rules of accounts, on literals."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from sagamart.contracts.accounts import CustomerRegistered, EmailConfirmationRequested
from sagamart.messaging.decision import Decision, Reply
from sagamart.messaging.message import Body, Message
from sagamart.shop.accounts import decide
from sagamart.shop.accounts.decide import (
    EmailTaken,
    LastAdmin,
    OwnAdminRole,
    Profile,
    Session,
    SessionInvalid,
    UnknownUser,
    VersionChanged,
)
from sagamart.shop.accounts.messages import (
    ChangeProfile,
    ChangeRoles,
    CreateStaff,
    EndSession,
    RegisterCustomer,
    RotateSession,
    StartSession,
)
from sagamart.shop.accounts.records import Administrators, OneTimeToken, RefreshFamily, RoleChange, User

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
A_MONTH_LATER = datetime(2026, 12, 21, 12, 0, tzinfo=UTC)
MESSAGE_ID = "019aa000-0000-7000-8000-000000000001"
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"

ANN = User(1, "cus_ann", "ann@example.com", HASH, "Ann", "en", ("CUSTOMER",), NOON)
ANNS_PROFILE = Profile("cus_ann", "ann@example.com", "Ann", "en", ("CUSTOMER",), NOON, 1)
TOKEN_ID = "tok_019aa000000070008000000000000001"
ANNS_TOKEN = OneTimeToken(1, TOKEN_ID, "cus_ann", "confirmation", datetime(2026, 11, 24, 12, 0, tzinfo=UTC))
ADMINS = Administrators(3, "administrators", ("cus_boss",))
LOG_IN = RefreshFamily(1, "ses_1", "cus_ann", "family", "first", 1, A_MONTH_LATER)


def said(body: Body, at: datetime = NOON) -> Message[Any]:
    return Message(
        id=MESSAGE_ID,
        type=type(body).__name__,
        key=body.key,
        source="http",
        at=at,
        correlation=MESSAGE_ID,
        body=body,
    )


def rotation(token: str, *, family: str = "family") -> RotateSession:
    return RotateSession("ses_1", family, token, "next")


def assigned(wish: ChangeRoles, user: User | None, admins: Administrators | None = ADMINS) -> Decision:
    return decide.change_roles(said(wish), user, admins)


def test_registering_makes_a_customer_and_tells_by_id_alone() -> None:
    wish = said(RegisterCustomer("cus_ann", "ann@example.com", HASH, "Ann", "en"))
    assert decide.register(wish, None) == Decision(
        save=[ANN, ANNS_TOKEN],
        send=[CustomerRegistered("cus_ann", 1), EmailConfirmationRequested("cus_ann", TOKEN_ID)],
        reply=Reply(201, ANNS_PROFILE, "/v1/me"),
    )


def test_an_email_address_has_one_user() -> None:
    wish = said(RegisterCustomer("cus_other", "ann@example.com", HASH, "Other Ann", "en"))
    assert decide.register(wish, ANN) == Decision(reply=EmailTaken())


def test_staff_who_do_not_shop_get_no_wallet() -> None:
    decision = decide.create_staff(said(CreateStaff("cus_bob", "bob@example.com", HASH, "Bob", "en", ("ADMIN",))), None)
    assert decision.send == ()
    assert decision.save == [
        User(1, "cus_bob", "bob@example.com", HASH, "Bob", "en", ("ADMIN",), NOON),
        RoleChange(MESSAGE_ID, "cus_bob", "http", (), ("ADMIN",), NOON),
        Administrators(1, "administrators", ("cus_bob",)),
    ]


def test_staff_who_shop_too_are_customers() -> None:
    wish = CreateStaff("cus_bob", "bob@example.com", HASH, "Bob", "en", ("OPERATOR", "CUSTOMER", "OPERATOR"))
    decision = decide.create_staff(said(wish), None)
    assert decision.send == [
        CustomerRegistered("cus_bob", 1),
        EmailConfirmationRequested("cus_bob", TOKEN_ID),
    ]
    assert [one for one in decision.save if isinstance(one, User)] == [
        User(1, "cus_bob", "bob@example.com", HASH, "Bob", "en", ("CUSTOMER", "OPERATOR"), NOON),
    ]


def test_staff_cannot_take_a_customers_email_address() -> None:
    wish = CreateStaff("cus_bob", "ann@example.com", HASH, "Bob", "en", ("ADMIN",))
    assert decide.create_staff(said(wish), ANN) == Decision(reply=EmailTaken())


def test_a_new_name_leaves_the_language_as_it_is() -> None:
    decision = decide.change_profile(ChangeProfile("cus_ann", name="Ann Lee"), ANN)
    after = User(2, "cus_ann", "ann@example.com", HASH, "Ann Lee", "en", ("CUSTOMER",), NOON)
    assert decision.save == [after]
    assert decision.reply == Reply(200, msgspec.structs.replace(ANNS_PROFILE, name="Ann Lee", version=2))


def test_a_new_language_leaves_the_name_as_it_is() -> None:
    decision = decide.change_profile(ChangeProfile("cus_ann", language="ru", expected_version=1), ANN)
    assert decision.save == [User(2, "cus_ann", "ann@example.com", HASH, "Ann", "ru", ("CUSTOMER",), NOON)]


def test_a_profile_that_stays_the_same_makes_no_new_version() -> None:
    decision = decide.change_profile(ChangeProfile("cus_ann", name="Ann", language="en"), ANN)
    assert decision == Decision(reply=Reply(200, ANNS_PROFILE))


def test_a_profile_that_changed_meanwhile_is_not_overwritten() -> None:
    decision = decide.change_profile(ChangeProfile("cus_ann", name="Ann Lee", expected_version=7), ANN)
    assert decision == Decision(reply=VersionChanged(1))


def test_nobody_has_no_profile_to_change() -> None:
    assert decide.change_profile(ChangeProfile("cus_nobody", name="X"), None) == Decision(reply=UnknownUser())


def test_roles_are_replaced_as_a_whole() -> None:
    decision = assigned(ChangeRoles("cus_ann", ("OPERATOR", "CUSTOMER", "OPERATOR"), "cus_boss", 1), ANN)
    assert decision.save == [
        User(2, "cus_ann", "ann@example.com", HASH, "Ann", "en", ("CUSTOMER", "OPERATOR"), NOON),
        RoleChange(MESSAGE_ID, "cus_ann", "cus_boss", ("CUSTOMER",), ("CUSTOMER", "OPERATOR"), NOON),
    ]
    assert decision.send == ()


def test_staff_who_become_customers_are_announced_as_such() -> None:
    bob = User(3, "cus_bob", "bob@example.com", HASH, "Bob", "en", ("OPERATOR",), NOON)
    decision = assigned(ChangeRoles("cus_bob", ("CUSTOMER", "OPERATOR"), "cus_boss", 3), bob)
    assert decision.send == [CustomerRegistered("cus_bob", 4)]


def test_roles_that_stay_the_same_make_no_new_version() -> None:
    decision = assigned(ChangeRoles("cus_ann", ("CUSTOMER",), "cus_boss", 1), ANN)
    assert decision == Decision(reply=Reply(200, ANNS_PROFILE))


def test_roles_that_changed_meanwhile_are_not_overwritten() -> None:
    assert assigned(ChangeRoles("cus_ann", ("ADMIN",), "cus_boss", 2), ANN) == Decision(reply=VersionChanged(1))


def test_nobody_has_no_roles_to_change() -> None:
    assert assigned(ChangeRoles("cus_nobody", ("ADMIN",), "cus_boss", 1), None) == Decision(reply=UnknownUser())


def test_an_administrator_cannot_step_down_alone() -> None:
    boss = User(1, "cus_boss", "boss@example.com", HASH, "Boss", "en", ("ADMIN",), NOON)
    decision = assigned(ChangeRoles("cus_boss", ("CUSTOMER",), "cus_boss", 1), boss)
    assert decision == Decision(reply=OwnAdminRole())


def test_the_last_administrator_cannot_be_removed_by_whoever_still_has_a_token() -> None:
    boss = User(1, "cus_boss", "boss@example.com", HASH, "Boss", "en", ("ADMIN",), NOON)
    wish = ChangeRoles("cus_boss", ("CUSTOMER",), "cus_removed_before", 1)
    assert assigned(wish, boss) == Decision(reply=LastAdmin())
    two = Administrators(4, "administrators", ("cus_boss", "cus_other"))
    assert Administrators(5, "administrators", ("cus_other",)) in assigned(wish, boss, two).save


def test_a_log_in_that_began_under_another_password_is_refused() -> None:
    after = msgspec.structs.replace(ANN, epoch=1)
    begun = StartSession("ses_1", "family", "cus_ann", "first", epoch=0)
    assert decide.start_session(said(begun), after) == Decision(reply=SessionInvalid())
    assert decide.rotate_session(said(rotation("first")), LOG_IN, after) == Decision(reply=SessionInvalid())


def test_an_administrator_may_add_to_the_own_roles() -> None:
    boss = User(1, "cus_boss", "boss@example.com", HASH, "Boss", "en", ("ADMIN",), NOON)
    decision = assigned(ChangeRoles("cus_boss", ("ADMIN", "OPERATOR"), "cus_boss", 1), boss)
    assert [user.roles for user in decision.save if isinstance(user, User)] == [("ADMIN", "OPERATOR")]


def test_a_log_in_lasts_thirty_days() -> None:
    decision = decide.start_session(said(StartSession("ses_1", "family", "cus_ann", "first")), ANN)
    assert decision == Decision(
        save=[LOG_IN], reply=Reply(201, Session("ses_1", "cus_ann", ("CUSTOMER",), A_MONTH_LATER))
    )


def test_who_does_not_exist_cannot_log_in() -> None:
    decision = decide.start_session(said(StartSession("ses_1", "family", "cus_gone", "first")), None)
    assert decision == Decision(reply=SessionInvalid())


def test_a_refresh_spends_the_token_for_the_next_and_gives_the_present_roles() -> None:
    promoted = User(2, "cus_ann", "ann@example.com", HASH, "Ann", "en", ("CUSTOMER", "OPERATOR"), NOON)
    decision = decide.rotate_session(said(rotation("first")), LOG_IN, promoted)
    assert decision == Decision(
        save=[RefreshFamily(2, "ses_1", "cus_ann", "family", "next", 2, A_MONTH_LATER)],
        reply=Reply(200, Session("ses_1", "cus_ann", ("CUSTOMER", "OPERATOR"), A_MONTH_LATER)),
    )


def test_a_spent_token_ends_the_log_in_for_thief_and_owner_alike() -> None:
    once_rotated = RefreshFamily(2, "ses_1", "cus_ann", "family", "second", 2, A_MONTH_LATER)
    decision = decide.rotate_session(said(rotation("first")), once_rotated, ANN)
    assert decision == Decision(
        save=[RefreshFamily(3, "ses_1", "cus_ann", "family", "second", 2, A_MONTH_LATER, "token_reused")],
        reply=SessionInvalid(),
    )


def test_a_forged_token_ends_nothing() -> None:
    assert decide.rotate_session(said(rotation("first", family="guessed")), LOG_IN, ANN) == Decision(
        reply=SessionInvalid()
    )


def test_no_token_of_a_log_in_that_has_ended_is_good() -> None:
    ended = RefreshFamily(2, "ses_1", "cus_ann", "family", "first", 1, A_MONTH_LATER, "logged_out")
    assert decide.rotate_session(said(rotation("first")), ended, ANN) == Decision(reply=SessionInvalid())


@pytest.mark.parametrize(
    ("at", "good"),
    [(datetime(2026, 12, 21, 11, 59, 59, tzinfo=UTC), True), (A_MONTH_LATER, False)],
    ids=["a second before", "at the moment"],
)
def test_a_log_in_ends_at_its_time_however_often_it_was_refreshed(at: datetime, good: bool) -> None:  # noqa: FBT001  a parameter of the case
    decision = decide.rotate_session(said(rotation("first"), at), LOG_IN, ANN)
    assert isinstance(decision.reply, Reply) is good
    assert bool(decision.save) is good


def test_a_log_in_that_never_was_cannot_be_refreshed() -> None:
    assert decide.rotate_session(said(rotation("first")), None, None) == Decision(reply=SessionInvalid())


def test_logging_out_ends_the_log_in() -> None:
    assert decide.end_session(EndSession("ses_1", "family"), LOG_IN) == Decision(
        save=[RefreshFamily(2, "ses_1", "cus_ann", "family", "first", 1, A_MONTH_LATER, "logged_out")],
        reply=Reply(204),
    )


@pytest.mark.parametrize(
    "family",
    [
        None,
        RefreshFamily(1, "ses_1", "cus_ann", "another family", "first", 1, A_MONTH_LATER),
        RefreshFamily(2, "ses_1", "cus_ann", "family", "first", 1, A_MONTH_LATER, "token_reused"),
    ],
    ids=["unknown", "forged", "ended before"],
)
def test_logging_out_of_nothing_is_answered_like_logging_out(family: RefreshFamily | None) -> None:
    assert decide.end_session(EndSession("ses_1", "family"), family) == Decision(reply=Reply(204))


def test_no_reply_holds_a_password_hash_or_a_digest_of_a_token() -> None:
    decisions = [
        decide.register(said(RegisterCustomer("cus_ann", "ann@example.com", HASH, "Ann", "en")), None),
        decide.change_profile(ChangeProfile("cus_ann", name="Ann Lee"), ANN),
        assigned(ChangeRoles("cus_ann", ("OPERATOR",), "cus_boss", 1), ANN),
        decide.start_session(said(StartSession("ses_1", "family-digest", "cus_ann", "token-digest")), ANN),
        decide.rotate_session(said(rotation("first")), LOG_IN, ANN),
    ]
    told = b"".join(msgspec.json.encode((decision.reply, decision.send)) for decision in decisions)
    assert b"argon2" not in told
    assert b"-digest" not in told
    assert b'"first"' not in told
    assert b'"next"' not in told
