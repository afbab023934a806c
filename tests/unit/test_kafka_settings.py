"""Settings of Kafka that cannot be meant are refused at the start, with the setting's name and what would be right."""

from pathlib import Path

import pytest

from sagamart.messaging.inbox import INBOX_DAYS
from sagamart.platform.kafka import KafkaSection, connection_of
from sagamart.platform.settings import SettingsError, load
from sagamart.settings import ShopSettings

BROKERS = {"SAGAMART_KAFKA_BOOTSTRAP_SERVERS": "kafka-1:9092, kafka-2:9092"}


def section(**more: str) -> KafkaSection:
    given = {f"SAGAMART_KAFKA_{name.upper()}": value for name, value in more.items()}
    return load(ShopSettings, BROKERS | given).kafka


def test_brokers_alone_are_enough() -> None:
    assert connection_of(section()) == {
        "bootstrap.servers": "kafka-1:9092,kafka-2:9092",
        "client.id": "sagamart",
        "security.protocol": "PLAINTEXT",
    }


def test_a_login_over_tls_is_what_its_settings_say(tmp_path: Path) -> None:
    authorities = tmp_path / "ca.pem"
    authorities.touch()
    login = section(
        tls="true", ca_file=str(authorities), sasl_mechanism="SCRAM-SHA-512", username="orders", password="canary"
    )
    assert connection_of(login) == {
        "bootstrap.servers": "kafka-1:9092,kafka-2:9092",
        "client.id": "sagamart",
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(authorities),
        "sasl.mechanisms": "SCRAM-SHA-512",
        "sasl.username": "orders",
        "sasl.password": "canary",
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"bootstrap_servers": ""}, "SAGAMART_KAFKA_BOOTSTRAP_SERVERS is empty"),
        ({"ca_file": "ca.pem"}, "SAGAMART_KAFKA_TLS is not; set it to true"),
        ({"tls": "true", "ca_file": "nowhere.pem"}, "SAGAMART_KAFKA_CA_FILE=nowhere.pem: there is no such file"),
        ({"sasl_mechanism": "PLAIN", "username": "orders"}, "set SAGAMART_KAFKA_USERNAME and SAGAMART_KAFKA_PASSWORD"),
        ({"username": "orders", "password": "canary"}, "SAGAMART_KAFKA_SASL_MECHANISM is none"),
        ({"retention_days": str(INBOX_DAYS)}, "SAGAMART_KAFKA_RETENTION_DAYS='14'"),
        ({"sasl_mechanism": "scram"}, "SAGAMART_KAFKA_SASL_MECHANISM='scram'"),
    ],
)
def test_what_cannot_be_meant_is_named(given: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        connection_of(section(**given))
    assert told in str(refused.value)
    assert "canary" not in str(refused.value)
