"""Everything that pages say, in every language of the shop: `texts/*.toml`, both languages of a text side by side.

[basket]
title = { en = "Basket", ru = "Корзина" }
pieces = { en = ["{count} item", "{count} items"], ru = ["{count} товар", "{count} товара", "{count} товаров"] }

A list holds the forms of a plural, chosen by `count`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from sagamart.platform.http import Language

LANGUAGES: tuple[Language, ...] = ("en", "ru")
Forms = str | list[str]
Texts = Mapping[str, Mapping[Language, Forms]]


@cache
def all_texts() -> Texts:
    """Every text by its key, such as `basket.title`.  Raises ValueError where two files have one key."""
    found: dict[str, Mapping[Language, Forms]] = {}
    folder = files("sagamart.web").joinpath("texts")
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".toml"):
            continue
        for key, text in _flat(tomllib.loads(file.read_text(encoding="utf-8"))):
            if key in found:
                raise ValueError(f"{file.name}: {key} is there already")
            found[key] = text
    return found


def said(language: Language, key: str, **facts: Any) -> str:
    """A text in this language.  Raises KeyError for a key that is in no file."""
    forms = all_texts()[key][language]
    text = forms if isinstance(forms, str) else forms[plural(language, int(facts["count"]))]
    return text.format(**facts) if facts else text


def is_text(key: str) -> bool:
    """Whether there is such a text."""
    return key in all_texts()


def plural(language: Language, count: int) -> int:
    """Which form goes with this number (Unicode CLDR, cardinals)."""
    if language == "en":
        return 0 if count == 1 else 1
    last, two = abs(count) % 10, abs(count) % 100
    if last == 1 and two != 11:  # noqa: PLR2004  CLDR's own numbers
        return 0
    return 1 if last in {2, 3, 4} and two not in {12, 13, 14} else 2


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Mapping[Language, Forms]]]:
    for name, value in table.items():
        key = f"{above}{name}"
        if set(value) == set(LANGUAGES):
            yield key, value
        else:
            yield from _flat(value, f"{key}.")
