"""The catalogue's tables: what they keep, what they refuse, and what is found in them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
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
from sagamart.shop.catalogue.records import Photo, Price, Product
from sagamart.shop.catalogue.search import Filters, Place
from sagamart.shop.catalogue.service import CATALOGUE

TWELVE_BYTES_DIGEST = sha256(b"twelve bytes").hexdigest()
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


KRUZHKA = msgspec.structs.replace(MUG, sku="KRUZHKA", title="Синяя кружка", description="Керамическая, жёлтый кант")
SAUCER = msgspec.structs.replace(MUG, sku="SAUCER", title="Saucer", description="For a blue mug")


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("mug", ["MUG", "SAUCER"]),
        ("MUGS", ["MUG", "SAUCER"]),
        ("bl", ["MUG", "SAUCER"]),
        ("blue mu", ["MUG", "SAUCER"]),
        ("holding", ["MUG"]),
        ("mug -saucer", ["MUG"]),
        ('"blue mug"', ["MUG", "SAUCER"]),
        ('"mug blue"', []),
        ("holds or кружка", ["KRUZHKA", "MUG"]),
        ("кружка", ["KRUZHKA"]),
        ("кружки", ["KRUZHKA"]),
        ("круж", ["KRUZHKA"]),
        ("керамическую", ["KRUZHKA"]),
        ("желтый", ["KRUZHKA"]),
        ("kruzhka", ["KRUZHKA"]),
        ("blue plate", []),
        ("!!! & | :* ' \\", []),
        ("it's", []),
        ("", []),
    ],
)
async def test_products_are_found_in_english_and_russian_and_by_words_half_typed(
    database: PostgresDatabase, question: str, found: list[str]
) -> None:
    await write(database, MUG, KRUZHKA, SAUCER, BARE)
    assert sorted(await found_by(database, question)) == found


async def test_who_is_called_so_comes_before_who_is_described_so(database: PostgresDatabase) -> None:
    described = msgspec.structs.replace(MUG, sku="A-BOX", title="Box", description="Room for one mug")
    await write(database, described, MUG)
    assert await found_by(database, "mug") == ["MUG", "A-BOX"]


async def found_by(database: PostgresDatabase, question: str) -> list[str]:
    async with asyncpg.create_pool(database.dsn, min_size=1, max_size=1) as pool:
        queries = queries_of("sagamart.shop.catalogue", pool)
        asked = Place("relevance", question)
        rows = await queries.products_found(
            **msgspec.structs.asdict(Filters()), **msgspec.structs.asdict(asked), ranked_max=100, limit=10
        )
    return [row["sku"] for row in rows]


async def test_the_vocabulary_learns_from_new_and_from_changed_products(database: PostgresDatabase) -> None:
    await write(database, MUG)
    async with database.transaction() as transaction:
        renamed = msgspec.structs.replace(MUG, version=2, title="Чашка чашка")
        await transaction.write(Changes(changed={Product: [(renamed, 1)]}))
    connection = await asyncpg.connect(database.dsn)
    try:
        words = await connection.fetch("select word from search_words order by word")
        trigrams = await connection.fetch("select trigram from search_trigrams where word = 'blue' order by trigram")
    finally:
        await connection.close()
    assert [row[0] for row in words] == ["blue", "holds", "чашка"]
    assert [row[0] for row in trigrams] == ["  b", " bl", "blu", "lue", "ue "]


@pytest.mark.parametrize(
    ("name", "content", "constraint"),
    [
        ("f" * 64 + ".png", b"twelve bytes", "photo_has_its_digest"),
        (TWELVE_BYTES_DIGEST + ".gif", b"twelve bytes", "photo_is_named_by_its_bytes"),
        (sha256(bytes(1_048_577)).hexdigest() + ".png", bytes(1_048_577), "photo_is_at_most_1_mib"),
    ],
    ids=["digest", "type", "size"],
)
async def test_the_table_of_photos_refuses_what_is_not_what_its_name_says(
    database: PostgresDatabase, name: str, content: bytes, constraint: str
) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await write(database, Photo(1, name, content))


async def test_a_product_shows_only_a_photo_that_is_kept(database: PostgresDatabase) -> None:
    photo = Photo(1, TWELVE_BYTES_DIGEST + ".png", b"twelve bytes")
    with_photo = msgspec.structs.replace(MUG, photo=photo.photo_id)
    with pytest.raises(RejectedError, match="product_shows_a_photo_that_is_there"):
        await write(database, with_photo)
    await write(database, with_photo, photo)
    assert await products(database, "MUG") == [with_photo]


async def test_a_search_uses_its_index(database: PostgresDatabase) -> None:
    connection = await asyncpg.connect(database.dsn)
    try:
        await connection.execute("set enable_seqscan = off")
        plan = await connection.fetch("explain select 1 from products where words @@ asked_words('mug')")
    finally:
        await connection.close()
    assert "products_by_weighed_words" in "".join(row[0] for row in plan)
