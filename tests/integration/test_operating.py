"""An operator at a terminal: a stuck order is found, its story read, it is called off, and that is on record."""

import asyncio
import os
import sys
from pathlib import Path

from open_shop import OPERATOR, Opened
from sagamart.platform.http.server import Server
from shop_fixtures import TOKENS

SAGAMART = Path(sys.executable).with_name("sagamart")
COMMAND_S_MAX = 120.0


async def run(port: int, *command: str) -> tuple[int, str]:
    """Run a command as the operator; its exit code, and all that it says."""
    environ = {"SAGAMART_URL": f"http://127.0.0.1:{port}", "SAGAMART_TOKEN": TOKENS.sign(OPERATOR)}
    async with asyncio.timeout(COMMAND_S_MAX):
        program = await asyncio.create_subprocess_exec(
            SAGAMART,
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environ},
        )
        said, _ = await program.communicate()
    assert program.returncode is not None
    return program.returncode, said.decode()


async def test_a_stuck_order_is_found_read_called_off_and_accounted_for(open_shop: Opened) -> None:
    shop = await open_shop()
    await shop.sells("MUG", 100, pieces=5)
    ann = await shop.customer(1, 1_000)
    await shop.post("/v1/operations/consumers/stock/pause", {"why": "moving"}, caller=OPERATOR)
    told = shop.batch_of("timeline", lambda batch: bool(batch.saved))
    placed = await shop.post("/v1/orders", {"lines": [{"sku": "MUG"}]}, caller=ann)
    order_id = placed.json()["id"]
    readers = shop.shop.services["orders"].readers
    await readers.execute("update orders set changed_at = changed_at - interval '10 minutes'")
    await told

    async with Server(shop.app, host="127.0.0.1", port=0) as server:
        stuck = await run(server.port, "operate", "stuck")
        story = await run(server.port, "order", order_id, "--language", "ru")
        off = await run(server.port, "operate", "cancel", order_id, "--why", "stock is moving")
        none = await run(server.port, "operate", "stuck")
        done = await run(server.port, "operate", "actions")
        unknown = await run(server.port, "operate", "unknown")
        wrong = await run(
            server.port, "operate", "retry", "stock.018f0000-0000-7000-8000-000000000000", "--why", "hope"
        )

    assert stuck[0] == 0
    assert order_id in stuck[1]
    assert "StockBooked" in stuck[1]
    assert story[0] == 0
    assert "BookingRequested" in story[1]
    assert "Просьба зарезервировать товары" in story[1]
    assert (off[0], none) == (0, (0, "No order is stuck.\n"))
    assert "cancel_order" in done[1]
    assert "stock is moving" in done[1]
    assert unknown == (0, "No payment is unknown.\n")
    assert wrong == (1, "sagamart: There is no such letter (404, not_found)\n")
