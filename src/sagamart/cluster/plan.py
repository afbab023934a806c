"""Which processes a cluster has, and what each of them is told.

Rules:
- Ports are taken before anybody is started, and stay taken while the cluster lives: a process that is started again
  comes back where the others look for it.
- Only the processes of accounts get the private keys of access tokens; the others get the public ones.
- One process audits, whatever the number of replicas; nobody sends it messages.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import structs

from sagamart.audit import AUDIT
from sagamart.platform.databases import service_database
from sagamart.platform.http_client import Address
from sagamart.platform.keys import tokens_from_files
from sagamart.platform.ports import LOOPBACK, Ports
from sagamart.platform.settings import environment_of
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES
from sagamart.transports import service_key_folder

SIGNS_TOKENS = "accounts"
KNOWS_PEOPLE = "accounts"
HANDLING_NODE = "handling"
"""The node's name of the one process that handles messages beside one that takes requests."""


class Member(msgspec.Struct, frozen=True):
    """A process: one replica of one service, or the audit; or of all services."""

    node: str
    services: Sequence[str]
    public: Address
    environment: Mapping[str, str]


def planned(
    settings: ShopSettings, services: Sequence[str], *, replicas: int, postgres_dsn: str, ports: Ports
) -> list[Member]:
    """Every process of the cluster; how their messages travel is `settings.transport`."""
    places = [(service, number) for service in services for number in range(1, replicas + 1)]
    internal = {place: ports.take() for place in places if _listens(settings, place[0])}
    jwks = _jwks_file(settings)
    shared = {
        **_shared(settings, postgres_dsn, internal),
        "SAGAMART_HTTP_TRUSTED_PROXIES": LOOPBACK,
        "SAGAMART_HTTP_REPLICAS": str(replicas),
    }
    members = []
    for service, number in [*places, (AUDIT, 1)]:
        node, public = f"{service}-{number}", ports.take()
        environment = {**shared, "SAGAMART_NODE": node, "SAGAMART_HTTP_PORT": str(public)}
        if (service, number) in internal:
            environment["SAGAMART_INTERNAL_PORT"] = str(internal[service, number])
        if service != SIGNS_TOKENS:
            environment["SAGAMART_TOKENS_JWKS"] = str(jwks)
        members.append(Member(node, [service], Address(LOOPBACK, public), environment))
    return members


def handling_messages(settings: ShopSettings, postgres_dsn: str, ports: Ports) -> tuple[Member, ShopSettings]:
    """A process of all services that handles messages, and the settings of one beside it that only takes requests."""
    public, internal = ports.take(), ports.take()
    listeners = {(service, 1): internal for service in SLICES}
    settings = structs.replace(settings, transport="http", style="facts")
    environment = {
        **_shared(settings, postgres_dsn, listeners),
        "SAGAMART_NODE": HANDLING_NODE,
        "SAGAMART_HTTP_PORT": str(public),
        "SAGAMART_WEB_PAGES": "off",
        "SAGAMART_INTERNAL_PORT": str(internal),
    }
    keys = str(service_key_folder(settings))
    asking = structs.replace(settings.internal, receive=False, destinations=_destinations(listeners), keys=keys)
    member = Member(HANDLING_NODE, list(SLICES), Address(LOOPBACK, public), environment)
    return member, structs.replace(settings, internal=asking)


def _shared(settings: ShopSettings, postgres_dsn: str, listeners: Mapping[tuple[str, int], int]) -> dict[str, str]:
    """What every process is told that another one starts."""
    return {
        **environment_of(settings),
        "SAGAMART_DATABASE_DSN": dsn_template(postgres_dsn),
        "SAGAMART_HTTP_HOST": LOOPBACK,
        "SAGAMART_HTTP_SHARE_PORT": "true",
        "SAGAMART_INTERNAL_RECEIVE": "true",
        "SAGAMART_METRICS_PORT": "0",  # it is the one's who is asked from outside
        **_asking(settings, listeners),
    }


def _listens(settings: ShopSettings, service: str) -> bool:
    """Whether its processes are asked over HTTP: for messages, for calls, or for how to write to people."""
    return settings.transport == "http" or settings.style != "facts" or service == KNOWS_PEOPLE


def _asking(settings: ShopSettings, listeners: Mapping[tuple[str, int], int]) -> dict[str, str]:
    """What processes need to ask each other over HTTP."""
    return {
        "SAGAMART_INTERNAL_DESTINATIONS": ",".join(_destinations(listeners)),
        "SAGAMART_INTERNAL_KEYS": str(service_key_folder(settings)),
        "SAGAMART_INTERNAL_HOST": LOOPBACK,
        "SAGAMART_INTERNAL_SHARE_PORT": "true",
    }


def _destinations(listeners: Mapping[tuple[str, int], int]) -> tuple[str, ...]:
    return tuple(f"{service}=http://{LOOPBACK}:{port}" for (service, _), port in listeners.items())


def dsn_template(postgres_dsn: str) -> str:
    """The runtime DSN with `{service}` for the service's name, as the setting has it."""
    return service_database(postgres_dsn, "service").runtime_dsn.replace("sagamart_service", "sagamart_{service}")


def addresses_of(members: Iterable[Member]) -> dict[str, list[Address]]:
    """Where each service's replicas listen for requests."""
    found: dict[str, list[Address]] = {}
    for member in members:
        for service in member.services:
            found.setdefault(service, []).append(member.public)
    return found


def _jwks_file(settings: ShopSettings) -> Path:
    data = Path(settings.data)
    tokens = tokens_from_files(settings.tokens, data)
    file = data / "public-keys.json"
    file.write_bytes(msgspec.json.encode(tokens.jwks()))
    return file
