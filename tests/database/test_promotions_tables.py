"""Promotions' tables on a real PostgreSQL: what must not be is refused."""

import pytest
from msgspec.structs import replace

from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.promotions.service import PROMOTIONS
from shop_fixtures import Tables, TablesOf
from table_rows import ANNAS, AT, ENDLESS, NOT_REDEEMED, REDEEMED, TENTH


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(PROMOTIONS)


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
        (replace(NOT_REDEEMED, reason=None), "refused_for_a_reason"),
        (replace(NOT_REDEEMED, discount_minor=1), "refused_takes_nothing_off"),
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: Record, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)


async def test_a_customer_has_one_count_of_a_code(tables: Tables) -> None:
    await tables.save(ANNAS)

    with pytest.raises(ConflictError, match="customer_uses_code_customer_id_key"):
        await tables.save(replace(ANNAS, uses_id="another"))
