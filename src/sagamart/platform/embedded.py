"""A PostgreSQL of our own, inside the program: `async with EmbeddedPostgres(folder) as postgres`.

Rules:
- One program on a folder at a time; a second one is refused at once and told who holds it.
- It listens on a Unix socket only, which its OS account (and root) alone can open; that is the authentication.
- There is no time limit on a start: recovery after a crash takes what it takes, and `progress` tells how far it is.
- When it dies it is started again, for as long as we live, with a bounded delay between the attempts.
- It ends with the program: cleanly where we end cleanly, and through its guard where we are killed.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from sagamart.platform.embedded_home import SUPERUSER, EmbeddedPostgresError, Home, hand_over, prepare
from sagamart.platform.embedded_server import POLL_S, Log, Server, clear_leftovers, pid_file, recovery_step
from sagamart.platform.folder_lock import FolderInUseError, FolderLock

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "FolderInUseError"]

STOP_FAST_S = 30.0
RESTART_DELAY_MIN_S = 0.1
RESTART_DELAY_MAX_S = 5.0
HEALTHY_AFTER_S = 30.0
_SOCKET_PATH_BYTES_MAX = 107  # sockaddr_un.sun_path, less its closing zero
_SOCKET_FOLDER_LINE = 4  # of postmaster.pid
_SOCKET_NAME = ".s.PGSQL.5432"


def _silent(_: str) -> None:
    pass


class EmbeddedPostgres:
    """A supervised PostgreSQL whose data lies in a folder, from __aenter__ to __aexit__.

    `settings` go to PostgreSQL over the ones in embedded_server.SETTINGS.

    Raises (on entering):
        FolderInUseError: another program works on this folder.
        EmbeddedPostgresError: it cannot start; the message says why.

    """

    def __init__(
        self,
        folder: Path,
        *,
        progress: Callable[[str], None] = _silent,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self._progress = progress
        self._settings = settings or {}
        self._lock = FolderLock(self._folder)
        self._home: Home | None = None
        self._socket_folder = self._folder
        self._server: Server | None = None
        self._supervisor: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        _make_folder(self._folder)
        self._lock.acquire()
        try:
            self._home = home = await asyncio.to_thread(prepare, self._folder, self._progress_from_thread())
            self._socket_folder = _socket_folder(home)
            await self._launch(home)
        except BaseException:
            await self._end()
            raise
        self._supervisor = asyncio.create_task(self._supervise(home), name="embedded-postgres")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()

    def dsn(self, database: str = SUPERUSER, role: str = SUPERUSER) -> str:
        """Name one of its databases and a role for asyncpg."""
        return _dsn(self._socket_folder, database, role)

    @property
    def pid(self) -> int:
        """The process id of the present postmaster."""
        if self._server is None:
            raise EmbeddedPostgresError("PostgreSQL is not running.")
        return self._server.pid

    def _progress_from_thread(self) -> Callable[[str], None]:
        loop = asyncio.get_running_loop()

        def tell(text: str) -> None:
            loop.call_soon_threadsafe(self._progress, text)

        return tell

    async def _launch(self, home: Home) -> None:
        await clear_leftovers(home, self._socket_folder, self._progress)
        log = Log(self._folder / "postgres.log")
        self._server = server = Server(home, log, self._socket_folder, self._settings)
        ready = False
        while not ready:
            ready = server.ready  # asked before the log is read, so that nothing of a quick recovery goes untold
            for step in filter(None, map(recovery_step, log.news())):
                self._progress(f"PostgreSQL: {step}")
            if server.exited.is_set():
                raise EmbeddedPostgresError(f"PostgreSQL did not start. The end of {log.path}:\n{log.tail()}")
            await asyncio.sleep(POLL_S)

    async def _supervise(self, home: Home) -> None:
        clock = asyncio.get_running_loop().time
        delay_s = RESTART_DELAY_MIN_S
        while self._server is not None:
            since = clock()
            await self._server.exited.wait()
            code = self._server.exit_code
            if clock() - since > HEALTHY_AFTER_S:
                delay_s = RESTART_DELAY_MIN_S
            self._progress(f"PostgreSQL ended unexpectedly (exit code {code}); starting it again in {delay_s:.1f} s")
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, RESTART_DELAY_MAX_S)
            try:
                await self._launch(home)
                self._progress("PostgreSQL is back")
            except (EmbeddedPostgresError, OSError) as error:
                self._progress(str(error))

    async def _end(self) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor])
        if self._server is not None:
            await self._server.stop(STOP_FAST_S)
            self._server = None
        if self._home is not None and self._socket_folder != self._home.place:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
        self._lock.release()


def running_dsn(folder: Path) -> str:
    """Name the superuser's database on the PostgreSQL that another program runs on this folder.

    Raises EmbeddedPostgresError where none does.
    """
    stated = pid_file(folder.absolute() / "postgres" / "data")
    if len(stated) <= _SOCKET_FOLDER_LINE:
        raise EmbeddedPostgresError(f"No PostgreSQL runs on {folder}.")
    return _dsn(Path(stated[_SOCKET_FOLDER_LINE]), SUPERUSER, SUPERUSER)


def _dsn(socket_folder: Path, database: str, role: str) -> str:
    return f"postgresql://{quote(role)}@/{quote(database)}?host={quote(str(socket_folder))}"


def _make_folder(folder: Path) -> None:
    """Make the folder; where we are root, let PostgreSQL's account pass through it to its own part inside."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"the data folder {folder} cannot be made: {error.strerror}; choose another with --data or SAGAMART_DATA"
        ) from error
    if os.geteuid() == 0:
        folder.chmod(folder.stat().st_mode & 0o7777 | 0o011)


def _socket_folder(home: Home) -> Path:
    """Beside the data, or in a short temporary folder where that path is too long for a socket."""
    if len(os.fsencode(home.place / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES_MAX:
        return home.place
    return hand_over(Path(tempfile.mkdtemp(prefix="sagamart-")), home.account)
