"""What the bank signs is the bytes and the moment: neither can be exchanged."""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from sagamart.shop.payments import signatures

KEY = b"a secret of the bank's and ours"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BODY = b'{ "key": "pay_1-1",  "version": 1 }'
SAME_IN_OTHER_BYTES = b'{"key":"pay_1-1","version":1}'


def signed(body: bytes, at: datetime = NOW) -> dict[str, str]:
    moment = str(int(at.timestamp()))
    digest = hmac.digest(KEY, f"evt_1.{moment}.".encode() + body, "sha256")
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def test_the_bytes_that_came_are_what_was_signed_not_what_they_mean() -> None:
    assert signatures.is_signed([KEY], signed(BODY), BODY, NOW)
    assert signatures.is_signed([KEY], signed(SAME_IN_OTHER_BYTES), SAME_IN_OTHER_BYTES, NOW)
    assert not signatures.is_signed([KEY], signed(BODY), SAME_IN_OTHER_BYTES, NOW)
    assert not signatures.is_signed([KEY], signed(SAME_IN_OTHER_BYTES), BODY, NOW)


@pytest.mark.parametrize(("off_s", "counts"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_what_was_caught_once_cannot_be_used_later(off_s: int, counts: bool) -> None:  # noqa: FBT001  a row of the table
    headers = signed(BODY, NOW + timedelta(seconds=off_s))
    assert signatures.is_signed([KEY], headers, BODY, NOW) is counts
