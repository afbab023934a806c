"""Whether a webhook comes from the bank: HMAC-SHA256 over `id.timestamp.raw body`, as Standard Webhooks has it.

Rules:
- The raw body is what was signed: it is not parsed before.
- Compared in constant time, with each live secret (two, while one is being replaced).
- A timestamp more than `TOLERANCE_S` off is refused: what was caught once cannot be used later.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

TOLERANCE_S = 300
SECRETS_MAX = 2
KEY_BYTES_MIN = 16
SIGNATURES_MAX = 4
_DIGITS = re.compile(r"[0-9]{1,15}")
_PREFIX = "whsec_"


def keys_of(secrets: Sequence[str]) -> tuple[bytes, ...]:
    """The keys of the live secrets.  Raises ValueError for one that cannot be used, or for too many."""
    if len(secrets) > SECRETS_MAX:
        raise ValueError(f"{SECRETS_MAX} secrets are live at most")
    try:
        keys = tuple(base64.b64decode(one.removeprefix(_PREFIX), validate=True) for one in secrets)
    except binascii.Error as error:
        raise ValueError(f"a webhook's secret is {_PREFIX} and base64") from error
    if any(len(key) < KEY_BYTES_MIN for key in keys):
        raise ValueError(f"a webhook's secret has {KEY_BYTES_MIN} bytes at least")
    return keys


def is_signed(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether one of the signatures fits one of the keys, and the moment is about now.  Header names in lower case."""
    timestamp = headers.get("webhook-timestamp", "")
    if not _DIGITS.fullmatch(timestamp) or abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        return False
    signed = f"{headers.get('webhook-id', '')}.{timestamp}.".encode() + body
    expected = [b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    sent = headers.get("webhook-signature", "").encode("utf-8", "replace").split(b" ")[:SIGNATURES_MAX]
    return any([hmac.compare_digest(one, right) for one in sent for right in expected])  # noqa: C419  all are compared
