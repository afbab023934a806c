"""Trouble with the brokers in words that help: which setting is wrong, and what would be right.

Clients are told by callbacks why they cannot connect; what a question then ends with says only that nobody answered.
"""

import re
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError

_ALL_BROKERS_DOWN = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001  librdkafka's own names, here and below
_AUTHENTICATION = KafkaError._AUTHENTICATION  # noqa: SLF001  as above
_SSL = KafkaError._SSL  # noqa: SLF001  as above

_WHERE_AND_WHEN = re.compile(r"^\S+: | \(after \d+ms in state \w+[^)]*\)$")
_NO_TLS_THERE = "PLAINTEXT broker listener"

BROKERS = "SAGAMART_KAFKA_BOOTSTRAP_SERVERS"


class Trouble:
    """What a client was told last.  `note` is its `error_cb`."""

    def __init__(self, connection: Mapping[str, Any]) -> None:
        self._connection = connection
        self._told: KafkaError | None = None

    def note(self, error: KafkaError) -> None:
        """Remember this, unless it says less than what is known: that all brokers are down follows from the rest."""
        if self._told is None or error.code() != _ALL_BROKERS_DOWN:
            self._told = error

    def is_over(self) -> None:
        """The brokers have answered."""
        self._told = None

    @property
    def will_not_pass(self) -> bool:
        """Whether waiting does not help."""
        told = self._told
        return told is not None and (told.code() in (_AUTHENTICATION, _SSL) or _NO_TLS_THERE in told.str())

    def advice(self) -> str:
        """Why the brokers do not answer, and what to do."""
        told = self._told
        if told is None:
            return f"no word from them; see {BROKERS}"
        why = _WHERE_AND_WHEN.sub("", told.str())
        if told.code() == _AUTHENTICATION:
            what = "check SAGAMART_KAFKA_USERNAME, SAGAMART_KAFKA_PASSWORD and SAGAMART_KAFKA_SASL_MECHANISM"
        elif told.code() == _SSL:
            what = (
                "name the authority that vouches for them in SAGAMART_KAFKA_CA_FILE, and them in"
                f" {BROKERS} as their certificates do"
            )
        elif _NO_TLS_THERE in why:
            what = f"set SAGAMART_KAFKA_TLS=false, or {BROKERS} to a port that speaks TLS"
        elif told.code() == _ALL_BROKERS_DOWN:
            why, what = "they hang up at the first word", self._other_protocols()
        elif "security.protocol" in why:
            what = self._other_protocols()
        else:
            what = f"see {BROKERS}"
        return f"{why}; {what}"

    def _other_protocols(self) -> str:
        protocol = self._connection.get("security.protocol", "PLAINTEXT")
        wanted = []
        if "SSL" not in protocol:
            wanted.append("where that port speaks TLS, set SAGAMART_KAFKA_TLS=true")
        if "SASL" not in protocol:
            wanted.append("where it asks for a log-in, set SAGAMART_KAFKA_SASL_MECHANISM")
        return "; ".join(wanted) or f"see {BROKERS}"
