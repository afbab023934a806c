"""Promotions' tables on a real PostgreSQL: what goes in comes out, what must not be is refused."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.promotions.records import CustomerUses, PromoCode, Redemption
from sagamart.shop.promotions.service import PROMOTIONS
from shop_fixtures import Tables, TablesOf

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
LATER = datetime(2026, 12, 21, 12, 0, tzinfo=UTC)
TENTH = PromoCode(1, "TENTH", 1_000, 0, "RUB", 50_000, AT, LATER, 3, 1, active=True, used=2)
ENDLESS = PromoCode(1, "GIFT", 0, 50_000, "RUB", 0, AT, None, None, None, active=False, used=9)
ANNAS = CustomerUses(1, "TENTH/cus_1", "TENTH", "cus_1", 1, 1)
REDEEMED = Redemption(1, "ord_1/1", "ord_1", 1, "cus_1", "TENTH", "redeemed", 9_999)
REFUSED = Redemption(1, "ord_2/1", "ord_2", 1, "cus_1", "НЕТ", "refused", 0, "unknown_code")


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(PROMOTIONS)


async def test_rows_come_out_as_they_went_in(tables: Tables) -> None:
    await tables.save(TENTH, ENDLESS, ANNAS, REDEEMED, REFUSED)

    assert await tables.load(PromoCode, "GIFT", "TENTH", "NONE") == [ENDLESS, TENTH]
    assert await tables.load(CustomerUses, "TENTH/cus_1") == [ANNAS]
    assert await tables.load(Redemption, "ord_1/1", "ord_2/1") == [REDEEMED, REFUSED]


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (replace(TENTH, used=4), "used_no_more_than_allowed"),
        (replace(TENTH, used=-1), "used_no_more_than_allowed"),
        (replace(ENDLESS, used=-1), "used_no_more_than_allowed"),
        (replace(TENTH, percent_bp=10_001), "promo_codes_percent_bp_check"),
        (replace(TENTH, amount_minor=-1), "promo_codes_amount_minor_check"),
        (replace(TENTH, amount_minor=1), "share_or_amount"),
        (replace(TENTH, percent_bp=0), "share_or_amount"),
        (replace(TENTH, currency="RUBLE"), "promo_codes_currency_check"),
        (replace(TENTH, goods_min_minor=-1), "promo_codes_goods_min_minor_check"),
        (replace(TENTH, customer_uses_max=0), "promo_codes_customer_uses_max_check"),
        (replace(TENTH, valid_until=AT), "begins_before_it_ends"),
        (replace(ANNAS, used=2), "used_no_more_than_a_customer_may"),
        (replace(ANNAS, used=-1), "customer_uses_used_check"),
        (replace(REDEEMED, attempt=0), "redemptions_attempt_check"),
        (replace(REDEEMED, status="lost"), "redemptions_status_check"),
        (replace(REDEEMED, discount_minor=-1), "redemptions_discount_minor_check"),
        (replace(REDEEMED, reason="expired"), "refused_for_a_reason"),
        (replace(REFUSED, reason=None), "refused_for_a_reason"),
        (replace(REFUSED, discount_minor=1), "refused_takes_nothing_off"),
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: Record, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)


async def test_an_attempt_has_one_redemption_for_ever(tables: Tables) -> None:
    await tables.save(REDEEMED)

    with pytest.raises(ConflictError, match="redemptions_pkey"):
        await tables.save(REDEEMED)


async def test_a_customer_has_one_count_of_a_code(tables: Tables) -> None:
    await tables.save(ANNAS)

    with pytest.raises(ConflictError, match="customer_uses_code_customer_id_key"):
        await tables.save(replace(ANNAS, uses_id="another"))


async def test_of_two_last_redemptions_by_two_replicas_one_is_saved(tables: Tables) -> None:
    await tables.save(TENTH)
    await tables.replace(replace(TENTH, version=2, used=3), loaded=1)

    with pytest.raises(ConflictError, match="version"):
        await tables.replace(replace(TENTH, version=2, used=3), loaded=1)


async def test_a_rollback_leaves_nothing(tables: Tables) -> None:
    with pytest.raises(KeyboardInterrupt):
        await tables.save(TENTH, ANNAS, REDEEMED, then=KeyboardInterrupt())

    assert await tables.load(PromoCode, "TENTH") == []
    assert await tables.load(CustomerUses, "TENTH/cus_1") == []
    assert await tables.load(Redemption, "ord_1/1") == []
