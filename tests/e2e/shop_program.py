"""The shop as a program of its own: started by its command, talked to over HTTP, killed, started again.

with ShopProgram(folder) as shop:
    shop.address, shop.pid
    shop.kill(everything=False)
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

from sagamart.cluster.plan import HANDLING_NODE

START_S_MAX = 300.0
"""From the command to an open door, a new database and recovery after a kill included."""

STOP_S_MAX = 30.0
"""From SIGTERM to the end, PostgreSQL's included.  The program bounds each part of it; see `sagamart.app`."""

COMMAND_S_MAX = 120.0

Tell = Callable[[str], None]
"""How a test tells whoever runs it something; see `conftest.tell`."""

HANDLING = f"SAGAMART_NODE={HANDLING_NODE}\0".encode()
OPEN = "The shop is open at "
SAGAMART = Path(sys.executable).with_name("sagamart")


class ShopProgram:
    """`sagamart up` (or another command) on a data folder, on a free port or `port`.

    Settings are SAGAMART_… variables.
    """

    def __init__(self, folder: Path, *command: str, **settings: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own program
            [SAGAMART, *(command or ("up",)), "--port", settings.pop("port", "0"), "--data", str(folder)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=environment(**settings),
        )
        self.pid = self._process.pid
        self.said: list[str] = []
        self._opened: SimpleQueue[str | None] = SimpleQueue()
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        self.wait_until_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.stop()

    def wait_until_open(self) -> None:
        """Wait for its address.  Raises AssertionError with what it said where it ends, or takes too long."""
        try:
            address = self._opened.get(timeout=START_S_MAX)
        except Empty:
            self.kill(everything=True)
            address = None
        if address is None:
            raise AssertionError(f"the shop did not open: {self.said}")
        self.address = address

    def stop(self) -> int:
        """Ask it to end, and wait, at most `STOP_S_MAX`; its exit code.  `stop_s` says how long it took."""
        began_s = time.monotonic()
        self._process.terminate()
        code = self._process.wait(STOP_S_MAX)
        self.stop_s = time.monotonic() - began_s
        self._close()
        return code

    def kill(self, *, everything: bool) -> None:
        """Kill -9, without a warning: the program alone, or its PostgreSQL with all its processes too."""
        doomed = [self.pid, *(descendants(self.pid) if everything else ())]
        for pid in doomed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(STOP_S_MAX)
        self._close()

    def kill_handling(self) -> None:
        """Kill -9 the process that handles the messages of two."""
        (handling,) = (pid for pid in descendants(self.pid) if HANDLING in environment_of(pid))
        os.kill(handling, signal.SIGKILL)

    def resident_bytes(self) -> int:
        """Memory of the program itself (without PostgreSQL) that is in RAM now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.said.append(line.rstrip())
            if line.startswith(OPEN):
                self._opened.put(line.removeprefix(OPEN).strip())
        self._opened.put(None)

    def _close(self) -> None:
        self._listener.join(STOP_S_MAX)
        if self._process.stderr is not None:
            self._process.stderr.close()


def sagamart(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Another command of the program, to its end."""
    return subprocess.run(  # noqa: S603  our own program
        [SAGAMART, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_S_MAX,
        env=environment(**settings),
        check=False,
    )


def environment(**settings: str) -> dict[str, str]:
    """The tests' environment without the shop's own settings of whoever runs them, and with these."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SAGAMART_")}
    return {**mine, **{f"SAGAMART_{name.upper()}": value for name, value in settings.items()}}


def environment_of(pid: int) -> bytes:
    """What a process was started with; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def descendants(pid: int) -> Iterator[int]:
    """Children of a process, their children, and so on."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from descendants(child)
