"""Prints all Secrets and ConfigMaps that the chart refers to, made just now, for `kubectl apply`.

    scripts/kubernetes-secrets --database sagamart-postgres | kubectl --namespace sagamart apply -f -

It is for a first try: whoever runs this knows every secret at once.  Where there is a secret store, make them there,
under the same names.  A second run makes other passwords: run it once.
"""

import argparse
import base64
import json
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sagamart.platform.databases import Passwords, service_database
from sagamart.platform.internal.service_tokens import make_service_keys
from sagamart.platform.keys import add_token_key
from sagamart.platform.settings import TokenSettings
from sagamart.slices import SLICES

ADMIN = "postgres"


def password() -> str:
    """Make one that needs no quoting anywhere."""
    return secrets.token_urlsafe(24)


def secret(name: str, **values: str) -> dict[str, Any]:
    """Write a Secret; keys are given with _ in place of - and must have no other sign in them."""
    data = {key.replace("_", "-"): value for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def documents(database: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Make every Secret and ConfigMap; `folder` is empty, and is nobody else's."""
    admin = password()
    server = f"postgresql://{ADMIN}:{admin}@{database}:5432/postgres"
    yield secret("sagamart-database-admin", password=admin, dsn=server)
    lines = []
    for service in (*SLICES, "bank"):
        known = Passwords(owner=password(), runtime=password())
        place = service_database(server, service, known)
        lines.append(f"{database}:5432:{place.name}:{place.name}:{known.runtime}")
        yield secret(f"sagamart-{service}-database", dsn=place.runtime_dsn)
        yield secret(f"sagamart-{service}-database-owner", dsn=place.owner_dsn)
        if service == "bank":
            yield from bank(place.runtime_dsn, place.owner_dsn)
    shop = f"postgresql://sagamart_{{service}}@{database}:5432/sagamart_{{service}}"
    yield secret("sagamart-audit", dsn=shop, pgpass="\n".join([*lines, ""]))
    yield from keys(folder)


def bank(dsn: str, owner_dsn: str) -> Iterator[dict[str, Any]]:
    """Make what the shop and the simulated bank know of each other."""
    shop_key, webhook = password(), f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    yield secret("sagamart-bank", api_key=shop_key, webhook_secrets=webhook)
    known = {"dsn": dsn, "owner_dsn": owner_dsn, "shop_key": shop_key, "admin_key": password()}
    yield secret("sagamart-simulated-bank", webhook_secret=webhook, **known)


def keys(folder: Path) -> Iterator[dict[str, Any]]:
    """Make the keys of access tokens and of services: private halves as Secrets, public ones as ConfigMaps."""
    made, jwks = add_token_key(folder / "tokens", TokenSettings())
    yield files("Secret", "sagamart-token-keys", {made.name: made.read_text()})
    yield files("ConfigMap", "sagamart-token-jwks", {jwks.name: jwks.read_text()})
    make_service_keys(folder / "services", SLICES)
    public = {path.name: path.read_text() for path in sorted((folder / "services").glob("*.pub"))}
    yield files("ConfigMap", "sagamart-service-keys", public)
    for service in SLICES:
        path = folder / "services" / f"{service}.pem"
        yield files("Secret", f"sagamart-{service}-service-key", {path.name: path.read_text()})


def files(kind: str, name: str, contents: Mapping[str, str]) -> dict[str, Any]:
    """Write a Secret or ConfigMap that is mounted as files."""
    data = "stringData" if kind == "Secret" else "data"
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, data: dict(contents)}


def main() -> None:
    """Print them as one list."""
    parser = argparse.ArgumentParser(description="All that the chart refers to, for kubectl apply.")
    parser.add_argument("--database", default="sagamart-postgres", help="host of PostgreSQL")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sagamart-keys-") as folder:
        items = list(documents(asked.database, Path(folder)))
    json.dump({"apiVersion": "v1", "kind": "List", "items": items}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
