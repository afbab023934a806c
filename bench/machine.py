"""What the machine gives: processor time and memory of processes, and how long its disk takes to keep a promise."""

import asyncio
import os
import re
import statistics
import time
from pathlib import Path

FSYNCS = 200
PAGE_BYTES = 8192
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def fsync_ms(folder: Path) -> float:
    """The median time of one page overwritten and synced, as PostgreSQL does it to its log (milliseconds)."""
    file = folder / "fsync.trial"
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        os.write(descriptor, bytes(PAGE_BYTES * FSYNCS))
        os.fsync(descriptor)
        times = [_synced_s(descriptor, place * PAGE_BYTES) for place in range(FSYNCS)]
    finally:
        os.close(descriptor)
        file.unlink()
    return statistics.median(times) * 1000


def _synced_s(descriptor: int, offset: int) -> float:
    os.pwrite(descriptor, b"x" * PAGE_BYTES, offset)
    started = time.perf_counter()
    os.fdatasync(descriptor)
    return time.perf_counter() - started


def children_of(pid: int) -> list[int]:
    """The processes that this one started."""
    return [int(child.name) for child in Path("/proc").glob("[0-9]*") if _parent(child) == pid]


def cpu_s(pids: list[int]) -> float:
    """Processor time of these processes, user and system (seconds).  A process that has ended counts nothing."""
    return sum(sum(map(int, _stat(Path("/proc") / str(pid))[11:13])) for pid in pids) / _TICKS_PER_S


async def said(process: asyncio.subprocess.Process, wanted: re.Pattern[bytes]) -> bytes:
    """What a starting program says of itself: the first group of this pattern, on its standard error.

    Raises RuntimeError, with all that it said, where it ends before.
    """
    assert process.stderr is not None
    heard = b""
    async for line in process.stderr:
        heard += line
        found = wanted.search(line)
        if found:
            return found[1]
    raise RuntimeError(f"the program did not start:\n{heard.decode()}")


def rss_mb(pids: list[int]) -> float:
    """Memory of these processes that is theirs in proportion (MB): shared pages count once for all."""
    return sum(_pss_kb(pid) for pid in pids) / 1024


def _stat(process: Path) -> list[str]:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 20


def _parent(process: Path) -> int:
    return int(_stat(process)[1])


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
