"""Figures of the whole program: `sagamart up` in one process, the load in another, over HTTP."""

import asyncio
import os
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec

from load import Load, Posted
from machine import children_of, cpu_s, rss_mb, said
from sagamart.platform.embedded import running_dsn

START_S_MAX = 60
DONE_S_MAX = 120
POLL_S = 0.02
IDLE_WAIT_S = 10
_OPEN = re.compile(rb"http://[0-9.]+:(\d+)")
_ENV = {"SAGAMART_HTTP_RATE_LIMIT_PER_S": "0", "SAGAMART_LOGS_LEVEL": "warning", "SAGAMART_TIMELINE": "off"}
"""What the timeline costs is measured on its own."""


class Program:
    """A running `sagamart up`."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, port: int, started: float) -> None:
        self.process = process
        self.folder = folder
        self.port = port
        self.started = started

    @property
    def postgres(self) -> list[int]:
        """PostgreSQL's processes."""
        masters = children_of(self.process.pid)
        return [*masters, *(child for master in masters for child in children_of(master))]

    async def post(  # noqa: PLR0913  what the load is told
        self,
        *,
        orders: int,
        connections: int,
        seed: int,
        zipf: float = 0.0,
        wait_s: int = 0,
        ready: Callable[[], None] | None = None,
    ) -> Posted:
        """Let the load post these orders; `ready` is called just before the first."""
        load = Load(self.port, orders, connections, str(self.folder / "keys"), seed, zipf, wait_s)
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(__file__).with_name("load.py")), stdin=-1, stdout=-1
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(load) + b"\n")
        await process.stdout.readline()
        if ready is not None:
            ready()
        answer, _ = await process.communicate(b"go\n")
        posted = msgspec.json.decode(answer, type=Posted)
        strange = {status for status in posted.statuses if status not in {"201", "202", "429", "503"}}
        if strange:
            raise RuntimeError(f"orders were answered otherwise than expected: {posted.statuses}")
        return posted

    async def completed(self) -> int:
        """How many orders the database has as completed."""
        dsn = running_dsn(self.folder).replace("/postgres?", "/sagamart_orders?")
        connection = await asyncpg.connect(dsn)
        try:
            return int(await connection.fetchval("select count(*) from orders where status = 'completed'"))
        finally:
            await connection.close()


@asynccontextmanager
async def program(folder: Path) -> AsyncIterator[Program]:
    """Start the program on existing data, and stop it at the end."""
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("sagamart")),
        *("up", "--port", "0", "--data", str(folder)),
        env={**os.environ, **_ENV},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        port = int(await asyncio.wait_for(said(process, _OPEN), START_S_MAX))
        yield Program(process, folder, port, started)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def cold_start(folder: Path) -> Mapping[str, float]:
    """From the start of the program on existing data to its first completed order."""
    async with program(folder) as running:
        await running.post(orders=1, connections=1, seed=time.time_ns(), wait_s=IDLE_WAIT_S)
        return {"cold_start_s": time.perf_counter() - running.started}


async def idle(folder: Path, orders: int) -> Mapping[str, float]:
    """One order at a time, each waited for until it is complete."""
    async with program(folder) as running:
        await running.post(orders=50, connections=1, seed=1, wait_s=IDLE_WAIT_S)
        posted = await running.post(orders=orders, connections=1, seed=2, wait_s=IDLE_WAIT_S)
    if posted.statuses != {"201": orders}:
        raise RuntimeError(f"not every order was complete in time: {posted.statuses}")
    cuts = statistics.quantiles(posted.latencies_ms, n=100)
    return {"idle_p50_ms": cuts[49], "idle_p99_ms": cuts[98]}


async def under_load(folder: Path, orders: int, connections: int, *, zipf: float = 0.0) -> Mapping[str, float]:
    """From the first POST to the last order completed, as the database has it."""
    async with program(folder) as running:
        await running.post(orders=200, connections=8, seed=3)
        await _until_completed(running, await _settled(running))
        before = await running.completed()
        spent: list[float] = []
        posted = await running.post(
            orders=orders,
            connections=connections,
            seed=time.time_ns(),
            zipf=zipf,
            ready=lambda: spent.extend((cpu_s([running.process.pid]), cpu_s(running.postgres))),
        )
        await _until_completed(running, before + orders)
        seconds = time.time() - posted.began
        python_s, postgres_s = spent
        return {
            "orders_per_s": orders / seconds,
            "posts_per_s": orders / (posted.ended - posted.began),
            "python_us_per_order": (cpu_s([running.process.pid]) - python_s) / orders * 1e6,
            "postgres_us_per_order": (cpu_s(running.postgres) - postgres_s) / orders * 1e6,
            "rss_mb": rss_mb([running.process.pid]),
            "postgres_rss_mb": rss_mb(running.postgres),
        }


async def _settled(running: Program) -> int:
    """How many orders there are when none is on its way any more."""
    before = -1
    while before != (now := await running.completed()):
        before = now
        await asyncio.sleep(0.3)
    return before


async def _until_completed(running: Program, count: int) -> None:
    deadline = time.monotonic() + DONE_S_MAX
    while await running.completed() < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{await running.completed()} of {count} orders are complete")
        await asyncio.sleep(POLL_S)
