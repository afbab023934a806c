"""Money as people write it.  Amounts are whole minor units everywhere else; what a unit is, the currency says."""

import re
from collections.abc import Mapping
from decimal import Decimal

from sagamart.platform.http import Language

EXPONENT_USUAL = 2
EXPONENTS: Mapping[str, int] = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Decimals of the currencies that have not two (ISO 4217, list one)."""

SIGNS: Mapping[str, str] = {"RUB": "₽", "EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "KZT": "₸", "UAH": "₴"}
TYPED_CHARS_MAX = 20

_NARROW_SPACE, _SPACE, _MINUS = "\u202f", "\xa0", "\u2212"
_TYPED = re.compile(r"[0-9]+(?:[.,][0-9]+)?")


def exponent_of(currency: str) -> int:
    """Decimals of a currency: 2 for RUB, 0 for JPY."""
    return EXPONENTS.get(currency, EXPONENT_USUAL)


def shown(amount_minor: int, currency: str, language: Language) -> str:
    """`123450, "RUB"` -> `₽1,234.50` in English and `1 234,50 ₽` in Russian."""
    exponent = exponent_of(currency)
    sign = _MINUS if amount_minor < 0 else ""
    whole, part = divmod(abs(amount_minor), 10**exponent)
    decimals = f"{part:0{exponent}}" if exponent else ""
    if language == "ru":
        figure = f"{whole:,}".replace(",", _NARROW_SPACE) + (f",{decimals}" if exponent else "")
        return f"{sign}{figure}{_SPACE}{SIGNS.get(currency, currency)}"
    figure = f"{whole:,}" + (f".{decimals}" if exponent else "")
    return f"{sign}{SIGNS[currency]}{figure}" if currency in SIGNS else f"{sign}{currency}{_SPACE}{figure}"


def plain(amount_minor: int, currency: str) -> str:
    """As a form field holds it: `1234.50`."""
    return str(Decimal(amount_minor).scaleb(-exponent_of(currency)))


def typed(text: str, currency: str) -> int | None:
    """Minor units of what somebody typed, such as `1 234,50`; None where it is no amount of this currency."""
    text = re.sub(r"[\s\u00a0\u202f]", "", text[:TYPED_CHARS_MAX])
    if not _TYPED.fullmatch(text):
        return None
    amount = Decimal(text.replace(",", ".")).scaleb(exponent_of(currency))
    return int(amount) if amount == amount.to_integral_value() else None
