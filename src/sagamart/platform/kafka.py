"""Settings of Kafka, and what they mean to its clients."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from sagamart.messaging.inbox import INBOX_DAYS
from sagamart.messaging.transport.kafka_client import SESSION_S
from sagamart.platform.settings import Section, SettingsError


class KafkaSection(Section, frozen=True):
    """Where the brokers are, how to log in, and the topics that they keep."""

    bootstrap_servers: Annotated[
        tuple[str, ...], Meta(description="Brokers to ask first, as HOST:PORT, with commas between")
    ] = ()
    prefix: Annotated[
        str,
        Meta(pattern=r"^[A-Za-z0-9._-]{0,100}$", description="What the names of topics and consumer groups begin with"),
    ] = "sagamart."
    partitions: Annotated[int, Meta(ge=1, le=1_000, description="Partitions of each topic")] = 6
    replication: Annotated[int, Meta(ge=1, le=7, description="Copies of each partition; 3 where there are brokers")] = 1
    retention_days: Annotated[
        int, Meta(ge=1, lt=INBOX_DAYS, description="How long topics keep messages; less than an inbox remembers them")
    ] = 7
    session_s: Annotated[
        int,
        Meta(ge=2, le=300, description="A replica unheard of for so many seconds loses its partitions to its siblings"),
    ] = SESSION_S
    client_id: Annotated[str, Meta(max_length=100, description="Name of this program in the brokers' logs")] = (
        "sagamart"
    )
    tls: Annotated[bool, Meta(description="Whether to speak TLS with the brokers")] = False
    ca_file: Annotated[
        str, Meta(description="File of the authorities that vouch for the brokers; empty: the system's")
    ] = ""
    sasl_mechanism: Annotated[
        Literal["none", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], Meta(description="How to log in; none: not at all")
    ] = "none"
    username: Annotated[str, Meta(description="Whom to log in as")] = ""
    password: Annotated[str, Meta(description="With what", extra={"secret": True})] = ""


class KafkaAdminError(Exception):
    """The brokers do not answer, or refuse; the message says what."""


class TopicReport(msgspec.Struct, frozen=True):
    """How a declared topic stands."""

    name: str
    state: str
    differences: tuple[str, ...] = ()


def connection_of(section: KafkaSection) -> Mapping[str, Any]:
    """Where the brokers are and how to log in, in the words of librdkafka.  Raises SettingsError."""
    if not section.bootstrap_servers:
        raise SettingsError(
            "SAGAMART_KAFKA_BOOTSTRAP_SERVERS is empty; set it to the brokers, as kafka-1:9092,kafka-2:9092"
        )
    has_login = section.sasl_mechanism != "none"
    protocol = ("SASL_" if has_login else "") + ("SSL" if section.tls else "PLAINTEXT")
    connection: dict[str, Any] = {
        "bootstrap.servers": ",".join(section.bootstrap_servers),
        "client.id": section.client_id,
        "security.protocol": protocol,
    }
    if section.ca_file:
        if not section.tls:
            raise SettingsError("SAGAMART_KAFKA_CA_FILE is set, and SAGAMART_KAFKA_TLS is not; set it to true")
        if not Path(section.ca_file).is_file():
            raise SettingsError(
                f"SAGAMART_KAFKA_CA_FILE={section.ca_file}: there is no such file; name one of PEM certificates"
            )
        connection["ssl.ca.location"] = section.ca_file
    if has_login:
        if not (section.username and section.password):
            raise SettingsError(
                f"SAGAMART_KAFKA_SASL_MECHANISM={section.sasl_mechanism} needs a name and a password;"
                " set SAGAMART_KAFKA_USERNAME and SAGAMART_KAFKA_PASSWORD"
            )
        connection |= {
            "sasl.mechanisms": section.sasl_mechanism,
            "sasl.username": section.username,
            "sasl.password": section.password,
        }
    elif section.username or section.password:
        raise SettingsError(
            "SAGAMART_KAFKA_USERNAME or SAGAMART_KAFKA_PASSWORD is set, and SAGAMART_KAFKA_SASL_MECHANISM is none;"
            " set it to the mechanism of the brokers, as SCRAM-SHA-512"
        )
    return connection
