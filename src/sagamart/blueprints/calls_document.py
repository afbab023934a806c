"""What services ask of each other on their internal listeners, as an OpenAPI 3.1 document."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sagamart.blueprints.examples import example_of
from sagamart.blueprints.schemas import tidied
from sagamart.blueprints.shop_map import Told, contracts_of
from sagamart.contracts.accounts import Contact
from sagamart.contracts.orders import OrderCancelled, OrderCompleted
from sagamart.messaging.message import Body
from sagamart.messaging.service import Service
from sagamart.platform.internal.listener import CALLS, PATH, READS
from sagamart.styles import CALLED, READERS

Document = dict[str, Any]

READABLE: Mapping[str, tuple[type[Any], ...]] = {"orders": (OrderCompleted, OrderCancelled), "accounts": (Contact,)}
"""What a read tells."""


def calls_document(services: Mapping[str, Service], version: str) -> Document:
    """The document of these services, in a style in which they call each other."""
    contracts = contracts_of(services.values())
    kinds = {*CALLED, *_answers(services), *(one for some in READABLE.values() for one in some)}
    _, parts = msgspec.json.schema_components(
        sorted(kinds, key=lambda kind: kind.__name__), ref_template="#/components/schemas/{name}"
    )
    called = sorted(set(CALLED.values()))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sagamart: between services",
            "version": version,
            "description": "On a port of its own, for services only (SAGAMART_STYLE=http and http-events). A call may"
            " be repeated: the same id is answered the same.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"service": []}],
        "paths": {
            **{CALLS + name: {"post": _call(name, services, contracts)} for name in called},
            **{f"{READS}{name}/{{id}}": {"get": _read(name)} for name in sorted(READERS)},
            PATH + "{service}": {"post": _post()},
        },
        "components": {
            "securitySchemes": {"service": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": dict(sorted(tidied(parts).items())),
        },
    }


def _answers(services: Mapping[str, Service]) -> set[type[Body]]:
    """What a call may be answered with: what the one who is called may say to the caller."""
    callers = [service for service in services.values() if any(kind.__name__ in service.emits for kind in CALLED)]
    heard = {name for caller in callers for name in caller.handlers}
    return {
        one
        for kind, to in CALLED.items()
        for one in services[to].handlers[kind.__name__].emits
        if one.__name__ in heard
    }


def _call(name: str, services: Mapping[str, Service], contracts: Mapping[str, Told]) -> Document:
    kinds = [kind for kind, to in CALLED.items() if to == name]
    answers = sorted(one.__name__ for one in _answers(services))
    return {
        "summary": f"Have {name} handle a message, and hear what it says to that",
        "description": "The answers: what the message made the service say to its sender; none where it has nothing to"
        " say, or said it by another way before.",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": _message(kinds),
                    "examples": {kind.__name__: {"value": _example(contracts[kind.__name__])} for kind in kinds},
                }
            },
        },
        "responses": {
            "200": _json({"type": "array", "maxItems": 1, "items": _answer(answers)}, "Committed"),
            **_problems(400, 401, 403, 500, 503),
        },
    }


def _read(name: str) -> Document:
    kinds = READABLE[name]
    body = _answer([kind.__name__ for kind in kinds]) if name == "orders" else _ref(kinds[0].__name__)
    return {
        "summary": f"What {name} has under this id; null for nothing",
        "description": f"For {', '.join(READERS[name])} only.",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {"200": _json({"oneOf": [body, {"type": "null"}]}, "Found"), **_problems(401, 403, 404)},
    }


def _post() -> Document:
    ids = {"type": "array", "items": {"type": "string", "format": "uuid"}}
    return {
        "summary": "Hand over messages (transport http); see the AsyncAPI document for what they say",
        "parameters": [{"name": "service", "in": "path", "required": True, "schema": {"type": "string"}}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}},
        },
        "responses": {"200": _json(ids, "Committed, but for these ids"), **_problems(400, 401, 403, 404, 413, 503)},
    }


def _message(kinds: list[type[Body]]) -> Document:
    texts = {name: {"type": "string"} for name in ("id", "key", "source", "correlation")}
    properties: Document = {
        **texts,
        "type": {"enum": [kind.__name__ for kind in kinds]},
        "at": {"type": "string", "format": "date-time"},
        "body": {"oneOf": [_ref(kind.__name__) for kind in kinds]},
        "schema": {"type": "integer", "default": 1},
    }
    required = ["id", "type", "key", "source", "at", "correlation", "body"]
    return {"type": "object", "properties": properties, "required": required}


def _answer(names: list[str]) -> Document:
    properties = {
        "type": {"enum": names},
        "schema": {"type": "integer"},
        "body": {"oneOf": [_ref(name) for name in names]},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _example(told: Told) -> Any:
    return msgspec.to_builtins(example_of(told))


def _json(schema: Document, meaning: str) -> Document:
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


def _problems(*statuses: int) -> Document:
    return {str(status): {"description": "A problem (RFC 9457)"} for status in statuses}


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}
