"""Makes the files that compose.yaml mounts: for each service its settings with passwords, and the keys it may have.

    scripts/compose-secrets

They go to deploy/compose/secrets, which only you can open; the containers' user reads each file through its mount.
What is there stays, so a second run changes nothing.
"""

import base64
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from sagamart.platform.databases import Passwords, ServiceDatabase, service_database
from sagamart.platform.internal.service_tokens import make_service_keys
from sagamart.platform.keys import add_token_key
from sagamart.platform.settings import TokenSettings
from sagamart.slices import SLICES

PLACE = Path(__file__).parent / "secrets"
DATABASE = "postgres:5432"


def password() -> str:
    """Make one that needs no quoting anywhere."""
    return secrets.token_urlsafe(24)


def make(place: Path) -> None:
    """Write everything into an empty folder."""
    place.mkdir(mode=0o700, parents=True)
    admin, shop_key, bank_key = password(), password(), password()
    webhook = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    server = f"postgresql://postgres:{admin}@{DATABASE}/postgres"
    (place / "postgres-password").write_text(admin)
    (place / "grafana-password").write_text(password())
    made, jwks = add_token_key(place / "tokens", TokenSettings())
    make_service_keys(place / "keys", SLICES)
    passwords = {service: Passwords(owner=password(), runtime=password()) for service in (*SLICES, "bank")}
    for service, own in passwords.items():
        known = service_database(server, service, own)
        lines = [f'dsn = "{_template(known.runtime_dsn, service)}"']
        if service in SLICES:
            _write(place / service, lines)
            shutil.copy(jwks, place / service / jwks.name)
            _give_keys(place / "keys", place / service, service)
        else:
            _tell_bank(
                place, known, {"BANK_SHOP_KEY": shop_key, "BANK_ADMIN_KEY": bank_key, "BANK_WEBHOOK_SECRET": webhook}
            )
        lines += [f'owner_dsn = "{_template(known.owner_dsn, service)}"', f'admin_dsn = "{server}"']
        _write(place / "owners" / service, lines)
    (place / "accounts/token-keys").mkdir()
    shutil.copy(made, place / "accounts/token-keys" / made.name)
    _tell_audit(place, passwords)
    (place / "door").mkdir()
    for name in ("audit", "door"):
        shutil.copy(jwks, place / name / jwks.name)
    with (place / "payments/sagamart.toml").open("a") as file:
        file.write(f'\n[bank]\napi_key = "{shop_key}"\nadmin_key = "{bank_key}"\nwebhook_secrets = ["{webhook}"]\n')
    _open(place)


def _template(dsn: str, service: str) -> str:
    return dsn.replace(f"sagamart_{service}", "sagamart_{service}")


def _write(folder: Path, lines: list[str]) -> None:
    folder.mkdir(parents=True)
    (folder / "sagamart.toml").write_text("\n".join(["[database]", *lines, ""]))


def _give_keys(folder: Path, own: Path, service: str) -> None:
    (own / "service-keys").mkdir()
    for path in (folder / f"{service}.pem", *folder.glob("*.pub")):
        shutil.copy(path, own / "service-keys" / path.name)


def _tell_audit(place: Path, passwords: Mapping[str, Passwords]) -> None:
    """Whoever audits reads the databases of all services, with a file of their passwords as PostgreSQL has it."""
    _write(place / "audit", [f'dsn = "postgresql://sagamart_{{service}}@{DATABASE}/sagamart_{{service}}"'])
    host, _, port = DATABASE.partition(":")
    lines = [f"{host}:{port}:sagamart_{one}:sagamart_{one}:{passwords[one].runtime}\n" for one in SLICES]
    (place / "audit/pgpass").write_text("".join(lines))


def _tell_bank(place: Path, database: ServiceDatabase, keys: Mapping[str, str]) -> None:
    """The bank is told by its environment."""
    told = {"BANK_DSN": database.runtime_dsn, "BANK_OWNER_DSN": database.owner_dsn, **keys}
    (place / "bank.env").write_text("".join(f"{name}={value}\n" for name, value in told.items()))


def _open(place: Path) -> None:
    """Let the containers' user read what it is given; the folder around it stays closed to everybody else."""
    for path in place.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o444)


def main() -> None:
    """Make them, or say that they are there."""
    if PLACE.exists():
        sys.stdout.write(f"{PLACE} is there already; remove it to make others, and the databases with it.\n")
        return
    make(PLACE)
    sys.stdout.write(f"{PLACE}\n")


if __name__ == "__main__":
    main()
