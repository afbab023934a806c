"""Ids: a prefix that says what it names, and a time-ordered UUID (version 7, RFC 9562) as 32 hex digits."""

from datetime import datetime

RANDOM_BYTES = 10


def new_id(prefix: str, at: datetime, entropy: bytes) -> str:
    """`pay_018f…`, made at this moment out of `RANDOM_BYTES` of entropy."""
    random = int.from_bytes(entropy[:RANDOM_BYTES])
    since_epoch_ms = int(at.timestamp() * 1000) & (1 << 48) - 1
    number = since_epoch_ms << 80 | 7 << 76 | (random >> 62 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return f"{prefix}_{number:032x}"
