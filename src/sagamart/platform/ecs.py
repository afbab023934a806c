"""A line of the log in the Elastic Common Schema: which of our fields becomes which of its.

Rules:
- What the schema has a field for goes there; all else is a label, a word or a number each, so that an index with
  explicit mappings takes every line.
- An order is found by `labels.order_id`, a customer by `labels.customer_id`, whoever logs.  There are no names,
  addresses or other personal data in any field.
- What stands in `FIELDS` is what `deploy/observability/elastic` maps, beside labels; a test compares.
"""

from collections.abc import Mapping
from typing import Any

ECS_VERSION = "8.11.0"

KEYS = {"ord_": "order_id", "cus_": "customer_id"}
"""What a message's key names, by its prefix."""

RENAMED: Mapping[str, str] = {
    "error": "error.message",
    "method": "http.request.method",
    "path": "url.path",
    "level": "log.level",
    "logger": "log.logger",
}

FIELDS = frozenset(
    {
        "@timestamp",
        "message",
        "ecs.version",
        "log.level",
        "log.logger",
        "service.name",
        "service.version",
        "service.node.name",
        "event.kind",
        "event.dataset",
        "event.action",
        "event.duration",
        "event.outcome",
        "error.type",
        "error.message",
        "error.stack_trace",
        "trace.id",
        "transaction.id",
        "span.id",
        "http.request.method",
        "url.path",
    }
)
"""The schema's fields that a line may have."""


def as_ecs(event: Mapping[str, Any]) -> dict[str, Any]:
    """The same line, each field under its dotted name.  `event` is the text; the formatter calls it `message`."""
    found: dict[str, Any] = {"ecs.version": ECS_VERSION, "event.kind": "event", "event.dataset": "sagamart.log"}
    for name, value in event.items():
        if value is None:
            continue
        known = RENAMED.get(name, name)
        if known in FIELDS or known.startswith("event."):
            found[known] = value if isinstance(value, int) else str(value)
        elif known == "event":
            found["event"] = str(value)
        else:
            found[f"labels.{known.removeprefix('labels.').replace('.', '_')}"] = _scalar(value)
    about = KEYS.get(str(event.get("key", ""))[:4])
    if about is not None:
        found.setdefault(f"labels.{about}", event["key"])
    if found.get("log.level") in ("error", "critical"):
        found.setdefault("event.outcome", "failure")
    return found


def _scalar(value: Any) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else str(value)
