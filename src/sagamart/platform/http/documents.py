"""The OpenAPI 3.1 documents: one for all services and one for each.

Litestar writes paths and parameters.  Bodies, answers and their schemas are written here, by msgspec itself: Litestar's
lose `additionalProperties: false`, the discriminators of unions, and make integer bounds floats.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from litestar import Litestar, Response, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig

from sagamart.platform.http.asking import IDEMPOTENCY_KEY_CHARS_MAX
from sagamart.platform.http.binding import GIVEN
from sagamart.platform.http.callers import ROLES
from sagamart.platform.http.problems import PROBLEM_JSON

TITLE = "sagamart"
TAKES = "takes"
"""Where a route that reads the bytes of its body by itself says of which media types they may be."""

GIVES = "gives"
"""Where a route that answers with anything but JSON says of which media types it may be."""

ALSO = "also"
"""Where a route says with which other statuses it answers, beside its own and what every route of its kind does."""

_SCHEMAS = "#/components/schemas/"
_WITHOUT_A_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_REFERENCE = re.compile(rb'"#/components/schemas/([^"]+)"')

ProblemDocument: Mapping[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457.  `code` is stable; further members are the facts that the caller needs.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:sagamart:not_found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": ["not_found"]},
    },
}


def document(routers: Sequence[Router], version: str, title: str = TITLE) -> bytes:
    """The document of these routes, as JSON."""
    app = Litestar(
        list(routers),
        openapi_config=OpenAPIConfig(title=title, version=version, use_handler_docstrings=True),
        logging_config=None,
    )
    schema = app.openapi_schema.to_schema()
    operations = list(_operations(app, schema["paths"]))
    written, kinds = _schemas(operations)
    for operation, route in operations:
        _improve(operation, route, written)
    schema["components"] = {
        "schemas": _needed({**schema.get("components", {}).get("schemas", {}), **kinds}, schema["paths"]),
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    }
    return msgspec.json.encode(schema)


def _operations(app: Litestar, paths: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], HTTPRouteHandler]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in sorted(handler.http_methods):
                operation = paths.get(route.path_format, {}).get(method.lower())
                if operation is not None:
                    yield operation, handler


def _schemas(
    operations: Sequence[tuple[dict[str, Any], HTTPRouteHandler]],
) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    """How each body and answer is written, and the schemas that they refer to."""
    kinds = {kind for _, route in operations for kind in (_sent(route), _answered(route)) if _is_writable(kind)}
    ordered = sorted(kinds, key=str)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_SCHEMAS + "{name}")
    return dict(zip(ordered, schemas, strict=True)), {**components, "Problem": ProblemDocument}


def _sent(route: HTTPRouteHandler) -> Any:
    sent = get_type_hints(route.fn, include_extras=True).get("data")
    return get_args(sent)[0] if get_origin(sent) is Annotated else sent


def _answered(route: HTTPRouteHandler) -> Any:
    kind = get_type_hints(route.fn, include_extras=True).get("return")
    origin = get_origin(kind)
    if isinstance(origin, type) and issubclass(origin, Response):
        return get_args(kind)[0]
    return kind


def _is_writable(kind: Any) -> bool:
    if kind in (None, Any, bytes, str, type(None)):
        return False
    try:
        msgspec.json.schema(kind)
    except TypeError:
        return False
    return True


def _improve(operation: dict[str, Any], route: HTTPRouteHandler, written: Mapping[Any, dict[str, Any]]) -> None:
    if _sent(route) in written:
        operation["requestBody"]["content"] = {"application/json": {"schema": written[_sent(route)]}}
    if TAKES in route.opt:
        operation["requestBody"] = {"required": True, "content": _bytes(route.opt[TAKES])}
    _answers(operation["responses"], route, written)
    headers = list(_headers(route))
    if headers:
        operation.setdefault("parameters", []).extend(headers)
    if ROLES in route.opt:
        operation["security"] = [{"bearer": []}]
        allowed = sorted(frozenset[str]().union(*route.opt[ROLES]))
        if allowed:
            operation["description"] = f"{operation.get('description', '')}\n\nRoles: {', '.join(allowed)}.".strip()


def _answers(responses: dict[str, Any], route: HTTPRouteHandler, written: Mapping[Any, dict[str, Any]]) -> None:
    success = responses[str(route.status_code)]
    if _answered(route) in (None, type(None)):
        success.pop("content", None)
    elif GIVES in route.opt:
        success["content"] = _bytes(route.opt[GIVES])
    elif _answered(route) in written:
        success["content"] = {"application/json": {"schema": written[_answered(route)]}}
    problem = {PROBLEM_JSON: {"schema": {"$ref": _SCHEMAS + "Problem"}}}
    for status in map(HTTPStatus, (*_problems(route), *route.opt.get(ALSO, ()))):
        declared = responses.get(str(status))
        if declared is None or "status_code" in str(declared):
            content = problem if status >= HTTPStatus.BAD_REQUEST else success.get("content", {})
            empty = status in _WITHOUT_A_BODY or not content
            responses[str(status)] = {"description": status.phrase, **({} if empty else {"content": content})}


def _bytes(media_types: Sequence[str]) -> dict[str, Any]:
    return {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}


def _problems(route: HTTPRouteHandler) -> Iterator[int]:
    """Which problems an operation may answer with."""
    yield from (400, 429, 500, 503)
    given = route.opt.get(GIVEN, ())
    if ROLES in route.opt or "caller" in given:
        yield from (401, 403)
    if any("{" in path for path in route.paths):
        yield 404
    if _sent(route) is not None or TAKES in route.opt:
        yield from (413, 415)
    if "ask" in given:
        yield from (404, 409, 422)
    if "expected_version" in given:
        yield from (412, 428)


def _headers(route: HTTPRouteHandler) -> Iterator[dict[str, Any]]:
    given = route.opt.get(GIVEN, ())
    if "ask" in given:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": route.opt.get("idempotent") == "required",
            "description": "A new one for each thing that you want; the same one when you ask again.",
            "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARS_MAX, "pattern": "^[!-~]+$"},
        }
    if "expected_version" in given:
        yield {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "description": "The ETag of the version that you have seen.",
            "schema": {"type": "string", "pattern": '^"[0-9]{1,18}"$'},
        }


def _needed(schemas: Mapping[str, Any], paths: Any) -> dict[str, Any]:
    """Only the schemas that something refers to."""
    needed: dict[str, Any] = {}
    found = _references(paths)
    while found:
        name = found.pop()
        if name not in needed and name in schemas:
            needed[name] = schemas[name]
            found |= _references(schemas[name]) - set(needed)
    return dict(sorted(needed.items()))


def _references(part: Any) -> set[str]:
    return {name.decode() for name in _REFERENCE.findall(msgspec.json.encode(part))}
