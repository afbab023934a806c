"""Problems: every answer that is not what was asked for, as problem+json (RFC 9457) with a stable `code`.

Rules:
- `code` is for programs and never changes; `title` is for people.
- Nothing of the inside gets out: no stack trace, no SQL, no file name.  What was unexpected goes to the log.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from sagamart.messaging.message import names_of_trace
from sagamart.messaging.requests import Contended, Overloaded, problem
from sagamart.platform.http.tracing import trace_in

PROBLEM_JSON = "application/problem+json"
FIELDS_NAMED_MAX = 20
"""So many wrong fields are named in one answer."""

_CODES: Mapping[int, tuple[str, str]] = {
    400: ("malformed", "The request cannot be read"),
    401: ("unauthenticated", "Log in first"),
    403: ("forbidden", "This is not allowed to you"),
    404: ("not_found", "There is no such thing"),
    405: ("method_not_allowed", "This method is not offered here"),
    406: ("not_acceptable", "This media type is not offered here"),
    412: ("version_changed", "The thing has changed meanwhile"),
    413: ("too_large", "The request is too large"),
    414: ("too_long", "The address is too long"),
    415: ("unsupported_media_type", "Send application/json"),
    428: ("version_required", "Send If-Match with the version that you have seen"),
    429: ("too_many_requests", "Too many requests; wait a moment"),
    500: ("internal_error", "Something went wrong on our side"),
    503: ("overloaded", "The service is full; wait a moment"),
}


class Problem(Exception):  # noqa: N818  RFC 9457 calls it a problem
    """Answer with this problem.  `facts` are further members of the document, `headers` go beside it."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        *,
        facts: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {title}")
        self.status = status
        self.code = code
        self.title = title
        self.facts = dict(facts or {})
        self.headers = dict(headers or {})

    @property
    def content(self) -> bytes:
        """The document."""
        return msgspec.json.encode(problem(self.status, self.title, self.code, self.facts))


class NotFound(Problem):
    """404: `what` does not exist, or not for this caller (a stranger's order looks like none)."""

    def __init__(self, what: str = "There is no such thing") -> None:
        super().__init__(404, "not_found", what)


class Forbidden(Problem):
    """403: the caller is known, and may not do this."""

    def __init__(self, why: str = "This is not allowed to you") -> None:
        super().__init__(403, "forbidden", why)


class Unauthenticated(Problem):
    """401: no token, or one that is not accepted."""

    def __init__(self, *, token_sent: bool) -> None:
        title = "The access token is not valid, or not any more" if token_sent else "Log in first"
        challenge = 'Bearer error="invalid_token"' if token_sent else "Bearer"
        super().__init__(401, "unauthenticated", title, headers={"WWW-Authenticate": challenge})


class Malformed(Problem):
    """400: `field` (a JSON path, a header, a parameter) cannot be read, and why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(400, "malformed", f"{field}: {why}", facts={"fields": [{"field": field, "reason": why}]})


def too_many_requests(retry_after_s: float) -> Problem:
    """429: come back after `retry_after_s` (rounded up to whole seconds, as the header has it)."""
    seconds = max(1, -int(-retry_after_s // 1))
    return Problem(429, *_CODES[429], headers={"Retry-After": str(seconds)})


def response_of(answer: Problem) -> Response[bytes]:
    """A problem as a response."""
    return Response(answer.content, status_code=answer.status, headers=answer.headers, media_type=PROBLEM_JSON)


def _answer(_request: Request[Any, Any, Any], error: Problem) -> Response[bytes]:
    return response_of(error)


def _overloaded(_request: Request[Any, Any, Any], error: Overloaded) -> Response[bytes]:
    return response_of(Problem(503, *_CODES[503], headers={"Retry-After": str(error.retry_after_s)}))


def _contended(_request: Request[Any, Any, Any], error: Contended) -> Response[bytes]:
    wait = {"Retry-After": str(error.retry_after_s)}
    return response_of(Problem(503, "contended", "Too many want the same things; wait a moment", headers=wait))


def _invalid(_request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    """Name every field that is wrong, as Litestar found it."""
    found = error.extra if isinstance(error.extra, list) else []
    fields = [
        {"field": str(one.get("key") or one.get("source") or "body"), "reason": str(one.get("message", ""))}
        for one in found[:FIELDS_NAMED_MAX]
        if isinstance(one, dict)
    ]
    title = "; ".join(f"{one['field']}: {one['reason']}" for one in fields) or _CODES[400][1]
    return response_of(Problem(400, "malformed", title, facts={"fields": fields}))


def _framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What Litestar refuses by itself: no such route, a method not offered, a body too large or no JSON."""
    if error.status_code >= 500:  # noqa: PLR2004  the class of server errors, RFC 9110
        return _unexpected(request, error)
    code, title = _CODES.get(error.status_code, ("refused", "The request was refused"))
    if error.status_code == 400:  # noqa: PLR2004  RFC 9110
        title = str(error.detail) or title
    kept = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return response_of(Problem(error.status_code, code, title, headers=kept))


def _too_deep(_request: Request[Any, Any, Any], _error: RecursionError) -> Response[bytes]:
    return response_of(Malformed("body", "nested too deeply"))


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    structlog.get_logger("sagamart.http").error(
        "request failed",
        path=request.scope.get("path"),
        method=request.scope.get("method"),
        exc_info=error,
        **names_of_trace(trace_in(request.scope)),
    )
    return response_of(Problem(500, *_CODES[500]))


HANDLERS: dict[int | type[Exception], Any] = {
    Problem: _answer,
    Contended: _contended,
    Overloaded: _overloaded,
    ValidationException: _invalid,
    HTTPException: _framework,
    RecursionError: _too_deep,
    Exception: _unexpected,
}
"""How each exception is answered, for `Litestar(exception_handlers=…)`."""
