"""The rules of promo codes.  Each takes a message and the records that it asked for, and says what follows.

- An attempt redeems once, for ever: a repeated request gets the earlier answer from its row.
- A later attempt of an order takes the place of its earlier ones: what they have redeemed is free for it.  One that is
  refused leaves it with what it had, which an attempt that undoes the change gets again.
- A cancellation gives back once; one that overtakes the redemption leaves a row that refuses it when it comes.
- 0 <= used <= uses_max, in all and for each customer, here and by constraints of the tables.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, assert_never

from msgspec import UNSET
from msgspec.structs import replace

from sagamart.contracts.order_requests import PromoRedemptionRequested
from sagamart.contracts.orders import OrderCancelled, attempt_id
from sagamart.contracts.promotions import PromoRedeemed, PromoRefusal, PromoRefused
from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.messaging.records import Record
from sagamart.shop.promotions.messages import ChangeCode, CreateCode
from sagamart.shop.promotions.records import CustomerUses, PromoCode, Redemption, uses_id_of

BP_PER_WHOLE = 10_000


class CodeTaken(Refusal, frozen=True):
    """A code means one thing, for ever."""

    title: ClassVar[str] = "There is such a promo code already"

    promo_code: str


class UnknownCode(Refusal, frozen=True):
    """There is no such code."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such promo code"

    promo_code: str


class VersionChanged(Refusal, frozen=True):
    """The caller saw another version than there is now."""

    status: ClassVar[int] = 412
    title: ClassVar[str] = "The promo code has changed meanwhile"

    version: int


class NeverValid(Refusal, frozen=True):
    """A code ends after it begins."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = "The promo code would end before it begins"

    valid_from: datetime
    valid_until: datetime


class BelowUsed(Refusal, frozen=True):
    """What customers have redeemed is theirs: a limit cannot be put below it."""

    title: ClassVar[str] = "The promo code has been used more often than that"

    used: int
    uses_max: int


class Wish(NamedTuple):
    """What a code is wanted for, when, and how often the customer has it redeemed already."""

    goods_minor: int
    currency: str
    at: datetime
    used_by_customer: int


REFUSALS: Mapping[PromoRefusal, Callable[[PromoCode, Wish], bool]] = {
    "not_valid_now": lambda code, _: not code.active,
    "not_yet_valid": lambda code, wish: wish.at < code.valid_from,
    "expired": lambda code, wish: code.valid_until is not None and wish.at >= code.valid_until,
    "other_currency": lambda code, wish: wish.currency != code.currency,
    "total_too_low": lambda code, wish: wish.goods_minor < code.goods_min_minor,
    "used_up_by_customer": lambda code, wish: (
        code.customer_uses_max is not None and wish.used_by_customer >= code.customer_uses_max
    ),
    "used_up": lambda code, _: code.uses_max is not None and code.used >= code.uses_max,
}
"""Why a code does not count, in this order: the customer hears the first."""


class Uses(NamedTuple):
    """How often codes are used, in all and by the customer of an order."""

    codes: Mapping[str, PromoCode]
    customers: Mapping[str, CustomerUses]


def redeem(message: Message[PromoRedemptionRequested], redemptions: Mapping[str, Redemption], uses: Uses) -> Decision:
    """Take the code's discount off this attempt, or say why it does not count."""
    body = message.body
    known = redemptions.get(body.attempt_id)
    if known is not None:
        return Decision(send=[_answer(known, body.code)])

    name = normal(body.code)
    made = Redemption(1, body.attempt_id, body.order_id, body.attempt, body.customer_id, name, "refused")
    unseen = _unseen(body, redemptions)
    earlier = [one for one in redemptions.values() if one.attempt < body.attempt and one.status == "redeemed"]
    if body.again_minor is not None and any(one.code == name for one in earlier):
        again = replace(made, status="redeemed", discount_minor=body.again_minor)  # used as often as before
        return Decision(save=[again, *map(_given_back, earlier), *unseen], send=[_answer(again, body.code)])

    free = _changed(uses, earlier, -1)
    code, own = free.codes.get(name), free.customers.get(uses_id_of(name, body.customer_id))
    reason = refusal_of(code, Wish(body.goods_minor, body.currency, message.at, own.used if own is not None else 0))
    if code is None or reason is not None:
        refused = replace(made, reason=reason or "unknown_code")
        return Decision(save=[refused, *unseen], send=[_answer(refused, body.code)])

    # From here the redemption must succeed.
    redeemed = replace(made, status="redeemed", discount_minor=discount_minor(code, body.goods_minor))
    counted = _differing(uses, _changed(free, [redeemed], +1))
    return Decision(save=[redeemed, *map(_given_back, earlier), *unseen, *counted], send=[_answer(redeemed, body.code)])


def give_back(message: OrderCancelled, redemptions: Mapping[str, Redemption], uses: Uses) -> Decision:
    """Free what any attempt of this order redeemed; refuse in advance what has not come yet."""
    redeemed = [one for one in redemptions.values() if one.status == "redeemed"]
    saved = [_given_back(one) for one in redeemed]
    for attempt in range(1, message.attempt + 1):
        name = attempt_id(message.order_id, attempt)
        if name not in redemptions:
            saved.append(_tombstone(message.order_id, attempt, message.customer_id))
    return Decision(save=[*saved, *_differing(uses, _changed(uses, redeemed, -1))])


