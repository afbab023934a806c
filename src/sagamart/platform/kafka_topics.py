"""The topics that a shop needs: made as they are declared, and compared with how they are.

Rules:
- What is missing is created; what is there is never changed.  What differs is told, for its owner to mend.
- An inbox must remember longer than a topic keeps, else a message that comes again would be handled again.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.cimpl import NewTopic

from sagamart.messaging.inbox import INBOX_DAYS
from sagamart.messaging.transport.kafka_client import quiet
from sagamart.messaging.transport.kafka_trouble import Trouble
from sagamart.platform.kafka import KafkaAdminError, KafkaSection, TopicReport, connection_of

ANSWER_S_MAX = 30.0
"""Of one question to the brokers; each ends by itself then, so nobody counts a second time."""

PATIENCE_S = 10.0
LOOK_S = 1.0
"""Brokers that do not answer are asked so often, and no longer than that: they may be starting."""

SPREAD_S_MAX = 15.0
"""How long brokers may take to tell each other of a new topic."""

DAY_MS = 24 * 3600 * 1000
IN_SYNC_MIN = 2
"""Copies that must have a message before it counts, where there are that many."""


def apply(section: KafkaSection, services: Sequence[str]) -> list[TopicReport]:
    """Create the topics of these services that are missing; how all of them stand.  Raises KafkaAdminError."""
    admin = _administrator(section)
    before = {one.name: one for one in _compared(admin, section, services)}
    missing = [name for name, one in before.items() if one.state == "missing"]
    _create(admin, section, missing)
    after = _compared(admin, section, services) if missing else list(before.values())
    return [msgspec.structs.replace(one, state="created") if one.name in missing else one for one in after]


def compare(section: KafkaSection, services: Sequence[str]) -> list[TopicReport]:
    """How the topics of these services stand.  Raises KafkaAdminError."""
    return _compared(_administrator(section), section, services)


def _administrator(section: KafkaSection) -> AdminClient:
    """A client whom the brokers answer.  Raises KafkaAdminError as soon as it is sure that they will not."""
    connection = connection_of(section)
    trouble = Trouble(connection)
    properties: dict[str, Any] = {**quiet(connection), "error_cb": trouble.note}
    admin = AdminClient(properties)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            admin.list_topics(timeout=LOOK_S)
        except KafkaException as error:
            admin.poll(0)  # why, is told then
            if trouble.will_not_pass or time.monotonic() > deadline:
                raise KafkaAdminError(
                    f"the brokers at {','.join(section.bootstrap_servers)} do not answer: {trouble.advice()}"
                ) from error
        else:
            return admin


def _create(admin: AdminClient, section: KafkaSection, names: Sequence[str]) -> None:
    if not names:
        return
    config = {
        "retention.ms": str(section.retention_days * DAY_MS),
        "min.insync.replicas": str(min(IN_SYNC_MIN, section.replication)),
        "cleanup.policy": "delete",
    }
    wanted = [NewTopic(name, section.partitions, section.replication, config=config) for name in names]
    asked = admin.create_topics(wanted, operation_timeout=SPREAD_S_MAX, request_timeout=ANSWER_S_MAX)
    for name, created in asked.items():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise KafkaAdminError(
                    f"{name}: {error.args[0].str()}; see SAGAMART_KAFKA_REPLICATION, SAGAMART_KAFKA_PREFIX and who may"
                    " create topics"
                ) from error


def _compared(admin: AdminClient, section: KafkaSection, services: Sequence[str]) -> list[TopicReport]:
    names = [section.prefix + service for service in services]
    try:
        there = admin.list_topics(timeout=ANSWER_S_MAX).topics
        resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names if name in there]
        asked = admin.describe_configs(resources, request_timeout=ANSWER_S_MAX) if resources else {}
        configs = {resource.name: answer.result() for resource, answer in asked.items()}
    except KafkaException as error:
        raise KafkaAdminError(
            f"the brokers at {','.join(section.bootstrap_servers)} do not answer as they should: {error.args[0].str()};"
            " see SAGAMART_KAFKA_BOOTSTRAP_SERVERS and who may administer topics"
        ) from error
    return [_report(name, there.get(name), configs.get(name, {}), section) for name in names]


def _report(name: str, found: Any, config: Mapping[str, Any], section: KafkaSection) -> TopicReport:
    if found is None:
        return TopicReport(name, "missing")
    differences = []
    partitions = len(found.partitions)
    if partitions != section.partitions:
        differences.append(f"{partitions} partitions, not {section.partitions}")
    replication = min((len(one.replicas) for one in found.partitions.values()), default=0)
    if replication != section.replication:
        differences.append(f"{replication} copies, not {section.replication}")
    retention_ms = int(config["retention.ms"].value)
    if retention_ms != section.retention_days * DAY_MS:
        kept = "for ever" if retention_ms < 0 else f"{retention_ms / DAY_MS:g} days"
        differences.append(f"kept {kept}, not {section.retention_days} days")
    if retention_ms < 0 or retention_ms >= INBOX_DAYS * DAY_MS:
        differences.append(f"kept longer than an inbox remembers ({INBOX_DAYS} days)")
    if config["cleanup.policy"].value != "delete":
        differences.append(f"cleaned up by {config['cleanup.policy'].value}, not by age: messages get lost")
    return TopicReport(name, "differs" if differences else "as declared", tuple(differences))
