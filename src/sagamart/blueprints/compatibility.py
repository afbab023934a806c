"""The committed form of each message against the struct of today."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from sagamart.blueprints.recordings import file_name, unreadable
from sagamart.blueprints.schemas import breaks, schema_of
from sagamart.blueprints.shop_map import Told

WAY_OUT = (
    "keep the field as it was, or raise schema_version and write an upcast. If no release ever wrote this version, "
    "delete its files in docs/reference/messages/schemas and tests/recorded and run `make docs`"
)


def incompatible(contracts: Mapping[str, Told], schemas: Path, recorded: Path) -> list[str]:
    """What would break messages that were written already, each with what to do: `file: what is wrong; what to do`."""
    findings = [
        f"{file_name(told)}: {found}"
        for told in contracts.values()
        if (place := schemas / file_name(told)).exists()
        for found in breaks(msgspec.json.decode(place.read_bytes()), schema_of(told.kind))
    ]
    findings += [
        f"{place.name}: {why}" for place in sorted(schemas.glob("*.json")) if (why := _orphan(place, contracts))
    ]
    findings += unreadable(contracts, recorded)
    return [f"{found}; {WAY_OUT}" for found in findings]


def _orphan(place: Path, contracts: Mapping[str, Told]) -> str:
    name, _, number = place.stem.rpartition(".v")
    if name not in contracts:
        return f"no service says {name} any more, but some may still be under way"
    if int(number) > contracts[name].version:
        return f"{name} is at version {contracts[name].version} only"
    return ""
