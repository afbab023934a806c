"""What operators ask of all services at once: the front door asks each of them, and makes one answer of it.

Rules:
- Whether the caller may is each service's decision; the first refusal is the answer.
- A service that does not answer is named in `missing`: when one is away, operators need the others most.
- Whatever names a service in its path goes to that service: `/v1/operations/consumers/stock/pause`, a letter's id.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from sagamart.platform.http.dead_letters import Place
from sagamart.platform.http.operator_actions import Moment
from sagamart.platform.http.paging import LIMIT_DEFAULT, LIMIT_MAX, cursor_of

_NAMED = re.compile(r"/v1/operations/(?:dead-letters|consumers|parked-keys)/([a-z][a-z0-9_]*)(?:[./].*)?")

Page = dict[str, Any]


def named_service(path: str) -> str | None:
    """The service that an operator's path names."""
    found = _NAMED.fullmatch(path)
    return found[1] if found else None


def joined_letters(pages: Sequence[Page], query: bytes) -> Page:
    """One page of letters from a page of each service, which all began at the same place."""
    limit = _limit(query)
    items = sorted(
        (one for page in pages for one in page["items"]), key=lambda one: (one["message_id"], one["service"])
    )
    more = len(items) > limit or any(page["next_cursor"] for page in pages)
    last = items[:limit][-1:]
    cursor = cursor_of(Place(last[0]["message_id"], last[0]["service"])) if more and last else None
    return {"items": items[:limit], "next_cursor": cursor}


def joined_consumers(pages: Sequence[Page], _query: bytes) -> Page:
    """The consumers of all services."""
    items = sorted((one for page in pages for one in page["items"]), key=lambda one: str(one["service"]))
    return {"items": items, "next_cursor": None}


def joined_vitals(pages: Sequence[Page], query: bytes) -> Page:
    """How all services are doing."""
    return joined_consumers(pages, query)


def joined_actions(pages: Sequence[Page], query: bytes) -> Page:
    """One page of operators' acts from a page of each service, which all began at the same place."""
    limit = _limit(query)
    items = sorted((one for page in pages for one in page["items"]), key=_done, reverse=True)
    more = len(items) > limit or any(page["next_cursor"] for page in pages)
    last = items[:limit][-1:]
    cursor = cursor_of(Moment(*_done(last[0]))) if more and last else None
    return {"items": items[:limit], "next_cursor": cursor}


def _done(action: Page) -> tuple[datetime, str]:
    return datetime.fromisoformat(action["at"]), action["id"]


def _limit(query: bytes) -> int:
    sent = parse_qs(query.decode("latin-1")).get("limit", [""])[0]
    return min(int(sent), LIMIT_MAX) if sent.isdecimal() else LIMIT_DEFAULT


JOINED: Mapping[str, Callable[[Sequence[Page], bytes], Page]] = {
    "/v1/operations/dead-letters": joined_letters,
    "/v1/operations/consumers": joined_consumers,
    "/v1/operations/actions": joined_actions,
    "/v1/operations/vitals": joined_vitals,
}
"""Lists that are made of every service's list."""

decode = msgspec.json.Decoder(dict[str, Any]).decode
