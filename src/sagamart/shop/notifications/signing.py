"""How what the shop posts is signed: the scheme of Standard Webhooks, symmetric.

HMAC-SHA256 over `id.timestamp.body`, base64, one `v1,…` for each live secret with a space between: while a secret is
being replaced there are two, and the receiver takes either.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105  what a secret begins with, and no secret


def signed_headers(secrets: Sequence[str], message_id: str, timestamp_s: int, body: bytes) -> Mapping[str, str]:
    """The headers of a signed JSON body.  Raises ValueError for a secret that is not `whsec_` and base64."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    macs = [base64.b64encode(hmac.digest(_key(one), signed, "sha256")).decode() for one in secrets]
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{mac}" for mac in macs),
    }


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"a secret is {SECRET_PREFIX} and base64") from None
