"""Processes that are kept alive: started, watched, started again when they die, stopped together.

Rules:
- A process that dies is started again after a delay that doubles with each death, up to `DELAY_S_MAX`; one that lived
  for `HEALTHY_S` begins anew.
- They end with us: asked to by us where we end cleanly, and by the kernel where we are killed.
- What a process says goes to a file of its own in the data folder.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Literal, Protocol

from sagamart.cluster.plan import Member
from sagamart.platform.http_client import Address, Connection, ConnectionBrokenError

DELAY_S = 0.2
DELAY_S_MAX = 10.0
HEALTHY_S = 30.0
STOP_S_MAX = 8.0
PROBE_S = 0.2
PROBE_CALM_S = 1.0
PROBE_S_MAX = 3.0
LOG_BYTES_MAX = 10_000_000

State = Literal["starting", "ready", "not ready", "dead", "stopped"]

_PROGRAM = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: end with the process that started us
if os.getppid() != int(sys.argv.pop()):
    sys.exit("whoever started this process is gone")
from sagamart.cli import main
main()
"""

Say = Callable[[str], None]


class Tell(Protocol):
    """Hears whether the process at this address is ready."""

    def __call__(self, address: Address, *, ready: bool) -> None:
        """Hear it."""


def to_nobody(address: Address, *, ready: bool) -> None:
    """Where nobody asks."""


class Kept:
    """One process of the cluster.  `tell` hears, at every probe, whether it is ready."""

    def __init__(self, member: Member, logs: Path, say: Say, tell: Tell = to_nobody) -> None:
        self.member = member
        self.log = logs / f"{member.node}.log"
        self.state: State = "starting"
        self.restarts = 0
        self.pid = 0
        self._say = say
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None

    async def keep_alive(self) -> None:
        """Start it, and again whenever it ends, until cancelled."""
        delay_s = DELAY_S
        while True:
            started = time.monotonic()
            process = await self._start()
            probing = asyncio.create_task(self._probe())
            try:
                code = await process.wait()
            finally:
                probing.cancel()
            self.state = "dead"
            if time.monotonic() - started > HEALTHY_S:
                delay_s = DELAY_S
            self._say(
                f"{self.member.node} ended ({_ending(code)}); starting it again in {delay_s:.1f} s. See {self.log}"
            )
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, DELAY_S_MAX)
            self.restarts += 1

    async def stop(self) -> None:
        """Ask it to end, and make it end where it does not."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            self.state = "stopped"
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S_MAX):
                await process.wait()
        except TimeoutError:
            self._say(f"{self.member.node} does not end; it is killed")
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self.state = "stopped"

    async def _start(self) -> asyncio.subprocess.Process:
        self.state = "starting"
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                _PROGRAM,
                "serve",
                *self.member.services,
                str(os.getpid()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we stop them in our order
                env=_environment(self.member.environment),
            )
        self.pid = self._process.pid
        return self._process

    async def _probe(self) -> None:
        """Ask it over and over whether it is ready, and tell."""
        while True:
            ready = await is_ready(self.member)
            self._tell(self.member.public, ready=ready)
            if ready:
                self.state = "ready"
            elif self.state == "ready":
                self.state = "not ready"
            await asyncio.sleep(PROBE_CALM_S if ready else PROBE_S)


async def is_ready(member: Member) -> bool:
    """Whether a process says that it can serve."""
    try:
        async with asyncio.timeout(PROBE_S_MAX):
            connection = await Connection.open(member.public)
            try:
                answer = await connection.send("GET", "/readyz", ((b"connection", b"close"),))
                await connection.body(answer)
            finally:
                connection.close()
    except (ConnectionBrokenError, TimeoutError):
        return False
    return answer.status == 200  # noqa: PLR2004  RFC 9110


async def until_ready(processes: Sequence[Kept]) -> None:
    """Wait until every process is ready."""
    while not all(one.state == "ready" for one in processes):  # noqa: ASYNC110  a state is no event
        await asyncio.sleep(PROBE_S)


@asynccontextmanager
async def alive(processes: Sequence[Kept]) -> AsyncIterator[None]:
    """Keep them alive meanwhile, and stop them together."""
    keeping = [asyncio.create_task(one.keep_alive(), name=one.member.node) for one in processes]
    try:
        yield
    finally:
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        await asyncio.gather(*(one.stop() for one in processes))


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours without our own settings, and theirs."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SAGAMART_")}
    return {**mine, **settings}


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
