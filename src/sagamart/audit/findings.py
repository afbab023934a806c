"""What an audit looks for and what it finds: the invariants by number, suspects, findings."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

INVARIANTS: Mapping[int, str] = {
    1: "postings sum to zero",
    2: "a balance is its postings and covers what is held",
    3: "what the bank took is in the books, once",
    4: "every hold ends captured or released, as its order did",
    5: "stock is its movements and covers what is reserved",
    6: "every reservation ends committed or released, as its order did",
    7: "every order ends",
    8: "paid means captured in full and committed; cancelled keeps nothing",
    9: "handed over means captured; a parcel leaves once",
    10: "every message has its effect",
    11: "no effect without a cause",
    12: "a status follows from what is known",
    13: "versions are gapless",
    14: "no acknowledged request is lost",
    15: "copies equal their source",
    16: "no message is dead, nobody is told twice",
}
"""The numbers are those of the list of invariants in the documentation."""


class Suspect(NamedTuple):
    """Something that looks wrong at these versions of its rows.  `subject` is the id of what it is about."""

    invariant: int
    subject: str
    seen: str
    versions: tuple[int | None, ...]


class Finding(msgspec.Struct, frozen=True, order=True):
    """An invariant that does not hold: the id of what it is about, and what was seen."""

    invariant: int
    subject: str
    seen: str

    @property
    def name(self) -> str:
        """The invariant in words."""
        return INVARIANTS[self.invariant]

    def __str__(self) -> str:
        return f"{self.invariant}. {self.name}: {self.subject}: {self.seen}"
