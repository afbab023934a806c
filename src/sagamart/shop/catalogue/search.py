"""Looking for products: a question in either language, and what to do where its words are mistyped.

Rules:
- The question is asked as it stands.  Only where it finds nothing is each word that no product knows replaced by the
  nearest word that one does; the answer says which question was really asked.
- Near is counted in edits (a letter more, less, other, or two swapped): one in a word of four or five letters, two in a
  longer one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Annotated, Any, Literal

import msgspec

from sagamart.platform.http import Malformed, Queries, cursor_of, key_of

Sort = Literal["relevance", "sku", "title", "price", "-price"]

RANKED_MAX = 2_000
"""So many matches are ranked; a question that finds more is too broad for a ranking to mean much."""

WORDS_MENDED_MAX = 8
NEAR_MAX = 40
LAST_TEXT = "\U0010ffff"
"""Behind every sku and title."""

_WORD = re.compile(r"[^\W\d_]{4,40}")
_BROWSED: Mapping[Sort, tuple[str, Sequence[str]]] = {
    "sku": ("products_by_sku", ("sku",)),
    "title": ("products_by_title", ("text", "sku")),
    "price": ("products_by_price", ("number", "sku")),
    "-price": ("products_by_price_down", ("number", "sku")),
}
"""The query of each order, and the keys that it sorts by."""


Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$(?!\n)", max_length=400)]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the list that it is of, and the sort keys of its last item."""

    sort: Sort
    question: Text | None = None
    number: Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)] | None = None
    text: Text = ""
    sku: Text = ""


class Filters(msgspec.Struct, frozen=True):
    """Which products are wanted at all; None: whatever it is.  Prices are in minor units, both ends included."""

    active: bool = True
    currency: str | None = None
    price_from: int | None = None
    price_to: int | None = None
    in_stock: bool | None = None


class Wanted(msgspec.Struct, frozen=True):
    """What somebody looks for, in which order."""

    question: str | None
    filters: Filters
    sort: Sort | None = None


class Found(msgspec.Struct, frozen=True):
    """The rows of a page, where the next one begins, and the question that was asked instead, if it was."""

    rows: Sequence[Mapping[str, Any]]
    next_cursor: str | None
    corrected: str | None = None


async def look_for(queries: Queries, wanted: Wanted, cursor: str | None, limit: int) -> Found:
    """A page of products.  Raises Malformed for a cursor of another list."""
    question, filters = wanted.question, wanted.filters
    sort: Sort = wanted.sort or ("sku" if question is None else "relevance")
    if question is None and sort == "relevance":
        raise Malformed("sort", "relevance needs a question")
    place = key_of(cursor, Place)
    if place is not None and (place.sort != sort or (place.question is None) != (question is None)):
        raise Malformed("cursor", "this is a cursor of another list")
    if question is None:
        return await _browse(queries, filters, place or Place(sort, sku=_before_all(sort)), limit)
    found = await _search(queries, filters, place or Place(sort, question), limit)
    if place is None and not found.rows:
        return await _search_mended(queries, wanted, sort, limit) or found
    asked = question if place is None else place.question
    return msgspec.structs.replace(found, corrected=asked if asked != question else None)


async def _search_mended(queries: Queries, wanted: Wanted, sort: Sort, limit: int) -> Found | None:
    """What is found by the question with its mistyped words mended; None where that does not help."""
    mended = await _mended(queries, wanted.question or "")
    if mended is None:
        return None
    found = await _search(queries, wanted.filters, Place(sort, mended), limit)
    return msgspec.structs.replace(found, corrected=mended) if found.rows else None


async def _browse(queries: Queries, filters: Filters, place: Place, limit: int) -> Found:
    name, sorted_by = _BROWSED[place.sort]
    at = {"number": None if place.number is None else int(place.number), "text": place.text, "sku": place.sku}
    keys = {key: at[key] for key in sorted_by}
    found = await getattr(queries, name)(**msgspec.structs.asdict(filters), **keys, limit=limit + 1)
    rows = [dict(row) for row in found]
    return _page(rows, limit, lambda last: Place(place.sort, None, last["price_minor"], last["title"], last["sku"]))


async def _search(queries: Queries, filters: Filters, place: Place, limit: int) -> Found:
    asked = {**msgspec.structs.asdict(filters), **msgspec.structs.asdict(place)}
    rows = [dict(row) for row in await queries.products_found(**asked, ranked_max=RANKED_MAX, limit=limit + 1)]
    keys = [(row.pop("number"), row.pop("text")) for row in rows]
    return _page(rows, limit, lambda last: Place(place.sort, place.question, *keys[limit - 1], last["sku"]))


def _page(rows: Sequence[Mapping[str, Any]], limit: int, place_of: Any) -> Found:
    return Found(rows[:limit], cursor_of(place_of(rows[limit - 1])) if len(rows) > limit else None)


def _before_all(sort: Sort) -> str:
    return LAST_TEXT if sort == "-price" else ""


async def _mended(queries: Queries, question: str) -> str | None:
    """The question with its unknown words replaced; None where there is nothing to replace."""
    spelled = question.lower().replace("ё", "е")
    words = list(dict.fromkeys(_WORD.findall(spelled)))[:WORDS_MENDED_MAX]
    rows = await queries.near_words(words=words, near_max=NEAR_MAX) if words else []
    nearest = {
        word: near
        for word, group in groupby(rows, key=lambda row: row["word"])
        if (near := nearest_of(word, (row["near"] for row in group))) is not None
    }
    mended = _WORD.sub(lambda word: nearest.get(word[0], word[0]), spelled)
    return mended if mended != spelled else None


def nearest_of(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate with the fewest edits, the first of several; None where all are too far."""
    edits_max = 1 if len(word) <= 5 else 2  # noqa: PLR2004  see the rules above
    counted = [(edits(word, candidate), candidate) for candidate in candidates]
    near = min(counted, key=lambda one: one[0], default=None)
    return near[1] if near is not None and near[0] <= edits_max else None


def edits(one: str, other: str) -> int:
    """How many letters must be put in, taken out, exchanged or swapped with a neighbour to make one word the other."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, wanted in enumerate(other, 1):
            cost = min(last[column] + 1, now[-1] + 1, last[column - 1] + (letter != wanted))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == wanted
            now.append(min(cost, before[column - 2] + 1) if swapped else cost)
        before, last = last, now
    return last[-1]
