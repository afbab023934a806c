"""`make bench`: measure the shop on this machine, print a table, keep the figures in `results/latest.json`.

Each ratio is taken inside one run: limit and engine take turns on the same PostgreSQL, and medians are compared.
"""

import asyncio
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import msgspec
import uvloop
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

import bank_paid
import between
import front
import search
from ground import SERVICES, Ground, ground
from machine import fsync_ms
from rounds import Round, engine_round, limit_round, rows_written
from sagamart.audit import audit
from wishes import wishes

BATCH_MAX = 500
SINGLE_ORDERS = 500
SAME_ROWS = 0.02
"""How far the rows of limit and engine may be apart: two lines of one product are one row, and chance decides."""

STATISTICS_S = 1.2
"""PostgreSQL counts rows with a delay of up to a second."""

RESULTS = Path(__file__).with_name("results") / "latest.json"
MEANINGS = {
    "limit_orders_per_s": "the same saga, hand-written for speed",
    "limit_rows_per_s": "rows that it writes",
    "rows_per_order": "rows written for an order, by both",
    "engine_orders_per_s": "our engine without HTTP",
    "engine_over_limit": "its share of the limit",
    "single_orders_per_s": "our engine, one message a transaction",
    "hot_sku_orders_per_s": "our engine without HTTP, products wanted by Zipf's law",
    "python_us_per_order": "processor time of python, engine",
    "postgres_us_per_order": "processor time of PostgreSQL, engine",
    "timeline_orders_per_s": "our engine without HTTP, every message written down for the order's timeline",
    "timeline_over_engine": "its share of the engine without a timeline",
    "http_orders_per_s": "POST to completed, `up --processes 2`, load in a process of its own",
    "http_python_us_per_order": "processor time of python, both processes, with HTTP",
    "http_one_process_orders_per_s": "the same, `up` as it is",
    "http_one_process_python_us_per_order": "the same, its processor time",
    "http_two_over_one": "two processes over one, median of the turns",
    "rss_mb": "memory of the program after the load, both processes",
    "postgres_rss_mb": "memory of PostgreSQL beside it",
    "idle_p50_ms": "POST to completed, one at a time, median",
    "idle_p99_ms": "the same, 99 of 100",
    "idle_two_processes_p50_ms": "median with `up --processes 2`",
    "fsync_ms": "one page written and synced in the data folder",
    "search_p50_ms": "a page of 50 of 100,000 products for a word, ranked, median",
    "search_p99_ms": "the same, 99 of 100",
    "search_half_typed_p50_ms": "a page for a word half typed, median",
    "search_half_typed_p99_ms": "the same, 99 of 100",
    "search_by_price_p50_ms": "a page for a word, the cheapest first, median",
    "search_by_price_p99_ms": "the same, 99 of 100",
    "search_mistyped_p50_ms": "a page for a word with a typing error, mended first, median",
    "search_mistyped_p99_ms": "the same, 99 of 100",
    "cold_start_s": "start on existing data to the first completed order",
    "cold_start_two_processes_s": "the same with `up --processes 2`",
    "bank_orders_per_s": "paid on the bank's page: from the wish to completed, without HTTP at our door",
    "bank_python_us_per_order": "processor time of python for such an order, without the bank's",
    "kafka_limit_orders_per_s": "the hand-written saga, a process a service, over Kafka",
    "kafka_orders_per_s": "our engine, a process a service, over Kafka",
    "kafka_over_limit": "its share of the limit",
    "kafka_idle_p50_ms": "over Kafka, one at a time, asked to completed, median",
    "kafka_python_us_per_order": "processor time of python, all services over Kafka",
    "kafka_postgres_us_per_order": "processor time of PostgreSQL, the same",
    "kafka_broker_us_per_order": "processor time of the broker, the same",
    "http_transport_orders_per_s": "our engine, a process a service, messages posted",
    "http_transport_python_us_per_order": "processor time of python, all services, messages posted",
}

app = App(help=__doc__)


class Sizes(msgspec.Struct, frozen=True):
    """How much is measured."""

    orders: int
    rounds: int
    connections: int
    idle_orders: int
    bank_orders: int


Figures = Mapping[str, float]


