"""Amounts as people write them in English and in Russian: in letters, on pages, in a terminal.  The one place for it.

Sources: the minor units of a currency are ISO 4217's; separators and the place of the sign are CLDR's.
"""

from collections.abc import Mapping

from sagamart.platform.http.languages import Language

DIGITS: Mapping[str, int] = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI"), 0),
    **dict.fromkeys(("VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Minor digits of the currencies that do not have two."""

SIGNS: Mapping[str, str] = {"RUB": "₽", "EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "KZT": "₸"}

NO_BREAK_SPACE = "\u00a0"


def money(amount_minor: int, currency: str, language: Language) -> str:
    """125000 RUB -> `₽1,250.00` or `1 250,00 ₽`; a currency without a sign of its own is named by its code."""
    digits = DIGITS.get(currency, 2)
    whole, minor = divmod(abs(amount_minor), 10**digits)
    minus = "-" if amount_minor < 0 else ""
    sign = SIGNS.get(currency, currency)
    if language == "ru":
        number = f"{whole:,}".replace(",", NO_BREAK_SPACE) + (f",{minor:0{digits}}" if digits else "")
        return f"{minus}{number}{NO_BREAK_SPACE}{sign}"
    number = f"{whole:,}" + (f".{minor:0{digits}}" if digits else "")
    return f"{minus}{sign}{number}" if currency in SIGNS else f"{minus}{currency}{NO_BREAK_SPACE}{number}"
