"""HTTP conventions: what a service's `api.py` builds on.

    @post("/v1/orders", guards=[logged_in], opt={"idempotent": "required"}, status_code=202)
    async def place_order(data: NewOrder, ask: Ask, caller: Caller) -> Response[OrderView]:
        return await ask(lambda message_id: PlaceOrder(…), content=data)

A handler gets by name: `ask` (change something), `queries` (read), `caller` (who), `language` (`en` or `ru`),
`expected_version` (If-Match).
"""

from sagamart.platform.http.application import Mounted, Process, build_app
from sagamart.platform.http.asking import Answer, Ask, json_response
from sagamart.platform.http.bodies import RequestBody
from sagamart.platform.http.callers import Role, logged_in, roles
from sagamart.platform.http.languages import Language
from sagamart.platform.http.paging import LIMIT_DEFAULT, LIMIT_MAX, Cursor, Limit, Page, cursor_of, key_of, page_of
from sagamart.platform.http.problems import Forbidden, Malformed, NotFound, Problem, too_many_requests
from sagamart.platform.http.queries import Queries, queries_of
from sagamart.platform.http.shell import client_of
from sagamart.platform.http.versions import etag_of, if_match, require_version, versioned
from sagamart.platform.tokens import Caller

__all__ = [
    "LIMIT_DEFAULT",
    "LIMIT_MAX",
    "Answer",
    "Ask",
    "Caller",
    "Cursor",
    "Forbidden",
    "Language",
    "Limit",
    "Malformed",
    "Mounted",
    "NotFound",
    "Page",
    "Problem",
    "Process",
    "Queries",
    "RequestBody",
    "Role",
    "build_app",
    "client_of",
    "cursor_of",
    "etag_of",
    "if_match",
    "json_response",
    "key_of",
    "logged_in",
    "page_of",
    "queries_of",
    "require_version",
    "roles",
    "too_many_requests",
    "versioned",
]
