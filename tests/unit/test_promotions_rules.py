"""The rules of promo codes, each heard by the service's own handlers."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from one_service import AT, OneService
from sagamart.contracts.order_requests import PromoRedemptionRequested
from sagamart.contracts.orders import Line, OrderCancelled
from sagamart.contracts.promotions import PromoRedeemed, PromoRefused
from sagamart.messaging.decision import Reply
from sagamart.messaging.message import Body
from sagamart.shop.promotions.decide import BelowUsed, CodeTaken, NeverValid, UnknownCode, VersionChanged
from sagamart.shop.promotions.messages import ChangeCode, CreateCode
from sagamart.shop.promotions.records import CustomerUses, PromoCode, Redemption
from sagamart.shop.promotions.service import PROMOTIONS

TENTH = CreateCode("TENTH", 1_000, 0, "RUB", 0, None, None, None, None, active=True)
GIFT = replace(TENTH, code="GIFT", percent_bp=0, amount_minor=50_000)
LIMITED = replace(TENTH, code="LIMITED", uses_max=2, customer_uses_max=1)
CUPS = Line("CUP", "Blue cup", 1, 99_999)


def wished(
    code: str = "TENTH", order_id: str = "ord_1", attempt: int = 1, goods_minor: int = 99_999, customer: str = "cus_1"
) -> PromoRedemptionRequested:
    return PromoRedemptionRequested(
        order_id, 1, "new", customer, attempt, (CUPS,), goods_minor, "RUB", code, goods_minor
    )


def cancelled(order_id: str = "ord_1", attempt: int = 1, customer: str = "cus_1") -> OrderCancelled:
    return OrderCancelled(order_id, 4, "cancelled", customer, attempt, (CUPS,), 99_999, "RUB", "cancelled_by_customer")


def promotions(*heard: Body) -> OneService:
    """A shop with these codes, which has heard this."""
    service = OneService(PROMOTIONS)
    service.hears(TENTH, GIFT, LIMITED, *heard)
    service.sent.clear()
    return service


def used(service: OneService, code: str) -> tuple[int, dict[str, int]]:
    """How often a code is used in all, and by each customer."""
    own = {one.customer_id: one.used for one in service.records(CustomerUses).values() if one.code == code}
    return service.record(PromoCode, code).used, own


def test_a_share_is_taken_off_the_goods_and_rounded_down() -> None:
    service = promotions()

    decision = service.hears(wished("TENTH"))

    assert list(decision.send) == [PromoRedeemed("ord_1", 1, "TENTH", 9_999)]
    assert used(service, "TENTH") == (1, {"cus_1": 1})


@pytest.mark.parametrize(("goods_minor", "discount_minor"), [(99_999, 50_000), (30_000, 30_000), (0, 0)])
def test_an_amount_is_taken_off_but_never_more_than_the_goods_cost(goods_minor: int, discount_minor: int) -> None:
    decision = promotions().hears(wished("GIFT", goods_minor=goods_minor))

    assert list(decision.send) == [PromoRedeemed("ord_1", 1, "GIFT", discount_minor)]


def test_nobody_has_to_type_a_code_in_capitals() -> None:
    service = promotions()

    decision = service.hears(wished(" tenth "))

    assert list(decision.send) == [PromoRedeemed("ord_1", 1, " tenth ", 9_999)]
    assert service.record(Redemption, "ord_1/1").code == "TENTH"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (replace(TENTH, code="X", active=False), "not_valid_now"),
        (replace(TENTH, code="X", valid_from=AT + timedelta(seconds=1)), "not_yet_valid"),
        (replace(TENTH, code="X", valid_from=AT - timedelta(days=1), valid_until=AT), "expired"),
        (replace(TENTH, code="X", currency="EUR"), "other_currency"),
        (replace(TENTH, code="X", goods_min_minor=100_000), "total_too_low"),
        (replace(TENTH, code="Y"), "unknown_code"),
    ],
)
def test_what_does_not_count_is_refused_by_name_and_uses_nothing_up(code: CreateCode, reason: Any) -> None:
    service = promotions(code)

    decision = service.hears(wished("X"))

    assert list(decision.send) == [PromoRefused("ord_1", 1, "X", reason)]
    assert service.records(CustomerUses) == {}


@pytest.mark.parametrize(
    "code",
    [
        replace(TENTH, code="X", valid_from=AT, valid_until=AT + timedelta(microseconds=1)),
        replace(TENTH, code="X", goods_min_minor=99_999),
        replace(TENTH, code="X", uses_max=1, customer_uses_max=1),
    ],
)
def test_a_limit_that_is_just_kept_does_not_refuse(code: CreateCode) -> None:
    decision = promotions(code).hears(wished("X"))

    assert list(decision.send) == [PromoRedeemed("ord_1", 1, "X", 9_999)]


def test_a_code_is_redeemed_as_often_as_allowed_in_all_and_by_each_customer() -> None:
    service = promotions()

    service.hears(
        wished("LIMITED", "ord_1", customer="cus_1"),
        wished("LIMITED", "ord_2", customer="cus_1"),
        wished("LIMITED", "ord_3", customer="cus_2"),
        wished("LIMITED", "ord_4", customer="cus_3"),
    )

    assert service.sent == [
        PromoRedeemed("ord_1", 1, "LIMITED", 9_999),
        PromoRefused("ord_2", 1, "LIMITED", "used_up_by_customer"),
        PromoRedeemed("ord_3", 1, "LIMITED", 9_999),
        PromoRefused("ord_4", 1, "LIMITED", "used_up"),
    ]
    assert used(service, "LIMITED") == (2, {"cus_1": 1, "cus_2": 1})


@pytest.mark.parametrize("code", ["TENTH", "LIMITED", "NOBODYS"])
def test_a_repeated_request_gets_the_same_answer_and_uses_nothing_more(code: str) -> None:
    service = promotions()
    first = service.hears(wished(code)).send
    service.hears(CreateCode("NOBODYS", 5_000, 0, "RUB", 0, None, None, None, None, active=True))

    again = service.hears(wished(code))

    assert list(again.send) == list(first)
    assert again.save == ()


def test_a_cancelled_order_gives_its_code_back_once() -> None:
    service = promotions(wished("LIMITED"))

    service.hears(cancelled(), cancelled())
    assert used(service, "LIMITED") == (0, {"cus_1": 0})
    decision = service.hears(wished("LIMITED", "ord_2"))

    assert list(decision.send) == [PromoRedeemed("ord_2", 1, "LIMITED", 9_999)]


def test_a_cancellation_that_overtakes_the_redemption_refuses_it() -> None:
    service = promotions(cancelled())

    service.hears(wished(), wished())

    assert service.sent == [PromoRefused("ord_1", 1, "TENTH", "given_back")] * 2
    assert used(service, "TENTH") == (0, {})


def test_a_later_attempt_takes_the_place_of_an_earlier_one() -> None:
    service = promotions(wished("LIMITED"))

    decision = service.hears(wished("LIMITED", attempt=2, goods_minor=50_000))

    assert list(decision.send) == [PromoRedeemed("ord_1", 2, "LIMITED", 5_000)]
    assert used(service, "LIMITED") == (1, {"cus_1": 1})
    assert service.record(Redemption, "ord_1/1").status == "given_back"


def test_a_later_attempt_with_another_code_frees_the_first() -> None:
    service = promotions(wished("LIMITED"), wished("GIFT", attempt=2))

    assert used(service, "LIMITED") == (0, {"cus_1": 0})
    assert used(service, "GIFT") == (1, {"cus_1": 1})


def test_an_earlier_attempt_that_comes_late_gets_nothing() -> None:
    service = promotions(wished("LIMITED", attempt=2))

    decision = service.hears(wished("LIMITED", attempt=1))

    assert list(decision.send) == [PromoRefused("ord_1", 1, "LIMITED", "given_back")]
    assert used(service, "LIMITED") == (1, {"cus_1": 1})


LARGE = replace(TENTH, code="LARGE", goods_min_minor=90_000, uses_max=1, customer_uses_max=1)


def test_an_attempt_that_is_refused_leaves_the_order_what_it_has_redeemed() -> None:
    service = promotions(LARGE, wished("LARGE"))

    decision = service.hears(wished("LARGE", attempt=2, goods_minor=50_000))

    assert list(decision.send) == [PromoRefused("ord_1", 2, "LARGE", "total_too_low")]
    assert used(service, "LARGE") == (1, {"cus_1": 1})
    service.hears(cancelled(attempt=2))
    assert used(service, "LARGE") == (0, {"cus_1": 0})


def test_an_order_that_is_again_what_it_was_gets_the_same_discount_whatever_has_become_of_the_code() -> None:
    service = promotions(LARGE, wished("LARGE"), wished("LARGE", attempt=2, goods_minor=50_000))
    service.hears(ChangeCode("LARGE", 2, active=False))

    decision = service.hears(replace(wished("LARGE", attempt=3), again_minor=9_999))

    assert list(decision.send) == [PromoRedeemed("ord_1", 3, "LARGE", 9_999)]
    assert used(service, "LARGE") == (1, {"cus_1": 1})
    assert service.record(Redemption, "ord_1/1").status == "given_back"


def test_an_order_gets_the_discount_of_before_again_though_customers_may_use_the_code_less_often_now() -> None:
    service = promotions(wished("TENTH"), wished("TENTH", "ord_2"))
    service.hears(ChangeCode("TENTH", 3, customer_uses_max=1))

    decision = service.hears(replace(wished("TENTH", attempt=2), again_minor=9_999))

    assert list(decision.send) == [PromoRedeemed("ord_1", 2, "TENTH", 9_999)]
    assert used(service, "TENTH") == (2, {"cus_1": 2})


def test_a_discount_of_before_is_not_given_to_an_order_that_has_given_its_code_back() -> None:
    service = promotions(LARGE, wished("LARGE"), cancelled(), wished("LARGE", "ord_2"))

    decision = service.hears(replace(wished("LARGE", attempt=2), again_minor=9_999))

    assert list(decision.send) == [PromoRefused("ord_1", 2, "LARGE", "used_up_by_customer")]


def test_a_revived_order_redeems_again_at_its_next_attempt() -> None:
    service = promotions(wished("LIMITED"), cancelled())

    decision = service.hears(wished("LIMITED", attempt=2))

    assert list(decision.send) == [PromoRedeemed("ord_1", 2, "LIMITED", 9_999)]
    assert used(service, "LIMITED") == (1, {"cus_1": 1})


ONE_ORDER = (wished("LIMITED"), wished("GIFT", attempt=2), cancelled(attempt=2))


@pytest.mark.parametrize("twice", ONE_ORDER, ids=["first", "second", "cancelled"])
def test_whatever_the_order_of_its_messages_a_cancelled_order_keeps_no_code(twice: Body) -> None:
    for heard in permutations((*ONE_ORDER, twice)):
        service = promotions(*heard)

        assert used(service, "LIMITED")[0] == used(service, "GIFT")[0] == 0
        assert {one.used for one in service.records(CustomerUses).values()} <= {0}
        assert {one.status for one in service.records(Redemption).values()} == {"given_back"}


@pytest.mark.parametrize("twice", [*ONE_ORDER[:2], cancelled()], ids=["first", "second", "cancelled"])
def test_whatever_the_order_of_its_messages_a_revived_order_keeps_the_code_of_its_last_attempt(twice: Body) -> None:
    for heard in permutations((*ONE_ORDER[:2], cancelled(), twice)):
        service = promotions(*heard)

        assert used(service, "LIMITED")[0] == 0
        assert used(service, "GIFT") == (1, {"cus_1": 1})
        assert service.record(Redemption, "ord_1/2").status == "redeemed"


def test_a_code_changes_under_the_version_that_was_seen() -> None:
    service = promotions(wished("LIMITED"))

    assert service.hears(TENTH).reply == CodeTaken("TENTH")
    assert service.hears(ChangeCode("NONE", 1)).reply == UnknownCode("NONE")
    assert service.hears(ChangeCode("LIMITED", 1, active=False)).reply == VersionChanged(2)
    assert service.hears(ChangeCode("LIMITED", 2)).save == ()
    withdrawn = service.hears(ChangeCode("LIMITED", 2, active=False))

    assert isinstance(withdrawn.reply, Reply)
    assert (withdrawn.reply.body.version, withdrawn.reply.body.active) == (3, False)
    assert list(service.hears(wished("LIMITED", "ord_2")).send) == [
        PromoRefused("ord_2", 1, "LIMITED", "not_valid_now")
    ]


def test_what_was_redeemed_is_given_back_after_the_code_was_withdrawn_and_its_limit_lowered() -> None:
    service = promotions(wished("TENTH"), wished("TENTH", "ord_2"))
    service.hears(ChangeCode("TENTH", 3, active=False, customer_uses_max=1))

    service.hears(cancelled())

    assert used(service, "TENTH") == (1, {"cus_1": 1})


def test_a_limit_is_not_put_below_what_is_used() -> None:
    service = promotions(wished("TENTH"), wished("TENTH", "ord_2"))

    assert service.hears(ChangeCode("TENTH", 3, uses_max=1)).reply == BelowUsed(2, 1)
    assert isinstance(service.hears(ChangeCode("TENTH", 3, uses_max=2)).reply, Reply)


def test_a_code_ends_after_it_begins() -> None:
    begin, end = datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
    service = promotions()

    made = service.hears(replace(TENTH, code="X", valid_from=begin, valid_until=end))
    changed = service.hears(ChangeCode("TENTH", 1, valid_from=begin, valid_until=end))

    assert made.reply == changed.reply == NeverValid(begin, end)
