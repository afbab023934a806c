"""The number of an order, as people read it out: `8F3K-07QZ-M2XA-1D9T`.

It is the order's id in 16 characters of Crockford's alphabet, which has no I, L, O, U: 40 bits are the milliseconds
since 2026, 40 are the last of its random bits.  So it needs no column and no counter, and it leads back to the few ids
that can be meant, as a range of the primary key.
"""

from typing import NamedTuple

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
EPOCH_MS = 1_767_225_600_000
"""1 January 2026, UTC: 40 bits last until 2060."""

SIGNS = 16
UUID_DIGITS = 32
_HALF = 1 << 40
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_READ_AS = str.maketrans("ILO", "110")


class Sought(NamedTuple):
    """The ids that a number may mean: from one on, before another, with this end."""

    first: str
    before: str
    end: str


def number_of(order_id: str) -> str:
    """The number of an order.  An id that is no UUID is its own number."""
    digits = order_id.removeprefix("ord_")
    try:
        moment, random = int(digits[:12], 16), int(digits[-10:], 16)
    except ValueError:
        return order_id
    if len(digits) != UUID_DIGITS or moment < EPOCH_MS:
        return order_id
    value = ((moment - EPOCH_MS) % _HALF) * _HALF + random
    return "-".join([_PAIRS[value >> (bits + 10) & 1023] + _PAIRS[value >> bits & 1023] for bits in (60, 40, 20, 0)])


def sought_by(number: str) -> Sought | None:
    """The ids that a number may mean, however it was typed; None for what is no number."""
    signs = "".join(sign for sign in number.upper().translate(_READ_AS) if sign not in "- ")
    if len(signs) != SIGNS or any(sign not in ALPHABET for sign in signs):
        return None
    value = 0
    for sign in signs:
        value = value * 32 + ALPHABET.index(sign)
    moment, random = divmod(value, _HALF)
    first = moment + EPOCH_MS
    return Sought(f"ord_{first:012x}", f"ord_{first + 1:012x}", f"{random:010x}")
