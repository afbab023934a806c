"""The check of every answer against the API's document finds what is not promised."""

from re import search
from typing import Any

import httpx
import pytest

from documented import Documented

JSON = "application/json"
THING = {
    "title": "Thing",
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "made_by": {"$ref": "#/components/schemas/Person"}},
}
PERSON = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
PROBLEM = {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}


def answers(media_type: str, name: str) -> dict[str, Any]:
    return {"content": {media_type: {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


THINGS = Documented(
    {
        "paths": {
            "/things/{id}": {
                "get": {
                    "responses": {"200": answers(JSON, "Thing"), "404": answers("application/problem+json", "Problem")}
                }
            },
            "/things/newest": {"get": {"responses": {"204": {"description": "None"}}}},
        },
        "components": {"schemas": {"Thing": THING, "Person": PERSON, "Problem": PROBLEM}},
    }
)


def wrong(status: int, body: bytes = b"", media_type: str = JSON, path: str = "/things/1") -> list[str]:
    asked = httpx.Request("GET", f"http://shop{path}?limit=1")
    return list(THINGS.wrong(httpx.Response(status, content=body, headers={"Content-Type": media_type}, request=asked)))


@pytest.mark.parametrize(
    ("status", "body", "media_type", "path"),
    [
        (200, b'{"id": "1", "made_by": {"name": "Ann"}}', JSON, "/things/1"),
        (404, b'{"code": "not_found", "since": 7}', "application/problem+json; charset=utf-8", "/things/1"),
        (204, b"", JSON, "/things/newest"),
        (200, b"figures", "text/plain", "/metrics"),
    ],
)
def test_what_is_promised_is_right(status: int, body: bytes, media_type: str, path: str) -> None:
    assert wrong(status, body, media_type, path) == []


@pytest.mark.parametrize(
    ("status", "body", "media_type", "path", "why"),
    [
        (200, b'{"id": "1", "password": "x"}', JSON, "/things/1", "'password' was unexpected"),
        (
            200,
            b'{"id": "1", "made_by": {"name": "A", "age": 3}}',
            JSON,
            "/things/1",
            "/made_by: .*'age' was unexpected",
        ),
        (200, b'{"id": 1}', JSON, "/things/1", "/id: .*string"),
        (200, b"{}", JSON, "/things/1", '"id" is a required property'),
        (200, b"", JSON, "/things/1", "has 0 bytes"),
        (200, b"<html>", "text/html", "/things/1", "is text/html"),
        (201, b'{"id": "1"}', JSON, "/things/1", "201 is not in the document"),
        (204, b'{"id": "1"}', JSON, "/things/newest", "has 11 bytes"),
        (200, b'{"id": "1"}', JSON, "/things/newest", "200 is not in the document"),
    ],
)
def test_what_is_not_promised_is_found(status: int, body: bytes, media_type: str, path: str, why: str) -> None:
    (found,) = wrong(status, body, media_type, path)
    assert search(why, found), found
