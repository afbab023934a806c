"""How the clients of this process are set up: every bound that matters has its number here.

`connection` is where the brokers are and how to log in, in the words of librdkafka; what it says goes before what is
said here.
"""

import logging
from collections.abc import Mapping
from typing import Any

from sagamart.messaging.outbox import LEASE_S

Properties = Mapping[str, Any]

DELIVERY_S_MAX = LEASE_S - 5
"""A message not delivered by then goes back to the outbox, before its lease runs out and a sibling takes it."""

LINGER_MS = 1
BUFFER_MESSAGES_MAX = 50_000
BUFFER_KIB_MAX = 64 * 1024
"""What may wait for the brokers in this process; what does not fit stays in the outbox."""

MESSAGE_BYTES_MAX = 1_000_000
"""Of one message with its headers; topics are created with the brokers' default, which is a little more."""

FETCHED_MESSAGES = 5_000
FETCHED_KIB_MAX = 16 * 1024
"""What is fetched ahead for one consuming service."""

SESSION_S = 10
"""A replica that has not been heard of for so long loses its partitions to its siblings."""

HEARTBEAT_S = 1
"""How soon a replica hears that partitions move."""

POLL_S_MAX = 300
"""A replica that has not asked for messages for so long loses its partitions."""

RECONNECT_MS_MAX = 1_000

COMPLAINT_S = 10.0
"""Each client logs its trouble once in so many seconds."""

log = logging.getLogger("sagamart.kafka")

_COMMON: Properties = {
    "reconnect.backoff.ms": 100,
    "reconnect.backoff.max.ms": RECONNECT_MS_MAX,
    "allow.auto.create.topics": False,
    "topic.metadata.refresh.interval.ms": 30_000,
    # A lost connection is told to `error_cb` too; as log lines it would be one a client and second.
    "logger": log,
    "log_level": 2,
}


def quiet(connection: Properties) -> dict[str, Any]:
    """Of a client that only asks; its trouble is told to `error_cb`."""
    return {**_COMMON, **connection}


def producer_properties(connection: Properties) -> dict[str, Any]:
    """Acknowledged by all in-sync replicas, and written once however often it is sent."""
    return {
        **_COMMON,
        "enable.idempotence": True,
        "acks": "all",
        "delivery.timeout.ms": DELIVERY_S_MAX * 1000,
        "linger.ms": LINGER_MS,
        "compression.type": "lz4",
        "message.max.bytes": MESSAGE_BYTES_MAX,
        "queue.buffering.max.messages": BUFFER_MESSAGES_MAX,
        "queue.buffering.max.kbytes": BUFFER_KIB_MAX,
        # As the Java clients do, so that whoever writes a message of a key, it goes to the same partition.
        "partitioner": "murmur2_random",
        **connection,
    }


def consumer_properties(connection: Properties, group: str) -> dict[str, Any]:
    """Nothing is committed by itself, and a lost position is an error."""
    return {
        **_COMMON,
        "group.id": group,
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": SESSION_S * 1000,
        "heartbeat.interval.ms": HEARTBEAT_S * 1000,
        "max.poll.interval.ms": POLL_S_MAX * 1000,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "queued.min.messages": FETCHED_MESSAGES,
        "queued.max.messages.kbytes": FETCHED_KIB_MAX,
        **connection,
    }
