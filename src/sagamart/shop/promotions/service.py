"""Promotions as a service: which records each message needs, and which rule decides."""

from collections.abc import Sequence

from sagamart.contracts.order_requests import PromoRedemptionRequested
from sagamart.contracts.orders import OrderCancelled
from sagamart.contracts.promotions import PromoRedeemed, PromoRefused
from sagamart.messaging.message import Message
from sagamart.messaging.records import Need, Records, need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.promotions.decide import Uses, attempt_ids, change, create, give_back, normal, redeem
from sagamart.shop.promotions.messages import ChangeCode, CreateCode
from sagamart.shop.promotions.records import (
    CUSTOMER_USES,
    PROMO_CODES,
    REDEMPTIONS,
    CustomerUses,
    PromoCode,
    Redemption,
    uses_id_of,
)


def _attempts(message: Message[PromoRedemptionRequested] | Message[OrderCancelled]) -> Sequence[Need]:
    return (need(Redemption, *attempt_ids(message.body.order_id, message.body.attempt)),)


def _counts(message: Message[PromoRedemptionRequested] | Message[OrderCancelled], have: Records) -> Sequence[Need]:
    """The codes that this order has redeemed or wants to redeem, and what its customer has of each."""
    body = message.body
    codes = {one.code for one in have.all(Redemption).values() if one.status == "redeemed"}
    if isinstance(body, PromoRedemptionRequested):
        codes.add(normal(body.code))
    if not codes:
        return ()
    return need(PromoCode, *codes), need(CustomerUses, *(uses_id_of(code, body.customer_id) for code in codes))


def _uses(have: Records) -> Uses:
    return Uses(have.all(PromoCode), have.all(CustomerUses))


PROMOTIONS = Service(
    "promotions",
    tables=(REDEMPTIONS, PROMO_CODES, CUSTOMER_USES),
    migrations="sagamart.shop.promotions.migrations",
    handlers=(
        Handler(
            takes=PromoRedemptionRequested,
            needs=_attempts,
            then=_counts,
            decide=lambda m, have: redeem(m, have.all(Redemption), _uses(have)),
            emits=(PromoRedeemed, PromoRefused),
        ),
        Handler(
            takes=OrderCancelled,
            needs=_attempts,
            then=_counts,
            decide=lambda m, have: give_back(m.body, have.all(Redemption), _uses(have)),
        ),
        Handler(
            takes=CreateCode,
            needs=lambda m: (need(PromoCode, m.body.code),),
            decide=lambda m, have: create(m, have.find(PromoCode, m.body.code)),
        ),
        Handler(
            takes=ChangeCode,
            needs=lambda m: (need(PromoCode, m.body.code),),
            decide=lambda m, have: change(m.body, have.find(PromoCode, m.body.code)),
        ),
    ),
)
