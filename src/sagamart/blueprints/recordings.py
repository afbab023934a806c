"""Recorded messages: one of every type and version, as a program of that version wrote it.

A recording is made once and never made anew: outboxes and topics are not rewritten either.  Replaying them shows that
this program reads whatever an older one has left behind.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from sagamart.blueprints.examples import example_of
from sagamart.blueprints.shop_map import Told
from sagamart.messaging.message import Registry, UnknownMessageError, encode


def file_name(told: Told) -> str:
    """Where the message of the present version is kept."""
    return f"{told.name}.v{told.version}.json"


def missing(contracts: Mapping[str, Told], folder: Path) -> dict[Path, str]:
    """Messages that are to be recorded: there is none of their version yet."""
    places = {folder / file_name(told): told for told in contracts.values()}
    return {place: _recorded(told) for place, told in places.items() if not place.exists()}


def unreadable(contracts: Mapping[str, Told], folder: Path) -> list[str]:
    """Recordings that this program cannot read, or of which it loses something: `file: what is wrong`."""
    registry = Registry(told.kind for told in contracts.values())
    found = ((place, _trouble(registry, place.read_bytes())) for place in sorted(folder.glob("*.json")))
    return [f"{place.name}: {trouble}" for place, trouble in found if trouble]


def _recorded(told: Told) -> str:
    return msgspec.json.format(encode(example_of(told)), indent=2).decode() + "\n"


def _trouble(registry: Registry, recorded: bytes) -> str:
    try:
        message = registry.decode(recorded)
    except (UnknownMessageError, msgspec.DecodeError) as error:
        return str(error)
    if message.schema != registry.types[message.type].schema_version:
        return ""
    lost = list(_lost(msgspec.json.decode(recorded), msgspec.json.decode(encode(message)), ""))
    return f"{', '.join(lost)} is lost in reading" if lost else ""


def _lost(recorded: Any, read: Any, path: str) -> list[str]:
    if isinstance(recorded, dict) and isinstance(read, dict):
        return [place for name, value in recorded.items() for place in _lost(value, read.get(name), f"{path}.{name}")]
    if isinstance(recorded, list) and isinstance(read, list) and len(recorded) == len(read):
        return [place for one, other in zip(recorded, read, strict=True) for place in _lost(one, other, f"{path}[]")]
    return [] if recorded == read else [path.lstrip(".")]