def refusal_of(code: PromoCode | None, wish: Wish) -> PromoRefusal | None:
    """The first rule that refuses this code, None where it counts."""
    if code is None:
        return "unknown_code"
    return next((reason for reason, refuses in REFUSALS.items() if refuses(code, wish)), None)


def discount_minor(code: PromoCode, goods_minor: int) -> int:
    """What the code takes off goods of this price, in minor units; a share is rounded down."""
    return min(goods_minor, code.amount_minor + goods_minor * code.percent_bp // BP_PER_WHOLE)


def normal(code: str) -> str:
    """A code as it is kept: nobody has to type it in capitals."""
    return code.strip().upper()


def create(message: Message[CreateCode], code: PromoCode | None) -> Decision:
    """Make a code, under a name that was never used."""
    body = message.body
    if code is not None:
        return Decision(reply=CodeTaken(body.code))
    told = {field: getattr(body, field) for field in CreateCode.__struct_fields__}
    made = PromoCode(1, **{**told, "valid_from": body.valid_from or message.at})
    if _never_valid(made):
        return Decision(reply=_never_valid(made))
    return Decision(save=[made], reply=Reply(201, made, f"/v1/promo-codes/{made.code}"))


def change(message: ChangeCode, code: PromoCode | None) -> Decision:
    """Change when and how often a code counts.  What changes nothing makes no new version."""
    if code is None:
        return Decision(reply=UnknownCode(message.code))
    if message.expected_version != code.version:
        return Decision(reply=VersionChanged(code.version))
    wished = {
        field: value
        for field in ChangeCode.__struct_fields__
        if field in PromoCode.__struct_fields__ and (value := getattr(message, field)) is not UNSET
    }
    after = replace(code, **wished)
    if after == code:
        return Decision(reply=Reply(200, code))
    if _never_valid(after):
        return Decision(reply=_never_valid(after))
    if after.uses_max is not None and after.uses_max < code.used:
        return Decision(reply=BelowUsed(code.used, after.uses_max))
    saved = replace(after, version=code.version + 1)
    return Decision(save=[saved], reply=Reply(200, saved))


def attempt_ids(order_id: str, attempt: int) -> list[str]:
    """All attempts that an order has made so far."""
    return [attempt_id(order_id, number) for number in range(1, attempt + 1)]


def _never_valid(code: PromoCode) -> NeverValid | None:
    if code.valid_until is None or code.valid_from < code.valid_until:
        return None
    return NeverValid(code.valid_from, code.valid_until)


def _answer(redemption: Redemption, code: str) -> PromoRedeemed | PromoRefused:
    match redemption.status:
        case "redeemed":
            return PromoRedeemed(redemption.order_id, redemption.attempt, code, redemption.discount_minor)
        case "refused":
            return PromoRefused(redemption.order_id, redemption.attempt, code, redemption.reason or "unknown_code")
        case "given_back":
            return PromoRefused(redemption.order_id, redemption.attempt, code, "given_back")
        case _:
            assert_never(redemption.status)


def _unseen(body: PromoRedemptionRequested, redemptions: Mapping[str, Redemption]) -> list[Redemption]:
    """Earlier attempts that have not come: one that comes after this one gets nothing."""
    earlier = [attempt for attempt in range(1, body.attempt) if attempt_id(body.order_id, attempt) not in redemptions]
    return [_tombstone(body.order_id, attempt, body.customer_id) for attempt in earlier]


def _given_back(redemption: Redemption) -> Redemption:
    return replace(redemption, version=redemption.version + 1, status="given_back")


def _tombstone(order_id: str, attempt: int, customer_id: str) -> Redemption:
    return Redemption(1, attempt_id(order_id, attempt), order_id, attempt, customer_id, "", "given_back")


def _changed(uses: Uses, redemptions: Iterable[Redemption], by: int) -> Uses:
    """The counts with these redemptions more, or fewer."""
    codes, customers = dict(uses.codes), dict(uses.customers)
    for one in redemptions:
        code = codes[one.code]
        name = uses_id_of(one.code, one.customer_id)
        own = customers.get(name) or CustomerUses(0, name, one.code, one.customer_id)
        codes[one.code] = code.change_used(by)
        customers[name] = own.change_used(by, code.customer_uses_max if by > 0 else own.uses_max)
    return Uses(codes, customers)


def _differing(before: Uses, after: Uses) -> list[Record]:
    """The counts that differ, each one version on however often it was changed."""
    found: list[Record] = []
    pairs: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = [
        (before.codes, after.codes),
        (before.customers, after.customers),
    ]
    for old, new in pairs:
        for name, row in new.items():
            known = old.get(name)
            if known is None:
                found.append(replace(row, version=1))
            elif row.used != known.used:
                found.append(replace(row, version=known.version + 1))
    return found
