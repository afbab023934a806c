"""How the cluster is: a live table on a terminal, plain lines elsewhere."""

import asyncio
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

from sagamart.cluster.processes import Kept

REFRESH_S = 0.5
COLOURS = {"ready": "green", "starting": "yellow", "not ready": "yellow", "dead": "red", "stopped": "dim"}


def table_of(processes: Sequence[Kept], address: str) -> Table:
    """One row a process."""
    table = Table(
        "process", "state", "pid", "restarts", "listens on", title=f"The shop at {address}", title_justify="left"
    )
    for one in processes:
        state = f"[{COLOURS[one.state]}]{one.state}[/]"
        table.add_row(one.member.node, state, str(one.pid), str(one.restarts), one.member.public.authority)
    return table


async def shown(console: Console, processes: Sequence[Kept], address: str) -> None:
    """Show the table until cancelled; where there is no terminal, tell of each change in a line."""
    if not console.is_terminal:
        await _told(console, processes)
        return
    with Live(table_of(processes, address), console=console, auto_refresh=False) as live:
        while True:
            live.update(table_of(processes, address), refresh=True)
            await asyncio.sleep(REFRESH_S)


async def _told(console: Console, processes: Sequence[Kept]) -> None:
    known: dict[str, str] = {}
    while True:
        for one in processes:
            now = f"{one.state} (process {one.pid})"
            if known.get(one.member.node) != now:
                known[one.member.node] = now
                console.print(f"{one.member.node} is {now}", soft_wrap=True)
        await asyncio.sleep(REFRESH_S)
