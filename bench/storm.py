"""`make load`: customers in a shop of many processes that die and return; ends with an audit and a report.

Durations and numbers are variables: make load LOAD_USERS=40 LOAD_SOAK_S=600.
"""

import asyncio
import os
import random
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
from cyclopts import App, Parameter

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from e2e.shop_program import ShopProgram, sagamart
from storm_report import Fault, Storm, report
from storm_seen import PASSWORD, PRODUCTS, Seen, sku

ADMIN = "admin@example.com"
PIECES = 10_000_000
READY_S_MAX = 180.0
SETTLE_S = 40.0
SETTINGS = {"wallet_customers_may_deposit": "true", "http_rate_limit_per_s": "0", "logs_level": "warning"}
"""One address stands for all customers here, so the limit of requests an address is off."""

REPORT = Path(__file__).with_name("results") / "load.md"
_READY = re.compile(r"(?P<node>[a-z]+-\d) is ready \(process (?P<pid>\d+)\)")

app = App(help=__doc__)


@app.default
def run(  # noqa: PLR0913  each is a variable of `make load`
    *,
    users: Annotated[
        int, Parameter(env_var="LOAD_USERS", help="Customers at once; three times as many in spike.")
    ] = 20,
    ramp_s: Annotated[float, Parameter(env_var="LOAD_RAMP_S")] = 30,
    spike_s: Annotated[float, Parameter(env_var="LOAD_SPIKE_S")] = 20,
    soak_s: Annotated[float, Parameter(env_var="LOAD_SOAK_S")] = 70,
    kill_every_s: Annotated[float, Parameter(env_var="LOAD_KILL_EVERY_S", help="A process dies so often.")] = 12,
    orders: Annotated[int, Parameter(env_var="LOAD_ORDERS", help="Settled orders that it takes to count.")] = 10,
    replicas: Annotated[int, Parameter(env_var="LOAD_REPLICAS", help="Processes of each service.")] = 1,
    seed: Annotated[int, Parameter(env_var="LOAD_SEED", help="Decides who dies.")] = 1,
    to: Annotated[Path, Parameter(help="Where the report goes.")] = REPORT,
) -> None:
    """Let customers into the shop, kill its processes, audit, report.

    Exit code 1 where anything was wrong, and where nothing died or too little was ordered: that would prove nothing.
    """
    with tempfile.TemporaryDirectory(prefix="sagamart-load-") as name:
        folder = Path(name)
        created = sagamart("admin", "create", ADMIN, "--data", str(folder), admin_password=PASSWORD)
        if created.returncode:
            raise RuntimeError(created.stderr)
        phases = {
            "LOAD_ORDERS": orders,
            "LOAD_USERS": users,
            "LOAD_RAMP_S": ramp_s,
            "LOAD_SPIKE_S": spike_s,
            "LOAD_SOAK_S": soak_s,
        }
        with ShopProgram(folder, "cluster", "--replicas", str(replicas), **SETTINGS) as shop:
            storm = asyncio.run(_storm(shop, folder, phases, kill_every_s, random.Random(seed)))
            audit = sagamart("audit", "--data", str(folder), "--settle-s", str(SETTLE_S))
    storm.audit = audit.stdout + audit.stderr.strip().rpartition("\n")[2]
    storm.sound = audit.returncode == 0
    to.parent.mkdir(exist_ok=True)
    to.write_text(report(storm), encoding="utf-8")
    print(report(storm))
    if storm.seen.wrong or not storm.sound or not storm.faults or sum(storm.seen.orders.values()) < orders:
        sys.exit(1)


async def _storm(
    shop: ShopProgram, folder: Path, phases: dict[str, float], kill_every_s: float, chance: random.Random
) -> Storm:
    """Stock the shop, let customers in, and kill its processes meanwhile."""
    await _stocked(shop.address)
    seen = folder / "seen.json"
    began = time.monotonic()
    customers = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("journey.py")), "--headless",
        "--only-summary", "--exit-code-on-error", "0", "--stop-timeout", "60",
        "--loglevel", "WARNING", "--host", shop.address,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        env={**os.environ, **{name: str(value) for name, value in phases.items()}, "LOAD_SEEN": str(seen)},
    )  # fmt: skip
    faults: list[Fault] = []
    killing = asyncio.create_task(_kill_now_and_then(shop, faults, began, kill_every_s, chance))
    try:
        code = await customers.wait()
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        if customers.returncode is None:
            customers.kill()
    if code or not seen.exists():
        raise RuntimeError(f"the load ended with exit code {code}")
    await _all_back(shop, faults, began)
    return Storm(phases, faults, msgspec.json.decode(seen.read_bytes(), type=Seen))


async def _kill_now_and_then(
    shop: ShopProgram, faults: list[Fault], began: float, every_s: float, chance: random.Random
) -> None:
    """One process at a time, with SIGKILL, when the one before is back."""
    while True:
        await asyncio.sleep(every_s)
        node, pid = chance.choice(sorted(_ready(shop).items()))
        os.kill(pid, signal.SIGKILL)
        fault = Fault(node, time.monotonic() - began, pid)
        faults.append(fault)
        await _back(shop, fault, began)


async def _back(shop: ShopProgram, fault: Fault, began: float) -> None:
    """Until a process that was killed is ready again.  Raises TimeoutError."""
    async with asyncio.timeout(READY_S_MAX):
        while _ready(shop)[fault.node] == fault.pid:  # noqa: ASYNC110  what the cluster tells is no event
            await asyncio.sleep(0.05)
    fault.back_after_s = time.monotonic() - began - fault.at_s


async def _all_back(shop: ShopProgram, faults: list[Fault], began: float) -> None:
    for fault in faults:
        if not fault.back_after_s:
            await _back(shop, fault, began)


def _ready(shop: ShopProgram) -> dict[str, int]:
    """The process of each node, as the cluster told it last."""
    found = (_READY.match(line) for line in list(shop.said))
    return {one["node"]: int(one["pid"]) for one in found if one is not None}


async def _stocked(address: str) -> None:
    """Products to order, with pieces enough."""
    async with httpx.AsyncClient(base_url=address, timeout=40, trust_env=False) as http:
        log_in = await http.post("/v1/tokens", json={"email": ADMIN, "password": PASSWORD})
        http.headers["Authorization"] = f"Bearer {log_in.raise_for_status().json()['access_token']}"
        for name in map(sku, range(PRODUCTS)):
            product = {"sku": name, "title": f"A thing called {name}", "price_minor": 100, "currency": "RUB"}
            made = await http.post("/v1/products", json=product, headers={"Idempotency-Key": name})
            made.raise_for_status()
            receipt = {"quantity": PIECES}
            got = await http.post(f"/v1/stock/{name}/receipts", json=receipt, headers={"Idempotency-Key": name})
            got.raise_for_status()


if __name__ == "__main__":
    app()
