"""How webhooks are signed: the scheme of Standard Webhooks, symmetric.

HMAC-SHA256 over `id.timestamp.raw body`, base64, one `v1,…` for each live secret with a space between.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105  what a secret begins with, and no secret


def signature_header(secrets: Sequence[str], event_id: str, timestamp_s: int, body: bytes) -> str:
    """The `webhook-signature` header.  Raises ValueError for a secret that is not `whsec_` and base64."""
    signed = f"{event_id}.{timestamp_s}.".encode() + body
    return " ".join(f"v1,{base64.b64encode(hmac.digest(key_of(one), signed, 'sha256')).decode()}" for one in secrets)


def key_of(secret: str) -> bytes:
    """The bytes of a secret.  Raises ValueError."""
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"a webhook's secret is {SECRET_PREFIX} and base64") from error
