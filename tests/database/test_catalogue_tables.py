"""The catalogue's tables: what they keep, what they refuse, and what is found in them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from sagamart.messaging.database import Changes, RejectedError
from sagamart.messaging.postgres import PostgresDatabase
from sagamart.messaging.records import need
from sagamart.messaging.service import Service
from sagamart.platform.http import queries_of
from sagamart.shop.catalogue.records import Availability, Photo, Product
from sagamart.shop.catalogue.search import Filters, Place
from sagamart.shop.catalogue.service import CATALOGUE
from table_rows import BARE, MUG, PICTURE, PRICE


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
        await write(database, MUG, msgspec.structs.replace(PRICE, **wrong))


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
        (PICTURE.photo_id.replace("png", "gif"), PICTURE.content, "photo_is_named_by_its_bytes"),
        (sha256(bytes(1_048_577)).hexdigest() + ".png", bytes(1_048_577), "photo_is_at_most_1_mib"),
    ],
    ids=["digest", "type", "size"],
)
async def test_the_table_of_photos_refuses_what_is_not_what_its_name_says(
    database: PostgresDatabase, name: str, content: bytes, constraint: str
) -> None:
    with pytest.raises(RejectedError, match=constraint):
        await write(database, Photo(1, name, content))


async def test_a_copy_of_stocks_facts_has_a_version_of_theirs(database: PostgresDatabase) -> None:
    with pytest.raises(RejectedError, match="availabilities_stock_version_check"):
        await write(database, Availability(1, "MUG", -1, available=True))


async def test_a_product_shows_only_a_photo_that_is_kept(database: PostgresDatabase) -> None:
    with_photo = msgspec.structs.replace(MUG, photo=PICTURE.photo_id)
    with pytest.raises(RejectedError, match="product_shows_a_photo_that_is_there"):
        await write(database, with_photo)
    await write(database, with_photo, PICTURE)
    assert await products(database, "MUG") == [with_photo]


async def test_a_search_uses_its_index(database: PostgresDatabase) -> None:
    connection = await asyncpg.connect(database.dsn)
    try:
        await connection.execute("set enable_seqscan = off")
        plan = await connection.fetch("explain select 1 from products where words @@ asked_words('mug')")
    finally:
        await connection.close()
    assert "products_by_weighed_words" in "".join(row[0] for row in plan)
