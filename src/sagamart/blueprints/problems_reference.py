"""`docs/reference/problems.md`: every problem that the API answers with, and what its caller can do."""

import ast
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

import msgspec

import sagamart
from sagamart.messaging.decision import Refusal, snake_case
from sagamart.settings import ShopSettings
from sagamart.slices import services_of

HEAD = """# Problems

Written by `make docs` from the code; a test compares. Whatever is not the answer that was asked for is a problem
(RFC 9457): `application/problem+json` with `type` (`urn:sagamart:` and the code), `title` for people, `status`, `code`,
and the facts that belong to it. Programs look at `code`, which never changes its meaning.

| status | what to do |
|---|---|
"""

ADVICE: Mapping[int, str] = {
    400: "The request is wrong: mend it. The same one is refused again.",
    401: "Log in, or renew the access token with the refresh token, and send the request again.",
    403: "This caller may not. Somebody with the right role can.",
    404: "There is no such thing, or it is somebody else's. Look at the id.",
    405: "Look the method up in the [API](api.md).",
    406: "Ask for `application/json`.",
    409: "Nothing was changed. Look at the thing as it is now, and decide again.",
    410: "It is gone for good.",
    411: "Send a `Content-Length`.",
    412: "Somebody was faster. Read the thing again, and send its new `ETag` in `If-Match`.",
    413: "Send less at once.",
    414: "Ask with a shorter address.",
    415: "Send `application/json`.",
    422: "The request can be read and cannot be done: mend it. A used `Idempotency-Key` needs the same content.",
    428: "Read the thing, and send its `ETag` in `If-Match`.",
    429: "Wait for `Retry-After` seconds.",
    500: "A bug on our side: tell us the `X-Request-Id`. Asking again under the same `Idempotency-Key` is safe.",
    502: "Send it again under the same `Idempotency-Key`: it has its effect once.",
    503: "Wait for `Retry-After` seconds, and send it again under the same `Idempotency-Key`.",
    504: "Send it again under the same `Idempotency-Key`: it has its effect once.",
}


class Known(msgspec.Struct, frozen=True, order=True):
    """A problem that the program can answer with."""

    status: int
    code: str
    when: str


def problems_reference() -> str:
    """The document."""
    known = problems()
    advice = [f"| {status} | {ADVICE[status]} |" for status in sorted({one.status for one in known})]
    rows = [f"| `{one.code}` | {one.status} | {one.when} |" for one in sorted(known, key=lambda one: one.code)]
    table = ["", "## All of them", "", "| code | status | when |", "|---|---|---|"]
    return HEAD + "\n".join([*advice, *table, *rows]) + "\n"


def problems() -> list[Known]:
    """Each code once, a rule's refusal before what the HTTP side says of the same name."""
    found: dict[str, Known] = {}
    for one in (*_refusals(Refusal), *_raised()):
        found.setdefault(one.code, one)
    return list(found.values())


def _refusals(kind: type[Refusal]) -> Iterator[Known]:
    """Rules that refuse; their classes are known once all services are."""
    services_of(ShopSettings())
    for one in kind.__subclasses__():
        if one.__module__.startswith("sagamart.shop"):
            when = " ".join((one.__doc__ or one.title).split("\n\n")[0].split())
            yield Known(one.status, snake_case(one.__name__), when)
        yield from _refusals(one)


def _raised() -> Iterator[Known]:
    """What is written as `Problem(404, "not_found", "…")` anywhere, and the table of the HTTP conventions."""
    top = Path(str(files(sagamart)))
    for path in sorted(top.rglob("*.py")):
        if "bank" in path.relative_to(top).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Name(id="Problem"),
                    args=[
                        ast.Constant(value=int() as status),
                        ast.Constant(value=str() as code),
                        ast.Constant(value=str() as title),
                        *_,
                    ],
                ):
                    yield Known(status, code, title)
                case ast.Dict(keys=keys, values=values):
                    yield from _table(keys, values)


def _table(keys: list[ast.expr | None], values: list[ast.expr]) -> Iterator[Known]:
    for key, value in zip(keys, values, strict=True):
        match key, value:
            case (
                ast.Constant(value=int() as status),
                ast.Tuple(elts=[ast.Constant(value=str() as code), ast.Constant(value=str() as title)]),
            ) if status in ADVICE:
                yield Known(status, code, title)
