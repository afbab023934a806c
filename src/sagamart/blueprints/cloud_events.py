"""A message on the wire: CloudEvents 1.0, in the structured mode of the Kafka binding.

The value of a record is the event as JSON, its key the aggregate.  The type is a header as well, so that who is not
concerned reads no event.  `traceparent` has the name that W3C Trace Context gives it; what CloudEvents does not know
itself are extension attributes.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from sagamart.messaging.message import Message

HEADERS: Mapping[str, str] = {
    "ce_type": "What kind of message it is",
    "content-type": "application/cloudevents+json",
}
"""Every header, and what it says."""

ATTRIBUTES: Mapping[str, tuple[str, str]] = {
    "specversion": ("string", "Version of CloudEvents: 1.0"),
    "id": ("string", "The message's id, a time-ordered UUID: who has handled it once ignores it"),
    "type": ("string", "What kind of message it is"),
    "source": ("string", "The service that sent it"),
    "time": ("string", "When it was made (RFC 3339, UTC)"),
    "datacontenttype": ("string", "Of the data: application/json"),
    "correlationid": ("string", "Id of the request that began it all"),
    "causationid": ("string", "Id of the message that this one follows from"),
    "schemaversion": ("integer", "Version of the data's form"),
    "node": ("string", "The process that sent it"),
    "aggregateversion": ("integer", "Version of the aggregate, in what its owner says of it"),
    "aggregatestatus": ("string", "Status of the aggregate, in what its owner says of it"),
    "traceparent": ("string", "The W3C trace of the request that began it all"),
}
"""Every attribute: its type in JSON, and what it says."""

OPTIONAL = frozenset({"causationid", "aggregateversion", "aggregatestatus", "traceparent"})
"""Attributes that some messages do not have."""


def event_of(message: Message[Any]) -> dict[str, Any]:
    """A message as it is on the wire.  An attribute that has nothing to say is left out."""
    found = {
        "specversion": "1.0",
        "id": message.id,
        "type": message.type,
        "source": message.source,
        "time": msgspec.to_builtins(message.at),
        "datacontenttype": "application/json",
        "correlationid": message.correlation,
        "causationid": message.cause,
        "schemaversion": message.schema,
        "node": message.node,
        "aggregateversion": getattr(message.body, "version", None),
        "aggregatestatus": getattr(message.body, "status", None),
        "traceparent": message.trace,
        "data": msgspec.json.decode(msgspec.json.encode(message.body)),
    }
    return {name: value for name, value in found.items() if value is not None}


def headers_of(message: Message[Any]) -> dict[str, str]:
    """The headers of a record that carries this message."""
    return {"ce_type": message.type, "content-type": "application/cloudevents+json; charset=UTF-8"}
