"""The shop's story as a Postman collection, told to a running shop by newman."""

import asyncio
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[2]
NEWMAN = TOP / "scripts" / "newman"
COLLECTION = Path(__file__).with_name("newman") / "scenario.postman_collection.json"
SCENARIO_S_MAX = 180
"""Newman is installed in this time too, where it is not yet."""


async def scenario(address: str) -> str:
    """What newman tells of it.  Raises AssertionError where it did not come true."""
    newman = await asyncio.create_subprocess_exec(
        NEWMAN, "run", COLLECTION, "--env-var", f"baseUrl={address}", "--verbose", "--color", "off",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(SCENARIO_S_MAX):
        told, _ = await newman.communicate()
    assert newman.returncode == 0, told.decode()
    return told.decode()
