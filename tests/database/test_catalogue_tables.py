"""The catalogue's tables: what they keep, what they refuse, and what is found in them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from sagamart.messaging.database import Changes, ConflictError, RejectedError
from sagamart.messaging.postgres import PostgresDatabase
from sagamart.messaging.records import need
from sagamart.messaging.service import Service
from sagamart.platform.http import queries_of
from sagamart.shop.catalogue.records import Price, Product
from sagamart.shop.catalogue.service import CATALOGUE

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MUG = Product(1, "MUG", "Blue mug", "Holds 300 ml", 45_000, "RUB", 350, 80, 80, 100, 2_000, active=True)
BARE = Product(1, "BARE", "Stone", "", 0, "EUR", 0, None, None, None, 0, active=False)
FIRST_PRICE = Price("019aa000-0000-7000-8000-000000000001", "MUG", 45_000, "RUB", NOON, "cus_op")


@pytest_asyncio.fixture
async def database(database_of: Callable[[Service], Awaitable[str]]) -> AsyncIterator[PostgresDatabase]:
    made = PostgresDatabase(CATALOGUE, await database_of(CATALOGUE), node="test")
    yield made
    await made.close()


async def write(database: PostgresDatabase, *rows: msgspec.Struct) -> None:
    async with database.transaction() as transaction:
        new: dict[type, list[Any]] = {}
        for row in rows:
            new.setdefault(type(row), []).append(row)
        await transaction.write(Changes(new=new))


async def products(database: PostgresDatabase, *skus: str) -> list[Product]:
    async with database.transaction() as transaction:
        return (await transaction.load_more([need(Product, *skus)]))[Product]


async def prices(database: PostgresDatabase) -> list[Price]:
    connection = await asyncpg.connect(database.dsn)
    try:
        return [Price(*row) for row in await connection.fetch("select * from prices order by price_id")]
    finally:
        await connection.close()


async def test_products_and_prices_come_back_as_they_were_kept(database: PostgresDatabase) -> None:
    await write(database, MUG, BARE, FIRST_PRICE)
    assert await products(database, "BARE", "MUG") == [BARE, MUG]
    assert await prices(database) == [FIRST_PRICE]


async def test_a_changed_product_is_kept_where_nobody_else_changed_it(database: PostgresDatabase) -> None:
    await write(database, MUG)
    dearer = msgspec.structs.replace(MUG, version=2, price_minor=49_900)
    async with database.transaction() as transaction:
        await transaction.write(Changes(changed={Product: [(dearer, 1)]}))
    assert await products(database, "MUG") == [dearer]
    with pytest.raises(ConflictError):
        async with database.transaction() as transaction:
            await transaction.write(Changes(changed={Product: [(dearer, 1)]}))


async def test_a_sku_can_be_kept_once(database: PostgresDatabase) -> None:
    await write(database, MUG)
    with pytest.raises(ConflictError, match="products_pkey"):
        await write(database, MUG)


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"sku": "MUG/BLUE"}, "sku_is_plain"),
        ({"sku": "M" * 65}, "sku_is_plain"),
        ({"price_minor": -1}, "price_is_not_negative"),
        ({"currency": "rub"}, "currency_is_iso_4217"),
        ({"weight_g": -1}, "weight_is_not_negative"),
        ({"length_mm": 0}, "length_is_positive"),
        ({"width_mm": 0}, "width_is_positive"),
        ({"height_mm": 0}, "height_is_positive"),
        ({"tax_rate_bp": 10_001}, "tax_is_a_share"),
        ({"tax_rate_bp": -1}, "tax_is_a_share"),
    ],
    ids=str,
)
async def test_the_table_refuses_what_the_rules_would_never_write(
    database: PostgresDatabase, wrong: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await write(database, msgspec.structs.replace(MUG, **wrong))


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [({"sku": "CUP"}, "price_has_a_product"), ({"price_minor": -1}, "old_price_is_not_negative")],
    ids=str,
)
async def test_the_price_history_refuses_what_was_never_a_price(
    database: PostgresDatabase, wrong: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await write(database, MUG, msgspec.structs.replace(FIRST_PRICE, **wrong))


@pytest.mark.parametrize("change", ["update prices set price_minor = 1", "delete from prices", "truncate prices"])
async def test_the_price_history_cannot_be_rewritten(database: PostgresDatabase, change: str) -> None:
    await write(database, MUG, FIRST_PRICE)
    connection = await asyncpg.connect(database.dsn)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(change)
    finally:
        await connection.close()


async def test_a_batch_that_breaks_off_leaves_neither_product_nor_price(database: PostgresDatabase) -> None:
    async def break_off() -> None:
        async with database.transaction() as transaction:
            await transaction.write(Changes(new={Product: [MUG], Price: [FIRST_PRICE]}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    assert await products(database, "MUG") == []
    assert await prices(database) == []


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("mug", ["MUG"]),
        ("MUGS", ["MUG"]),
        ("bl", ["MUG"]),
        ("blue mu", ["MUG"]),
        ("holding", ["MUG"]),
        ("кружка", ["KRUZHKA"]),
        ("кружки", ["KRUZHKA"]),
        ("круж", ["KRUZHKA"]),
        ("керамическую", ["KRUZHKA"]),
        ("blue plate", []),
        ("!!! & | :* ' \\", []),
        ("", []),
    ],
)
async def test_products_are_found_in_english_and_russian_and_by_words_half_typed(
    database: PostgresDatabase, question: str, found: list[str]
) -> None:
    kruzhka = msgspec.structs.replace(MUG, sku="KRUZHKA", title="Синяя кружка", description="Керамическая, 300 мл")
    await write(database, MUG, kruzhka, BARE)
    async with asyncpg.create_pool(database.dsn, min_size=1, max_size=1) as pool:
        queries = queries_of("sagamart.shop.catalogue", pool)
        rows = await queries.products_found(question=question, active=True, after="", limit=10)
    assert [row["sku"] for row in rows] == found


async def test_a_search_uses_its_index(database: PostgresDatabase) -> None:
    connection = await asyncpg.connect(database.dsn)
    try:
        await connection.execute("set enable_seqscan = off")
        plan = await connection.fetch(
            "explain select 1 from products where product_words(title, description) @@ question_words('mug')"
        )
    finally:
        await connection.close()
    assert "products_by_words" in "".join(row[0] for row in plan)
