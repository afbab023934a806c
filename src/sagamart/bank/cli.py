"""The command line: `sagamart-bank --help`."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import asyncpg
import uvloop
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from sagamart.bank.cards import KINDS, shown
from sagamart.bank.program import PORT_DEFAULT, BankSettings, bank_database, running_bank
from sagamart.platform import logs
from sagamart.platform.embedded import EmbeddedPostgres, EmbeddedPostgresError, FolderInUseError
from sagamart.platform.http import Problem
from sagamart.platform.http.application import VERSION
from sagamart.platform.migrations import MigrationError, history_of, migrate

app = App(name="sagamart-bank", help="A bank to try payments with: test cards, webhooks, and misbehaviour on demand.")
terminal = Console(stderr=True, highlight=False)

EXPECTED = (FolderInUseError, EmbeddedPostgresError, MigrationError, Problem, OSError, asyncpg.PostgresError)
"""What ends the command with a sentence instead of a traceback."""

DEFAULTS = BankSettings()


@app.default
def serve(  # noqa: PLR0913  a command line has many options
    *,
    port: Annotated[int, Parameter(env_var="BANK_PORT", help="Port to listen on; 0 takes a free one.")] = PORT_DEFAULT,
    host: Annotated[str, Parameter(env_var="BANK_HOST", help="Address to listen on.")] = DEFAULTS.host,
    address: Annotated[
        str, Parameter(env_var="BANK_ADDRESS", help="Where customers reach the bank, if not where it listens.")
    ] = "",
    data: Annotated[Path, Parameter(env_var="BANK_DATA", help="Folder of the embedded database.")] = Path(
        ".sagamart-bank"
    ),
    dsn: Annotated[str, Parameter(env_var="BANK_DSN", help="A database of your own in place of the embedded.")] = "",
    owner_dsn: Annotated[
        str, Parameter(env_var="BANK_OWNER_DSN", help="The same with the role that owns the tables, if another.")
    ] = "",
    shop_key: Annotated[str, Parameter(env_var="BANK_SHOP_KEY", help="API key of the shop.")] = DEFAULTS.shop_key,
    admin_key: Annotated[str, Parameter(env_var="BANK_ADMIN_KEY", help="Key of /admin.")] = DEFAULTS.admin_key,
    hosts: Annotated[
        tuple[str, ...],
        Parameter(env_var="BANK_HOSTS", help="Hosts of the shop, for its webhook and return addresses."),
    ] = DEFAULTS.hosts,
    webhook_url: Annotated[
        str | None, Parameter(env_var="BANK_WEBHOOK_URL", help="Where the shop is told; it may also say so itself.")
    ] = None,
    webhook_secret: Annotated[
        str, Parameter(env_var="BANK_WEBHOOK_SECRET", help="The secret that signs it: whsec_ and base64.")
    ] = "",
    seed: Annotated[int | None, Parameter(help="Of the chance in misbehaviours.")] = None,
) -> None:
    """Run the bank.  Ctrl-C stops it; nothing is lost."""
    settings = BankSettings(
        host=host,
        port=port,
        address=address,
        admin_key=admin_key,
        shop_key=shop_key,
        hosts=hosts,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        seed=seed,
    )
    try:
        uvloop.run(_serve(settings, data, dsn, owner_dsn))
    except EXPECTED as error:
        sys.exit(f"sagamart-bank: {error}")
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)


def main() -> None:
    """Run the command."""
    app()


async def _serve(settings: BankSettings, data: Path, dsn: str, owner_dsn: str) -> None:
    async with _database(data, dsn, owner_dsn) as own_dsn:
        # Not earlier: migrations would tell of every step.
        logs.configure("sagamart-bank", VERSION, "info", "auto")
        await _open(own_dsn, settings)


async def _open(dsn: str, settings: BankSettings) -> None:
    async with running_bank(dsn, settings) as bank:
        _show(bank.address, settings)
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        await stopped.wait()


@asynccontextmanager
async def _database(data: Path, dsn: str, owner_dsn: str) -> AsyncIterator[str]:
    """The bank's database: the one given, or one on an embedded PostgreSQL."""
    if dsn:
        await migrate(owner_dsn or dsn, [history_of("sagamart.bank")])
        yield dsn
        return
    async with EmbeddedPostgres(data, progress=lambda text: terminal.print(text, style="dim")) as postgres:
        yield await bank_database(postgres.dsn())


def _show(address: str, settings: BankSettings) -> None:
    table = Table("test card", "what it does", title="Cards (the six digits in the middle are free)")
    for digits, kind in KINDS.items():
        table.add_row(shown(digits), kind.says)
    terminal.print(table)
    terminal.print(f"The bank is open at {address}   Its API to try: {address}/docs", soft_wrap=True)
    terminal.print(f"API key of the shop: {settings.shop_key}   Admin key: {settings.admin_key}")
    terminal.print("Try:", soft_wrap=True)
    terminal.print(
        f"""  curl {address}/v1/payments -H 'Authorization: Bearer {settings.shop_key}' \\
    -H 'Idempotency-Key: my-first' -H 'Content-Type: application/json' \\
    -d '{{"kind": "hold", "amount_minor": 1250, "currency": "RUB", "reference": "tea",
         "card": "4000000000000001"}}'""",
        soft_wrap=True,
        markup=False,
    )
