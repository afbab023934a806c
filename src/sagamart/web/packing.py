"""Pages travel packed (gzip), each by a few random bytes longer than it has to be.

A page may hold what a visitor typed beside what is nobody else's business.  Packed, its length would tell whether the
one is in the other to somebody who can make the browser ask and count bytes (the BREACH attack); the padding, in the
file name that gzip's head may hold, hides that among noise (Heal the BREACH, IEEE Access 2022).
"""

import gzip
import secrets
from io import BytesIO

PACKED_BYTES_MIN = 1_000
PADDING_BYTES_MAX = 100
LEVEL = 5


def packed(content: bytes) -> bytes:
    """The content, packed, with padding of a random length."""
    out = BytesIO()
    padding = "a" * (1 + secrets.randbelow(PADDING_BYTES_MAX))
    with gzip.GzipFile(filename=padding, mode="wb", compresslevel=LEVEL, fileobj=out, mtime=0) as file:
        file.write(content)
    return out.getvalue()


def is_to_be_packed(kind: bytes, accepted: bytes, content: bytes) -> bool:
    """Whether an answer of this media type is to be packed for a browser that accepts these encodings."""
    return kind.startswith(b"text/html") and b"gzip" in accepted and len(content) >= PACKED_BYTES_MIN
