"""Figures of the whole program: `sagamart up` in one process, the load in another, over HTTP."""

import asyncio
import os
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec

from load import Load, Posted
from machine import children_of, cpu_s, rss_mb, said
from sagamart.messaging.message import first_id_at
from sagamart.platform.embedded import running_dsn
from sagamart.shop.orders.messages import order_id_of

START_S_MAX = 60
DONE_S_MAX = 120
POLL_S = 0.02
IDLE_WAIT_S = 10
WARM_ORDERS = 2_000
"""Posted before the clock starts: plans are made, connections and customers are known."""

_COMPLETED = "select count(*) from orders where order_id > $1 and status = 'completed'"
"""Among the orders of this round alone: counting all of a database that many runs have filled takes half a second."""

_OPEN = re.compile(rb"shop is open at http://[0-9.]+:(\d+)")
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
        return [self._postmaster, *children_of(self._postmaster)]

    @property
    def python(self) -> list[int]:
        """The program's own processes."""
        return [self.process.pid, *(child for child in children_of(self.process.pid) if child != self._postmaster)]

    @property
    def _postmaster(self) -> int:
        return int((self.folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    async def post(  # noqa: PLR0913  what the load is told
        self,
        *,
        orders: int,
        connections: int,
        seed: int,
        zipf: float = 0.0,
        wait_s: int = 0,
        ready: Callable[[], None] | None = None,
        over: Callable[[], Awaitable[None]] | None = None,
    ) -> Posted:
        """Let the load post these orders; `ready` is called just before the first, `over` once the last is answered."""
        load = Load(self.port, orders, connections, str(self.folder / "keys"), seed, zipf, wait_s)
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(__file__).with_name("load.py")), stdin=-1, stdout=-1
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(load) + b"\n")
        await _heard(process.stdout, b"ready")
        if ready is not None:
            ready()
        process.stdin.write(b"go\n")
        await _heard(process.stdout, b"over")
        if over is not None:
            await over()
        answer, _ = await process.communicate()
        posted = msgspec.json.decode(answer, type=Posted)
        strange = {status for status in posted.statuses if status not in {"201", "202", "429", "503"}}
        if strange:
            raise RuntimeError(f"orders were answered otherwise than expected: {posted.statuses}")
        return posted

    async def until_completed(self, since: datetime, orders: int) -> None:
        """Wait until the database has so many orders as completed that were placed since then."""
        connection = await asyncpg.connect(running_dsn(self.folder).replace("/postgres?", "/sagamart_orders?"))
        deadline = time.monotonic() + DONE_S_MAX
        try:
            while (found := await connection.fetchval(_COMPLETED, order_id_of(first_id_at(since)))) < orders:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{found} of {orders} orders are complete")
                await asyncio.sleep(POLL_S)
        finally:
            await connection.close()


async def _heard(said: asyncio.StreamReader, word: bytes) -> None:
    """Wait for what the load says next.  Raises RuntimeError where it ended instead; why is on standard error."""
    if (await said.readline()).strip() != word:
        raise RuntimeError(f"the load ended before it said {word.decode()!r}")


@asynccontextmanager
async def program(folder: Path, processes: int = 1) -> AsyncIterator[Program]:
    """Start the program on existing data, and stop it at the end."""
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("sagamart")),
        *("up", "--port", "0", "--data", str(folder), "--processes", str(processes)),
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


async def cold_start_s(folder: Path, processes: int = 1) -> float:
    """From the start of the program on existing data to its first completed order."""
    async with program(folder, processes) as running:
        await running.post(orders=1, connections=1, seed=time.time_ns(), wait_s=IDLE_WAIT_S)
        return time.perf_counter() - running.started


async def idle_ms(folder: Path, orders: int, processes: int = 1) -> tuple[float, float]:
    """One order at a time, each waited for until it is complete: median, and 99 of 100."""
    async with program(folder, processes) as running:
        await running.post(orders=50, connections=1, seed=1, wait_s=IDLE_WAIT_S)
        posted = await running.post(orders=orders, connections=1, seed=2, wait_s=IDLE_WAIT_S)
    if posted.statuses != {"201": orders}:
        raise RuntimeError(f"not every order was complete in time: {posted.statuses}")
    cuts = statistics.quantiles(posted.latencies_ms, n=100)
    return cuts[49], cuts[98]


async def under_load(folder: Path, orders: int, connections: int, *, processes: int = 1) -> Mapping[str, float]:
    """From the first POST to the last order completed, as the database has it, once the program is warm."""
    async with program(folder, processes) as running:
        began = datetime.now(UTC)
        await running.post(orders=WARM_ORDERS, connections=connections, seed=3)
        await running.until_completed(began, WARM_ORDERS)
        seen: list[tuple[float, float, float]] = []

        def look() -> None:
            seen.append((time.time(), cpu_s(running.python), cpu_s(running.postgres)))

        async def over() -> None:
            await running.until_completed(datetime.fromtimestamp(seen[0][0], UTC), orders)
            look()

        posted = await running.post(orders=orders, connections=connections, seed=time.time_ns(), ready=look, over=over)
        (_, python_before_s, postgres_before_s), (ended, python_s, postgres_s) = seen
        return {
            "orders_per_s": orders / (ended - posted.began),
            "posts_per_s": orders / (posted.ended - posted.began),
            "python_us_per_order": (python_s - python_before_s) / orders * 1e6,
            "postgres_us_per_order": (postgres_s - postgres_before_s) / orders * 1e6,
            "rss_mb": rss_mb(running.python),
            "postgres_rss_mb": rss_mb(running.postgres),
        }
