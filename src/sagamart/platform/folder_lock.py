"""One program at a time on one folder.

The lock is an flock on a file in the folder, held for the life of the process: the kernel gives it back
however the process ends, so there is no stale lock to clear. The file itself stays; it only says who holds it.
Any user who can read the file can test the lock.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Self

HANDED_BACK_S_MAX = 2.0
"""A killed program's lock lives on in a child that it was just starting, until that child runs its own program."""


class FolderInUseError(RuntimeError):
    """Another program already works on this folder."""

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(
            f"{folder} is in use by {holder}. Stop that program first, or give this one another folder.",
        )


class FolderLock:
    """The lock of one folder; raises FolderInUseError at once when somebody else has it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = -1

    def acquire(self) -> Self:
        """Take the lock and write our process id into its file; waits a moment where the holder is dead.

        Raises:
            FolderInUseError: another process holds it; the message names the folder and that process.
            PermissionError: the folder's lock file cannot even be read by this user.

        """
        path = self._folder / "lock"
        descriptor, writable = _open(path)
        given_up = time.monotonic() + HANDED_BACK_S_MAX
        while not _locked(descriptor):
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            if _alive(holder) or time.monotonic() > given_up:
                os.close(descriptor)
                raise FolderInUseError(self._folder, f"process {holder}" if holder else "another process")
            time.sleep(0.01)
        if writable:
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        """Give the folder back; harmless when it is not held."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _open(path: Path) -> tuple[int, bool]:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644), True
    except PermissionError:
        return os.open(path, os.O_RDONLY), False


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(process: str) -> bool:
    """Whether this process still runs; what is ended and not yet waited for does not."""
    try:
        state = Path(f"/proc/{int(process)}/stat").read_text()
    except (OSError, ValueError):
        return False
    return state.rpartition(")")[2].split()[0] != "Z"
