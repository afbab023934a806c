"""The messages of the shop as a page to read: who says what, to whom, in which form."""

from collections.abc import Sequence

from sagamart.blueprints.shop_map import Told, told_by
from sagamart.messaging.service import Service

HEAD = """# The messages of the shop

Written by `make docs` from the services; change the code, not this page. For programs: [asyncapi.json](asyncapi.json)
(AsyncAPI 3.0, one channel a service, headers as in CloudEvents) and one JSON Schema for each version of each message in
[schemas](schemas).

What a service sends or sets as a timer outlives the process that said it, so its form is a contract. Within one
version no field is removed, renamed, retyped or newly required, and no list of words loses one; a new field has a
default, and who does not know it ignores it. Anything else is a new `schema_version` with an `upcast` from the ones
before. Tests hold this, and replay a recorded message of every version.

Every message names its sender, the process (`node`), the request that began it all and the message it follows from. The
version of the aggregate, and the status of an order, are told by whoever owns it: *of its aggregate* says where
([why](../../decisions/0024-who-owns-an-aggregate-tells-its-version.md)).
"""

WAYS = {
    "sent": "Messages between services",
    "timer": "Timers: what a service says to itself, later",
    "intent": "Intents: what a service asks of the world outside",
    "command": "Commands and answers: what a service is asked over HTTP, or told by the world outside",
}


def catalogue(services: Sequence[Service]) -> str:
    """The page, in Markdown."""
    told = told_by(services)
    tables = {title: [one for one in told if one.way == way] for way, title in WAYS.items()}
    return HEAD + "".join(f"\n## {title}\n\n{_table(found)}" for title, found in tables.items() if found)


def _table(told: Sequence[Told]) -> str:
    ordered = sorted(told, key=lambda one: (_who(one), one.name))
    lines = [("from", "to", "message", "of its aggregate", "says"), ("---",) * 5]
    lines += [(*_who(one), _version(one), _state(one), one.says.replace("|", "\\|")) for one in ordered]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _who(told: Told) -> tuple[str, str]:
    return ", ".join(told.producers) or "outside", ", ".join(told.consumers) or "outside"


def _state(told: Told) -> str:
    """What it tells of the aggregate that its key names (decision 0024)."""
    return ", ".join(name for name in ("version", "status") if name in told.kind.__struct_fields__)


def _version(told: Told) -> str:
    if not told.producers:
        return f"`{told.name}`"
    return f"[`{told.name}`](schemas/{told.name}.v{told.version}.json) v{told.version}"