async def core(folder: Path, sizes: Sizes) -> Figures:
    """Limit and engine in turns; then hot products, and batches of one."""
    async with ground(folder) as place:
        dsns = await place.copies_for("limit")
        limits, engines, hot = [], [], []
        before = await rows_written(dsns)
        for turn in range(sizes.rounds):
            seed = time.time_ns()
            limits.append(await limit_round(place, dsns, wishes(sizes.orders, seed=seed), batch_max=BATCH_MAX))
            engines.append(await engine_round(place, wishes(sizes.orders, seed=seed), batch_max=BATCH_MAX))
            hot.append(await engine_round(place, wishes(sizes.orders, seed=seed, zipf=1.0), batch_max=BATCH_MAX))
            print(f"round {turn + 1}: limit {limits[-1].per_s:.0f}, engine {engines[-1].per_s:.0f} orders/s")
        await asyncio.sleep(STATISTICS_S)
        rows = (await rows_written(dsns) - before) / (sizes.orders * sizes.rounds)
        ours = await _rows_of_engine(place, sizes.orders)
        if abs(ours / rows - 1) > SAME_ROWS:
            raise RuntimeError(f"limit and engine do not write the same rows: {rows:.1f} and {ours:.1f} an order")
        single = await engine_round(place, wishes(SINGLE_ORDERS, seed=1), batch_max=1)
        await _audited(place)
    limit = _median(limits)
    return {
        "limit_orders_per_s": limit,
        "limit_rows_per_s": limit * rows,
        "rows_per_order": rows,
        "engine_orders_per_s": _median(engines),
        "engine_over_limit": statistics.median(
            ours.per_s / theirs.per_s for ours, theirs in zip(engines, limits, strict=True)
        ),
        "single_orders_per_s": single.per_s,
        "hot_sku_orders_per_s": _median(hot),
        "python_us_per_order": statistics.median(one.python_us for one in engines),
        "postgres_us_per_order": statistics.median(one.postgres_us for one in engines),
    }


async def timeline(folder: Path, sizes: Sizes) -> Figures:
    """The engine without and with the timeline in turns."""
    async with ground(folder) as place:
        without, recorded = [], []
        for turn in range(sizes.rounds):
            seed = time.time_ns()
            without.append(await engine_round(place, wishes(sizes.orders, seed=seed), batch_max=BATCH_MAX))
            asked = wishes(sizes.orders, seed=seed)
            recorded.append(await engine_round(place, asked, batch_max=BATCH_MAX, recorded=True))
            print(f"round {turn + 1}: without {without[-1].per_s:.0f}, timeline {recorded[-1].per_s:.0f} orders/s")
        await _audited(place)
    shares = [ours.per_s / theirs.per_s for ours, theirs in zip(recorded, without, strict=True)]
    return {"timeline_orders_per_s": _median(recorded), "timeline_over_engine": statistics.median(shares)}


