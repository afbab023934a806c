"""Whether an answer is what the API's document promises: its status is listed, its body is that and nothing else.

httpx.AsyncClient(…, event_hooks={"response": [as_documented]})

A test's shop, and each service of it that runs alone, is asked through such a client: an answer that is not in the
joined document fails the test that got it.  Every object is closed: a member that its schema does not list is refused.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

import httpx
from jsonschema_rs import Draft202012Validator

from sagamart.platform.http import Mounted, Process, build_app
from sagamart.platform.http.auditing import audit_routes
from sagamart.platform.http.vitals import vital_routes
from sagamart.platform.tokens import Tokens
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES

OPEN = frozenset({"Problem"})
"""Schemas with members that are not listed: the facts of a problem (RFC 9457)."""

_PLACE = re.compile(r"\{[^}]*\}")


class Operation(NamedTuple):
    """One method of one path, as the document has it."""

    name: str
    path: re.Pattern[str]
    responses: Mapping[str, Any]


class Documented:
    """A document, its objects closed."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._parts = {name: _closed(name, schema) for name, schema in document["components"]["schemas"].items()}
        self._operations: dict[tuple[str, int], list[Operation]] = {}
        for path, operations in sorted(document["paths"].items(), key=_literal_first):
            pattern = re.compile(_PLACE.sub("[^/]+", path.replace(".", r"\.")))
            for method, operation in operations.items():
                one = Operation(f"{method.upper()} {path}", pattern, operation["responses"])
                self._operations.setdefault((method.upper(), path.count("/")), []).append(one)
        self._validator = cache(self._validator_of)

    def wrong(self, answer: httpx.Response) -> Iterator[str]:
        """What is not promised in this answer.  Of what is not in the document, nothing is promised."""
        path = answer.request.url.raw_path.decode().partition("?")[0]
        operation = self._operation(answer.request.method, path)
        if operation is None:
            return
        about = f"{operation.name}: {answer.status_code}"
        promised = operation.responses.get(str(answer.status_code))
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        if promised is None:
            yield f"{about} is not in the document"
        elif bool(answer.content) is not bool(promised.get("content")):
            yield f"{about} has {len(answer.content)} bytes, in the document {list(promised.get('content', ()))}"
        elif not answer.content:
            return
        elif media_type not in promised["content"]:
            yield f"{about} is {media_type}, in the document {list(promised['content'])}"
        elif media_type.endswith("json"):
            validator = self._validator(operation.name, str(answer.status_code), media_type)
            for error in validator.iter_errors(answer.json()):
                yield f"{about}: /{'/'.join(map(str, error.instance_path))}: {error.message}"

    def _operation(self, method: str, path: str) -> Operation | None:
        candidates = self._operations.get((method, path.count("/")), ())
        return next((one for one in candidates if one.path.fullmatch(path)), None)

    def _validator_of(self, name: str, status: str, media_type: str) -> Draft202012Validator:
        (responses,) = (one.responses for some in self._operations.values() for one in some if one.name == name)
        schema = _closed("", responses[status]["content"][media_type]["schema"])
        return Draft202012Validator({**schema, "components": {"schemas": self._parts}})


def _literal_first(operation: tuple[str, Any]) -> list[bool]:
    """Of two paths that match, the one that says more in plain words."""
    return ["{" in part for part in operation[0].split("/")]


def _closed(name: str, schema: Any) -> Any:
    """The schema, where every object with properties has no others."""
    if isinstance(schema, list):
        return [_closed("", part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {word: _closed("", part) for word, part in schema.items()}
    if "properties" in schema and name not in OPEN:
        closed.setdefault("additionalProperties", False)
    return closed


Check = Callable[[httpx.Response], Awaitable[None]]


def documented_by(read: Callable[[httpx.Response], Awaitable[Any]]) -> Check:
    """A hook of a client: raises AssertionError for an answer that this document, read once, does not promise."""
    known: list[Documented] = []

    async def check(answer: httpx.Response) -> None:
        await answer.aread()
        if not known:
            known.append(Documented(await read(answer)))
        if wrong := list(known[0].wrong(answer)):
            raise AssertionError("; ".join(wrong))

    return check


async def joined_document(_answer: httpx.Response) -> Any:
    """What `/openapi.json` of a shop has in which every service runs."""
    nobody: Any = None  # the document is read, no service is asked
    settings = ShopSettings()
    services = [Mounted(name, build(settings).routes, nobody, nobody) for name, build in SLICES.items()]
    process = Process(routes=[*vital_routes({}), *audit_routes(nobody)])
    app = build_app(services, tokens=Tokens({}, issuer="test", audience="test"), process=process)
    transport = httpx.ASGITransport(app=cast("Any", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
        return (await http.get("/openapi.json")).json()


async def document_beside(answer: httpx.Response) -> Any:
    """What the one who gave this answer says of itself at `/openapi.json`."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(answer.request.url.join("/openapi.json"))).json()


as_documented = documented_by(joined_document)
