"""One life of the embedded PostgreSQL: its settings, its process, what it says while it starts, and its remains.

Rules:
- The process has a session of its own, so Ctrl-C in our terminal reaches us only, and we stop it in our order.
- Its log goes to a file directly: PostgreSQL never waits for our event loop.
- A guard (a shell that waits for the end of a pipe that only we hold) stops it when we are killed.
- Before a start nothing may be left of an earlier life: a postmaster is stopped, its orphaned children too.
  Found through /proc, where the system has one; elsewhere PostgreSQL's own check of postmaster.pid has to do.
"""

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from sagamart.platform.embedded_home import Home, as_account

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    # Committed is on disk: the promise of the whole program rests on it.
    "fsync": "on",
    "synchronous_commit": "on",
    # Nobody replicates an embedded database.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    # A full-page image follows each checkpoint, so fewer checkpoints; recovery replays at most this much.
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    # What was sent is deleted: at full speed a service leaves megabytes a second behind, to be reused, not added to.
    "autovacuum_naptime": "10s",
    # Reads come from memory here: three I/O workers would only slow the start.
    "io_method": "sync",
    # Errors of statements go to the caller, who logs them; the server's own log stays small.
    "log_min_messages": "log",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "log_startup_progress_interval": "1s",
}
POLL_S = 0.02
LEFTOVER_FAST_STOP_S = 60.0
_LOG_SIZE_MAX = 10_000_000
_RECOVERY_WORDS = ("recovery", "redo", "interrupted", "not properly shut down", "syncing data directory", "resetting")
_STATUS_LINE = 7  # of postmaster.pid: pid, folder, start time, port, socket folder, address, memory, status


class Log:
    """The server's log file, and what was added to it since this life began."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists() and path.stat().st_size > _LOG_SIZE_MAX:
            path.replace(path.with_suffix(".log.1"))
        self._read_up_to = path.stat().st_size if path.exists() else 0
        self._begin = self._read_up_to

    def news(self) -> Iterator[str]:
        """Whole lines that were added since the last call."""
        with self.path.open("rb") as file:
            file.seek(self._read_up_to)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read_up_to += len(whole) + len(newline)
        yield from whole.decode(errors="replace").splitlines()

    def tail(self) -> str:
        """Return the last lines of this life."""
        with self.path.open("rb") as file:
            file.seek(self._begin)
            return "\n".join(file.read().decode(errors="replace").splitlines()[-8:])


def recovery_step(line: str) -> str | None:
    """Pick what a log line tells about recovery after a crash, if anything."""
    text = line.partition("LOG:  ")[2]
    return text if any(word in text for word in _RECOVERY_WORDS) else None


class Server:
    """A running postgres, child of ours. `exited` is set when it has ended, with `exit_code`."""

    def __init__(self, home: Home, log: Log, socket_folder: Path, settings: Mapping[str, str]) -> None:
        chosen = {**SETTINGS, "unix_socket_directories": str(socket_folder), **settings}
        command = [str(home.programs / "postgres"), "-D", str(home.data)]
        command += [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        self._data = home.data
        self.exited = asyncio.Event()
        self.exit_code: int | None = None
        with log.path.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 our own program with our own arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **as_account(home.account),
            )
        self.pid = self._process.pid
        self._guard = subprocess.Popen(  # noqa: S603 a literal script
            ["/bin/sh", "-c", 'read -r _; kill -INT "$1"', "sh", str(self.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **as_account(home.account),
        )
        # Not asyncio's subprocess: uvloop's cannot change the user.
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._wait, args=(loop,), name="postgres-wait", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether it takes connections: it says so itself in postmaster.pid."""
        lines = pid_file(self._data)
        return len(lines) > _STATUS_LINE and lines[0] == str(self.pid) and lines[_STATUS_LINE].strip() == "ready"

    async def stop(self, fast_s: float) -> None:
        """Fast shutdown; if that takes longer than fast_s seconds, an immediate one that the next start recovers."""
        self._signal(signal.SIGINT)
        try:
            await asyncio.wait_for(self.exited.wait(), fast_s)
        except TimeoutError:
            self._signal(signal.SIGQUIT)
            await self.exited.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        self.exit_code = self._process.wait()
        self._guard.kill()  # before its pipe closes, or it would signal whoever gets this pid next
        self._guard.communicate()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self.exited.set)


async def clear_leftovers(home: Home, socket_folder: Path, progress: Callable[[str], None]) -> None:
    """Stop whatever an earlier life left running on this data; remove its pid files if their pid is another's now.

    Only to be called by the holder of the folder's lock.
    """
    asked_at: float | None = None
    clock = asyncio.get_running_loop().time
    while left := _processes_on(home.data):
        postmaster = int((pid_file(home.data) or ["0"])[0])
        if asked_at is None:
            progress(f"Stopping a PostgreSQL that an earlier run left behind on {home.data} (process {min(left)})")
            asked_at = clock()
            _kill(left & {postmaster} or left, signal.SIGINT if postmaster in left else signal.SIGQUIT)
        elif postmaster not in left or clock() - asked_at > LEFTOVER_FAST_STOP_S:
            _kill(left, signal.SIGQUIT)
        await asyncio.sleep(POLL_S)
    _drop_borrowed_pid(home.data, socket_folder)


def _drop_borrowed_pid(data: Path, socket_folder: Path) -> None:
    """Forget a stated process id that is some other program's by now: PostgreSQL would take it for its own."""
    stated = pid_file(data)
    if stated and Path("/proc", stated[0]).exists():
        (data / "postmaster.pid").unlink()
        (socket_folder / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def pid_file(data: Path) -> list[str]:
    """Lines of postmaster.pid; none where no server has run since it was last cleaned up."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _processes_on(data: Path) -> set[int]:
    """Every server process whose working directory is the data directory: PostgreSQL's all are."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == data and (process / "exe").readlink().name.startswith("postgres"):
                found.add(int(process.name))
    return found


def _kill(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
