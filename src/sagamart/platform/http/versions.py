"""Versions over HTTP: an ETag is a record's version, If-Match says which one the client has seen (RFC 9110).

Rules:
- A write of something that others write too takes `expected_version`; without If-Match it is refused (428).
- What an answer shows beside the record, and may change without it, is named in the ETag (`"7-sold-out"`), so that
  nobody is told that it has not changed; If-Match takes such an ETag as its version.
- Whether the version is still the one is decided where the record is locked: the rule refuses with a refusal of
  status 412.  `require_version` is for what is not decided by the worker.
"""

import re
from typing import Any

import msgspec
from litestar import Request, Response

from sagamart.platform.http.problems import Malformed, Problem

_ETAG = re.compile(r'"(\d{1,18})(?:-[a-z-]{1,40})?"')


def etag_of(version: int, beside: str = "") -> str:
    """`7` -> `"7"`, with what is shown beside it."""
    return f'"{version}-{beside}"' if beside else f'"{version}"'


def if_match(request: Request[Any, Any, Any]) -> int | None:
    """The version that the client has seen, None without the header.  Raises Malformed for what is no ETag of ours."""
    sent = request.headers.get("if-match")
    if sent is None:
        return None
    found = _ETAG.fullmatch(sent.strip())
    if found is None:
        raise Malformed("If-Match", 'one ETag, as it came: "7"')
    return int(found[1])


def provide_expected_version(request: Request[Any, Any, Any]) -> int:
    """The `expected_version` of a handler.  Raises Problem 428 without If-Match."""
    version = if_match(request)
    if version is None:
        raise Problem(428, "version_required", "Send If-Match with the version that you have seen")
    return version


def require_version(request: Request[Any, Any, Any], version: int) -> None:
    """Raise Problem 412 unless If-Match names `version`, 428 without it."""
    if provide_expected_version(request) != version:
        raise Problem(412, "version_changed", "The thing has changed meanwhile", facts={"version": version})


def versioned(request: Request[Any, Any, Any], body: msgspec.Struct, version: int, beside: str = "") -> Response[Any]:
    """A read with its ETag; 304 without a body where the client has this version (If-None-Match)."""
    etag = etag_of(version, beside)
    headers = {"ETag": etag}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if etag in known:
        return Response(None, status_code=304, headers=headers)
    return Response(msgspec.json.encode(body), media_type="application/json", headers=headers)
