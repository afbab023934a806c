"""Shipping's tables on a real PostgreSQL: what goes in comes out, what must not be is refused."""

from datetime import UTC, datetime

import asyncpg
import pytest
from msgspec.structs import replace

from sagamart.contracts.orders import Address, ReturnedLine
from sagamart.messaging.database import ConflictError, RejectedError
from sagamart.messaging.records import Record
from sagamart.shop.shipping.records import (
    DeliveryMethod,
    HandOver,
    PackedPieces,
    Parcel,
    ParcelLimits,
    ProductMeasures,
    Return,
    Shipment,
)
from sagamart.shop.shipping.service import SHIPPING
from shop_fixtures import Tables, TablesOf

AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
LIMITS = ParcelLimits(20_000, 1_200, 120_000)
COURIER = DeliveryMethod(
    1,
    "courier",
    "Courier",
    "Курьер",
    30_000,
    500,
    "RUB",
    needs_shipment=True,
    needs_address=True,
    countries=("RU", "BY"),
    parcel_max=LIMITS,
    active=True,
)
CUP = ProductMeasures(1, "CUP", 3, 400, 90, None, 70)
MOSCOW = Address("Анна", "RU", "Москва", "Тверская, 1", "125009", "+7 495 000-00-00", "звонить дважды")
PENDING = Shipment(
    version=1,
    shipment_id="shp_1",
    order_id="ord_1",
    customer_id="cus_1",
    method="courier",
    status="pending",
    reason=None,
    address=MOSCOW,
    parcels=(Parcel(800, 5_000, (PackedPieces(0, 2),)),),
    pieces=2,
    pieces_back=0,
    carrier="",
    tracking="",
    changed_at=AT,
)
GONE = replace(PENDING, status="handed_over", carrier="Post", tracking="RA1RU")
TOMBSTONE = replace(
    PENDING,
    shipment_id="shp_2",
    order_id="ord_2",
    status="stopped",
    reason="stopped",
    address=None,
    parcels=(),
    pieces=0,
    method="",
)
ANNOUNCED = Return(1, "ret_1", "ord_1", "announced", (ReturnedLine(0, 1),))
TAKEN = HandOver("shp_1-1", "shp_1", "Post", "RA1RU", "usr_packer", AT)


@pytest.fixture
async def tables(tables_of: TablesOf) -> Tables:
    return await tables_of(SHIPPING)


async def test_rows_come_out_as_they_went_in(tables: Tables) -> None:
    await tables.save(COURIER, CUP, PENDING, TOMBSTONE, ANNOUNCED, TAKEN)

    assert await tables.load(DeliveryMethod, "courier", "none") == [COURIER]
    assert await tables.load(ProductMeasures, "CUP") == [CUP]
    assert await tables.load(Shipment, "shp_1", "shp_2") == [PENDING, TOMBSTONE]
    assert await tables.load(Return, "ret_1") == [ANNOUNCED]
    assert await tables.journal(HandOver) == [TAKEN]


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
        (replace(ANNOUNCED, status="lost"), "returns_status_check"),
    ],
)
async def test_a_row_against_the_rules_is_refused(tables: Tables, row: Record, constraint: str) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await tables.save(row)


async def test_a_parcel_is_handed_over_once_for_ever(tables: Tables) -> None:
    await tables.save(TAKEN)

    with pytest.raises(ConflictError, match="hand_overs_pkey"):
        await tables.save(replace(TAKEN, tracking="RA2RU"))


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


async def test_a_rollback_leaves_nothing(tables: Tables) -> None:
    with pytest.raises(KeyboardInterrupt):
        await tables.save(COURIER, CUP, PENDING, ANNOUNCED, TAKEN, then=KeyboardInterrupt())

    assert await tables.load(DeliveryMethod, "courier") == []
    assert await tables.load(ProductMeasures, "CUP") == []
    assert await tables.load(Shipment, "shp_1") == []
    assert await tables.load(Return, "ret_1") == []
    assert await tables.journal(HandOver) == []


@pytest.mark.parametrize("statement", ["update hand_overs set tracking = ''", "delete from hand_overs"])
async def test_the_journal_cannot_be_rewritten(tables: Tables, statement: str) -> None:
    await tables.save(TAKEN)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tables.run(statement)
