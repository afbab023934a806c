"""Test cards: the last four digits say what happens, the six before them are free.

Each number is a client with an account of its own in each currency.
"""

import re
from typing import Literal

import msgspec

RICH_MINOR = 1_000_000_000_000
POOR_MINOR = 100
PHONE_DELAY_S = 1.0
"""So long a customer with a phone takes to answer the bank."""

_NUMBER = re.compile(r"400000[0-9]{6}([0-9]{4})")
_SPACES = re.compile(r"[\s-]")


class CardKind(msgspec.Struct, frozen=True):
    """What a card does at the bank's desk.  What it does to answers and webhooks is in misbehaviour.py."""

    says: str
    opening_minor: int = RICH_MINOR
    declines: bool = False
    asks: bool = False
    by_phone: Literal["confirms", "refuses"] | None = None
    captures: bool = True
    refunds: bool = True
    hold_lapses_at_once: bool = False


KINDS = {
    "0001": CardKind("always pays, at once"),
    "0002": CardKind("needs confirmation on the page", asks=True),
    "0003": CardKind("too little money: 1.00 on the account", opening_minor=POOR_MINOR),
    "0004": CardKind("declined", declines=True),
    "0005": CardKind("the customer refuses by phone after 1 s", asks=True, by_phone="refuses"),
    "0006": CardKind("the customer confirms by phone after 1 s", asks=True, by_phone="confirms"),
    "0007": CardKind("holds, then the capture is refused", captures=False),
    "0008": CardKind("holds, and the hold expires at once", hold_lapses_at_once=True),
    "0009": CardKind("holds or charges, and breaks the connection without an answer"),
    "0010": CardKind("holds or charges, and answers 3 s late"),
    "0011": CardKind("breaks the connection, and holds or charges 2 s later"),
    "0012": CardKind("webhooks come 5 s late"),
    "0013": CardKind("webhooks come twice"),
    "0014": CardKind("webhooks come out of order"),
    "0015": CardKind("the first attempt of each webhook has a wrong signature"),
    "0016": CardKind("holds; captures, and breaks the connection without an answer"),
    "0017": CardKind("holds, captures; refunds are refused", refunds=False),
}


def plain(number: str) -> str:
    """A card's number as customers type it, without its spaces and hyphens."""
    return _SPACES.sub("", number)


def digits_of(number: str) -> str | None:
    """The four digits that say what a card does; None for a card that is not the bank's."""
    found = _NUMBER.fullmatch(number)
    return found[1] if found is not None and found[1] in KINDS else None


def kind_of(number: str) -> CardKind | None:
    """What a card does; None for a card that is not the bank's."""
    digits = digits_of(number)
    return None if digits is None else KINDS[digits]


def shown(digits: str) -> str:
    """The card of a kind as it is printed, such as `4000 0000 0000 0001`."""
    return f"4000 0000 0000 {digits}"
