"""Shipping's tables on a real PostgreSQL: what must not be is refused."""

import pytest
from msgspec.structs import replace

from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.shipping.records import (
    Shipment,
)
from sagamart.shop.shipping.service import SHIPPING
from shop_fixtures import Tables, TablesOf
from table_rows import ANNOUNCED, COURIER, CUP, PENDING

GONE = replace(PENDING, status="handed_over", carrier="Post", tracking="RA1RU")


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(SHIPPING)


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (replace(COURIER, price_minor=-1), "delivery_methods_price_minor_check"),
        (replace(COURIER, per_kg_minor=-1), "delivery_methods_per_kg_minor_check"),
        (replace(COURIER, currency="RUBLE"), "delivery_methods_currency_check"),
        (replace(CUP, weight_g=-1), "product_measures_weight_g_check"),
        (replace(CUP, length_mm=0), "product_measures_length_mm_check"),
        (replace(CUP, width_mm=0), "product_measures_width_mm_check"),
        (replace(CUP, height_mm=0), "product_measures_height_mm_check"),
        (replace(PENDING, status="lost"), "shipments_status_check"),
        (replace(PENDING, pieces_back=3), "no_more_back_than_sent"),
        (replace(PENDING, pieces_back=-1), "no_more_back_than_sent"),
        (replace(GONE, status="returned", pieces_back=1), "returned_is_all_back"),
        (replace(PENDING, status="refused"), "refused_for_a_reason"),
        (replace(GONE, carrier=""), "sent_by_a_carrier"),
        (replace(PENDING, carrier="Post"), "sent_by_a_carrier"),
        (replace(PENDING, parcels=()), "sent_in_parcels"),
        (replace(PENDING, changes=-1), "shipments_changes_check"),
        (replace(ANNOUNCED, status="lost"), "returns_status_check"),
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: Record, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)


async def test_an_order_has_one_shipment_for_ever(tables: Tables) -> None:
    await tables.save(PENDING)

    with pytest.raises(ConflictError, match="shipments_order_id_key"):
        await tables.save(replace(PENDING, shipment_id="shp_other"))


async def test_of_a_stop_and_a_hand_over_of_the_same_version_one_is_saved(tables: Tables) -> None:
    await tables.save(PENDING)
    await tables.replace(replace(PENDING, version=2, status="stopped"), loaded=1)

    with pytest.raises(ConflictError, match="version"):
        await tables.replace(replace(GONE, version=2), loaded=1)

    (kept,) = await tables.load(Shipment, "shp_1")
    assert kept.status == "stopped"
