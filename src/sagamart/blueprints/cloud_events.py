"""A message's envelope as CloudEvents 1.0 attributes, in the form of the Kafka binding's binary mode.

The value of a record is the body alone, its key the aggregate; everything else about it is in the headers, so that who
routes, traces or audits messages reads no body.  `traceparent` has the name that W3C Trace Context gives it; what
CloudEvents does not know itself are extension attributes.
"""

from collections.abc import Mapping
from typing import Any

from sagamart.messaging.message import Message

ATTRIBUTES: Mapping[str, str] = {
    "ce_specversion": "Version of CloudEvents: 1.0",
    "ce_id": "The message's id, a time-ordered UUID: who has handled it once ignores it",
    "ce_type": "What kind of message it is",
    "ce_source": "The service that sent it",
    "ce_time": "When it was made (RFC 3339, UTC)",
    "ce_correlationid": "Id of the request that began it all",
    "ce_causationid": "Id of the message that this one follows from",
    "ce_schemaversion": "Version of the body's form",
    "ce_node": "The process that sent it",
    "ce_aggregateversion": "Version of the aggregate, where the message tells one",
    "ce_aggregatestatus": "Status of the aggregate, where the message tells one",
    "traceparent": "The W3C trace of the request that began it all",
    "content-type": "Of the value: application/json",
}
"""Every header, and what it says."""


def attributes_of(message: Message[Any]) -> dict[str, str]:
    """The headers of a message.  One that has nothing to say is left out."""
    found = {
        "ce_specversion": "1.0",
        "ce_id": message.id,
        "ce_type": message.type,
        "ce_source": message.source,
        "ce_time": message.at.isoformat(),
        "ce_correlationid": message.correlation,
        "ce_causationid": message.cause,
        "ce_schemaversion": str(message.schema),
        "ce_node": message.node,
        "ce_aggregateversion": getattr(message.body, "version", None),
        "ce_aggregatestatus": getattr(message.body, "status", None),
        "traceparent": message.trace,
        "content-type": "application/json",
    }
    return {name: str(value) for name, value in found.items() if value is not None}
