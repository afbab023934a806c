"""Which of the shop's languages a client reads."""

from functools import lru_cache
from typing import Any, Literal

from litestar import Request

Language = Literal["en", "ru"]
PREFERENCES_MAX = 20
"""So many entries of Accept-Language are looked at."""
HEADERS_REMEMBERED_MAX = 1_000


@lru_cache(HEADERS_REMEMBERED_MAX)
def language_of(accepted: str) -> Language:
    """The best of ours for an `Accept-Language` header (RFC 9110); English where none fits."""
    best: Language = "en"
    best_weight = 0.0
    for preference in accepted.split(",")[:PREFERENCES_MAX]:
        name, _, parameter = preference.partition(";")
        primary = name.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if weight > best_weight and primary in ("en", "ru", "*"):
            best, best_weight = ("ru" if primary == "ru" else "en"), weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0


def provide_language(request: Request[Any, Any, Any]) -> Language:
    """The `language` of a handler."""
    return language_of(request.headers.get("accept-language", ""))
