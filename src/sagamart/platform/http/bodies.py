"""What a client may send.

Rules:
- A request body is a `RequestBody`: a field that it does not have is refused, so nobody smuggles in `role` or `price`.
- It holds no `Any` and does not nest in itself: its depth is bounded by its type.
- A route that needs the bytes as they came (a signature is over them) has no `data` and awaits `request.body()`.
- A NUL character, which no text column can hold, is refused at the door.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.datastructures import Headers, State
from msgspec import inspect

from sagamart.platform.http.problems import Malformed, Problem

BODY_BYTES_MAX = 1024 * 1024
"""1 MiB: larger bodies are refused with 413."""

FORM = "application/x-www-form-urlencoded"
"""What a route with the mark `form` takes as well: the clients of OAuth 2.0 send forms (RFC 6749, 4.4.2)."""

DECODE = "sagamart_decode"
"""Where a bound route carries the function that reads its body."""

_FIELD = re.compile(r"field `([^`]*)`")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class RequestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of what clients send as JSON."""


class ShopRequest(Request[Any, Any, State]):
    """A request whose JSON body is read once, strictly, as what its handler takes."""

    __slots__ = ("_sent",)

    def __init__(self, *line: Any, **named: Any) -> None:
        super().__init__(*line, **named)
        self._sent = Headers.from_scope(self.scope)

    @property
    def headers(self) -> Headers:
        """What the client sent along; looked at several times in each request, so kept."""
        return self._sent

    async def body(self) -> bytes:
        """The body's bytes.  Raises Malformed where the handler takes a body and none came."""
        raw = await super().body()
        wanted = self.route_handler.parsed_data_field
        if not raw and wanted is not None and not wanted.is_optional:
            raise Malformed("body", "is missing")
        return raw

    async def json(self) -> Any:
        """The body as its handler's type.  Raises Malformed naming the field, Problem 415 for what is no JSON."""
        media_type = self.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        is_form = media_type == FORM and "form" in self.route_handler.opt
        if media_type != "application/json" and not is_form:
            raise Problem(415, "unsupported_media_type", "Send application/json")
        raw = await self.body()
        if is_form:
            raw = msgspec.json.encode(dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)))
        if b"\\u0000" in raw and _NUL.search(raw):
            raise Malformed("body", "the character U+0000 is not text")
        try:
            return self.route_handler.opt[DECODE](raw)
        except msgspec.ValidationError as error:
            raise _malformed(str(error)) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed("body", str(error)) from error


def _malformed(message: str) -> Malformed:
    """Turn msgspec's words into the field and the reason."""
    reason, _, path = message.partition(" - at `")
    field = path.removesuffix("`").removeprefix("$").removeprefix(".")
    named = _FIELD.search(reason)
    if named is not None:
        field = f"{field}.{named[1]}" if field else named[1]
    return Malformed(field or "body", reason)


def loose_fields(kind: Any) -> Iterator[str]:
    """Name what in a request body lets anything in: structs that ignore unknown fields, `Any`, endless nesting."""
    for path, node, above in _walk(inspect.type_info(kind), "$", ()):
        if isinstance(node, inspect.AnyType | inspect.RawType):
            yield f"{path} may be anything; give it a type"
        elif isinstance(node, inspect.StructType):
            if node.cls in above:
                yield f"{path} nests {node.cls.__name__} in itself without end"
            if not node.cls.__struct_config__.forbid_unknown_fields:
                yield f"{path}: {node.cls.__name__} ignores unknown fields; derive it from RequestBody"


def unbounded_fields(kind: Any) -> Iterator[str]:
    """Name the numbers, texts and lists of a request body that have no upper bound."""
    for path, node, _ in _walk(inspect.type_info(kind), "$", ()):
        match node:
            case inspect.IntType(le=None, lt=None) | inspect.FloatType(le=None, lt=None):
                yield f"{path} has no largest number"
            case inspect.StrType(max_length=None, pattern=None):
                yield f"{path} has no greatest length"
            case inspect.CollectionType(max_length=None) | inspect.DictType(max_length=None):
                yield f"{path} has no greatest length"


def _walk(
    node: inspect.Type, path: str, above: tuple[type, ...]
) -> Iterator[tuple[str, inspect.Type, tuple[type, ...]]]:
    """Every type in a body with its path and the structs that it is in; a struct in itself is not entered again."""
    yield path, node, above
    match node:
        case inspect.StructType(cls=cls, fields=fields) if cls not in above:
            for field in fields:
                yield from _walk(field.type, f"{path}.{field.encode_name}", (*above, cls))
        case inspect.UnionType(types=types):
            for one in types:
                yield from _walk(one, path, above)
        case inspect.CollectionType(item_type=item):
            yield from _walk(item, f"{path}[]", above)
        case inspect.DictType(value_type=value):
            yield from _walk(value, f"{path}.*", above)
        case inspect.Metadata(type=inner):
            yield from _walk(inner, path, above)
