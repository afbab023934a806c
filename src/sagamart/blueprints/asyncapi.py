"""The shop's messages as an AsyncAPI 3.0 document: a channel for each service that sends, operations for all."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from sagamart.blueprints.cloud_events import ATTRIBUTES, HEADERS, OPTIONAL, event_of, headers_of
from sagamart.blueprints.examples import example_of
from sagamart.blueprints.schemas import tidied
from sagamart.blueprints.shop_map import Told, contracts_of
from sagamart.messaging.service import Service

TOPIC = "sagamart.{service}"
CLOUD_EVENT = "application/cloudevents+json"

Document = dict[str, Any]


def asyncapi(services: Sequence[Service]) -> Document:
    """The document of these services, together.  Timers are not in it: they never leave their service."""
    sent = {name: told for name, told in contracts_of(services).items() if told.way == "sent"}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "sagamart: the messages that cross services",
            "version": version("sagamart"),
            "description": "At least once, in any order: who hears a message twice ignores the second by its id. "
            "Read with tolerance: fields that you do not know may appear in any version.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CLOUD_EVENT,
        "channels": {service.name: found for service in services if (found := _channel(service, sent))},
        "operations": dict(op for service in services for op in _operations(service, sent)),
        "components": {
            "messages": {name: _message(told) for name, told in sent.items()},
            "messageTraits": {"CloudEvent": {"headers": _headers(), "contentType": CLOUD_EVENT}},
            "schemas": {"CloudEvent": _event(), **_schemas(sent.values())},
        },
    }


def _channel(service: Service, sent: Mapping[str, Told]) -> Document:
    names = [name for name, told in sent.items() if service.name in told.producers]
    if not names:
        return {}
    return {
        "address": TOPIC.format(service=service.name),
        "description": f"What {service.name} tells. The key of a record is the aggregate's id.",
        "messages": {name: _ref("components", "messages", name) for name in names},
    }


def _operations(service: Service, sent: Mapping[str, Told]) -> list[tuple[str, Document]]:
    told = [name for name, one in sent.items() if service.name in one.producers]
    found = [(f"{service.name}.send", _operation("send", service.name, told))] if told else []
    heard: dict[str, list[str]] = {}
    for name, one in sent.items():
        for producer in one.producers if service.name in one.consumers else ():
            heard.setdefault(producer, []).append(name)
    found += [
        (f"{service.name}.receive.{producer}", _operation("receive", producer, names) | _group(service))
        for producer, names in sorted(heard.items())
    ]
    return found


def _operation(action: str, channel: str, names: Sequence[str]) -> Document:
    return {
        "action": action,
        "channel": _ref("channels", channel),
        "messages": [_ref("channels", channel, "messages", name) for name in names],
    }


def _group(service: Service) -> Document:
    """All replicas of a service are one consumer group."""
    group = {"type": "string", "const": TOPIC.format(service=service.name)}
    return {"bindings": {"kafka": {"groupId": group}}}


def _message(told: Told) -> Document:
    example = example_of(told)
    return {
        "name": told.name,
        "title": told.name,
        "summary": told.says,
        "traits": [_ref("components", "messageTraits", "CloudEvent")],
        "payload": {
            "allOf": [_ref("components", "schemas", "CloudEvent")],
            "properties": {"type": {"const": told.name}, "data": _ref("components", "schemas", told.name)},
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": "The aggregate's id"}}},
        "examples": [{"headers": headers_of(example), "payload": event_of(example)}],
    }


def _headers() -> Document:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": text} for name, text in HEADERS.items()},
        "required": list(HEADERS),
    }


def _event() -> Document:
    return {
        "type": "object",
        "properties": {name: {"type": kind, "description": text} for name, (kind, text) in ATTRIBUTES.items()},
        "required": [*(name for name in ATTRIBUTES if name not in OPTIONAL), "data"],
    }


def _schemas(sent: Any) -> Document:
    _, parts = msgspec.json.schema_components([told.kind for told in sent], ref_template="#/components/schemas/{name}")
    return dict(sorted(tidied(parts).items()))


def _ref(*path: str) -> Document:
    return {"$ref": "#/" + "/".join(path)}
