"""Pages of a list: opaque cursors, bounded limits.

A cursor holds the sort key of the last item seen; a client hands it back as it came.  It is no secret and grants
nothing: a query that takes one still asks for the caller's own rows.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from sagamart.platform.http.problems import Malformed

LIMIT_MAX = 200
LIMIT_DEFAULT = 50
CURSOR_CHARS_MAX = 1000

Limit = Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description=f"Items a page, at most {LIMIT_MAX}")]
"""A handler's `limit: Limit = LIMIT_DEFAULT`."""

Cursor = Annotated[
    str | None,
    QueryParameter(max_length=CURSOR_CHARS_MAX, description="`next_cursor` of the page before; none for the first"),
]
"""A handler's `cursor: Cursor = None`."""

Item = TypeVar("Item")
Key = TypeVar("Key")


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """Some items, and where to go on (null: that was all)."""

    items: Sequence[Item]
    next_cursor: str | None = None


class JoinedPage(msgspec.Struct, Generic[Item], frozen=True):
    """A page of a list that every service has for itself, and a front door joins.

    `missing` are the services that did not answer it: what they have is not here.
    """

    items: Sequence[Item]
    next_cursor: str | None = None
    missing: Sequence[str] = ()

    @classmethod
    def of(cls, page: Page[Item]) -> "JoinedPage[Item]":
        """A page of the services that run here, none of which is missing."""
        return JoinedPage(page.items, page.next_cursor)


def page_of(found: Sequence[Item], limit: int, key: Callable[[Item], Any]) -> Page[Item]:
    """The page of a query that asked for one row more than `limit`; `key` is what the query sorts by."""
    shown = found[:limit]
    return Page(shown, cursor_of(key(shown[-1])) if len(found) > limit else None)


def cursor_of(key: Any) -> str:
    """A sort key (whatever JSON can hold) as an opaque word."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def key_of(cursor: str | None, kind: type[Key]) -> Key | None:
    """The sort key in a cursor, None for the first page.  Raises Malformed for what is no cursor of ours."""
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True), type=kind
        )
    except (binascii.Error, msgspec.MsgspecError, UnicodeError, ValueError) as error:
        raise Malformed("cursor", "this is not a cursor of this list") from error