async def http(folder: Path, sizes: Sizes) -> Figures:
    """The whole program under load, in one process and in two, in turns.

    A round is long enough that how it ends hardly counts.
    """
    await _filled(folder)
    alone, both = [], []
    for turn in range(sizes.rounds):
        alone.append(await front.under_load(folder, 2 * sizes.orders, sizes.connections))
        both.append(await front.under_load(folder, 2 * sizes.orders, sizes.connections, processes=2))
        seen = f"one process {alone[-1]['orders_per_s']:.0f}, two processes {both[-1]['orders_per_s']:.0f}"
        print(f"round {turn + 1}: {seen} orders/s")
    await _filled(folder, audited=True)
    one, two = (sorted(runs, key=itemgetter("orders_per_s"))[len(runs) // 2] for runs in (alone, both))
    return {
        "http_orders_per_s": two["orders_per_s"],
        "http_python_us_per_order": two["python_us_per_order"],
        "http_one_process_orders_per_s": one["orders_per_s"],
        "http_one_process_python_us_per_order": one["python_us_per_order"],
        "http_two_over_one": statistics.median(
            b["orders_per_s"] / a["orders_per_s"] for a, b in zip(alone, both, strict=True)
        ),
        "rss_mb": max(run["rss_mb"] for run in both),
        "postgres_rss_mb": max(run["postgres_rss_mb"] for run in both),
    }


async def idle(folder: Path, sizes: Sizes) -> Figures:
    """The whole program, one order at a time."""
    await _filled(folder)
    p50_ms, p99_ms = await front.idle_ms(folder, sizes.idle_orders)
    two_p50_ms, _ = await front.idle_ms(folder, sizes.idle_orders, processes=2)
    synced_ms = fsync_ms(folder)
    await _filled(folder, audited=True)
    return {
        "idle_p50_ms": p50_ms,
        "idle_p99_ms": p99_ms,
        "idle_two_processes_p50_ms": two_p50_ms,
        "fsync_ms": synced_ms,
    }


async def cold(folder: Path, sizes: Sizes) -> Figures:
    """The whole program, started on existing data."""
    await _filled(folder)
    alone = [await front.cold_start_s(folder) for _ in range(sizes.rounds)]
    both = [await front.cold_start_s(folder, processes=2) for _ in range(sizes.rounds)]
    await _filled(folder, audited=True)
    return {"cold_start_s": statistics.median(alone), "cold_start_two_processes_s": statistics.median(both)}


async def bank(folder: Path, sizes: Sizes) -> Figures:
    """Orders that are paid on the bank's page, the bank in a process of its own.

    In a shop of its own: elsewhere nobody is at work to hear that the time of their pages is up.
    """
    shop = folder / "paid"
    async with ground(shop) as place, bank_paid.bank(shop) as address:
        runs = [await bank_paid.round_of(place, address, shop, sizes.bank_orders) for _ in range(sizes.rounds)]
        await _audited(place)
    return {
        "bank_orders_per_s": _median(runs),
        "bank_python_us_per_order": statistics.median(one.python_us for one in runs),
    }


async def searched(folder: Path, sizes: Sizes) -> Figures:
    """The catalogue with 100,000 products, in a database of its own."""
    return await search.measured(folder / "search", sizes.rounds)


async def kafka(folder: Path, sizes: Sizes) -> Figures:
    """A process a service, and Kafka between them."""
    async with ground(folder) as place:
        found = await between.kafka(
            place, folder, orders=sizes.orders, rounds=sizes.rounds, idle_orders=sizes.idle_orders
        )
    await _filled(folder, audited=True)
    return found


async def http_transport(folder: Path, sizes: Sizes) -> Figures:
    """A process a service, and messages posted from one to the other."""
    async with ground(folder) as place:
        found = await between.http(place, folder, orders=sizes.orders, rounds=sizes.rounds)
    await _filled(folder, audited=True)
    return found


RUNS: Mapping[str, Callable[[Path, Sizes], Awaitable[Figures]]] = {
    "core": core,
    "timeline": timeline,
    "http": http,
    "idle": idle,
    "cold": cold,
    "bank": bank,
    "search": searched,
    "kafka": kafka,
    "http-transport": http_transport,
}


@app.default
def run(  # noqa: PLR0913  a command line has many options
    *only: Annotated[str, Parameter(help=f"What to measure: {', '.join(RUNS)}.  Everything, if nothing is named.")],
    orders: Annotated[
        int, Parameter(help="Orders a round, twice as many over HTTP; 10,000 customers take turns.")
    ] = 10_000,
    rounds: Annotated[int, Parameter(help="Rounds; medians are told.")] = 5,
    connections: Annotated[int, Parameter(help="Connections of the load: customers at once.")] = 1024,
    idle_orders: Annotated[int, Parameter(help="Orders one at a time.")] = 300,
    bank_orders: Annotated[int, Parameter(help="Orders a round that are paid on the bank's page.")] = 1_000,
    data: Annotated[Path, Parameter(help="Folder of the database; made and filled the first time.")] = Path(
        ".bench-data"
    ),
) -> None:
    """Measure, print a table, keep the figures."""
    sizes = Sizes(orders, rounds, connections, idle_orders, bank_orders)
    figures: dict[str, float] = {}
    for name in only or tuple(RUNS):
        figures |= uvloop.run(_measured(RUNS[name], data, sizes))
        _keep(figures)
    _show(figures)


async def _measured(what: Callable[[Path, Sizes], Awaitable[Figures]], data: Path, sizes: Sizes) -> Figures:
    return await what(data, sizes)


async def _filled(folder: Path, *, audited: bool = False) -> None:
    async with ground(folder) as place:
        if audited:
            await _audited(place)


async def _audited(place: Ground) -> None:
    """Every run must leave the shop in order."""
    findings = await audit(place.dsns)
    if findings:
        raise RuntimeError("the audit finds:\n" + "\n".join(map(str, findings[:10])))


async def _rows_of_engine(place: Ground, orders: int) -> float:
    dsns = {name: place.dsns[name] for name in SERVICES}
    before = await rows_written(dsns)
    await engine_round(place, wishes(orders, seed=time.time_ns()), batch_max=BATCH_MAX)
    await asyncio.sleep(STATISTICS_S)
    return (await rows_written(dsns) - before) / orders


def _median(rounds: list[Round]) -> float:
    return statistics.median(one.per_s for one in rounds)


def _show(figures: Figures) -> None:
    table = Table("figure", "value", "meaning")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.0f}" if value >= 100 else f"{value:.2f}", MEANINGS[name])  # noqa: PLR2004  width
    Console().print(table)


def _keep(figures: Figures) -> None:
    """Figures that were not measured this time stay as they are."""
    RESULTS.parent.mkdir(exist_ok=True)
    kept = msgspec.json.decode(RESULTS.read_bytes())["figures"] if RESULTS.exists() else {}
    machine = {"processors": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    document = {"machine": machine, "figures": {**kept, **{name: round(value, 3) for name, value in figures.items()}}}
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")


if __name__ == "__main__":
    app()
