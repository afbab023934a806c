"""How fast the catalogue answers: 100,000 products, words by Zipf's law, in both languages, some of them mistyped."""

import itertools
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg

from sagamart.platform.embedded import EmbeddedPostgres
from sagamart.platform.http import Queries, queries_of
from sagamart.programs import prepared
from sagamart.shop.catalogue.search import Filters, Sort, Wanted, look_for

PRODUCTS = 100_000
WORDS = 20_000
QUESTIONS = 400
PAGE = 50
SEED = 7

ENGLISH = ("ar", "ben", "cor", "dil", "ev", "fan", "gor", "hil", "in", "jam", "kel", "lun", "mor", "nes", "or", "pel")
RUSSIAN = ("ар", "бен", "кор", "дил", "ев", "фан", "гор", "хил", "ин", "жам", "кел", "лун", "мор", "нес", "ор", "пел")

_FILL = """
    insert into products (version, sku, title, description, price_minor, currency, weight_g, tax_rate_bp, active)
    select 1, sku, title, description, price_minor, 'RUB', 100, 0, true
    from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as made (sku, title, description, price_minor)
"""


async def measured(folder: Path, rounds: int) -> Mapping[str, float]:
    """Milliseconds of a page for plain, half-typed, sorted and mistyped questions."""
    async with EmbeddedPostgres(folder, progress=print) as postgres:
        dsn = (await prepared(postgres.dsn(), ["catalogue"], print))["catalogue"]
        async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
            await _fill(pool)
            queries = queries_of("sagamart.shop.catalogue", pool)
            chance = random.Random(SEED)
            questions = [_said(chance, 1) for _ in range(QUESTIONS * rounds)]
            typed = [question[: max(3, len(question) - 2)] for question in questions]
            wrong = [_mistyped(question, chance) for question in questions]
            return {
                **await _times("search", queries, questions),
                **await _times("search_half_typed", queries, typed),
                **await _times("search_by_price", queries, questions, "price"),
                **await _times("search_mistyped", queries, wrong),
            }


async def _times(name: str, queries: Queries, questions: Sequence[str], sort: Sort | None = None) -> dict[str, float]:
    took, found = [], 0
    for question in questions:
        started = time.perf_counter()
        page = await look_for(queries, Wanted(question, Filters(), sort), None, PAGE)
        took.append((time.perf_counter() - started) * 1000)
        found += bool(page.rows)
    assert found > len(questions) * 0.8, f"{name}: only {found} of {len(questions)} questions found anything"
    percentiles = statistics.quantiles(took, n=100)
    return {f"{name}_p50_ms": percentiles[49], f"{name}_p99_ms": percentiles[98]}


def _vocabulary() -> list[str]:
    """Made-up words, the common ones short, every other one Russian."""
    chance = random.Random(SEED)
    words: dict[str, None] = {}
    while len(words) < WORDS:
        syllables = RUSSIAN if len(words) % 2 else ENGLISH
        words["".join(chance.choices(syllables, k=chance.randint(2, 4)))] = None
    return list(words)


_VOCABULARY = _vocabulary()
_WEIGHTS = list(itertools.accumulate(1 / rank for rank in range(1, WORDS + 1)))


def _said(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(_VOCABULARY, cum_weights=_WEIGHTS, k=count))


def _mistyped(question: str, chance: random.Random) -> str:
    """Two neighbouring letters in the wrong order."""
    place = chance.randint(0, len(question) - 2)
    return question[:place] + question[place + 1] + question[place] + question[place + 2 :]


async def _fill(pool: asyncpg.Pool) -> None:
    if await pool.fetchval("select count(*) >= $1 from products", PRODUCTS):
        return
    print(f"Filling the catalogue: {PRODUCTS} products")
    chance = random.Random(SEED)
    for start in range(0, PRODUCTS, 5_000):
        made = [
            (f"search-{number:06d}", _said(chance, 4), _said(chance, 12), chance.randint(1, 1_000_000))
            for number in range(start, start + 5_000)
        ]
        await pool.execute(_FILL, *map(list, zip(*made, strict=True)))
    await pool.execute("analyze products")
