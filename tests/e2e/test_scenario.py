"""The shop's story, told by a Postman collection to the running program."""

import json
import subprocess
from pathlib import Path

from e2e.shop_program import ShopProgram, Tell

TOP = Path(__file__).parents[2]
NEWMAN = TOP / "scripts" / "newman"
COLLECTION = Path(__file__).with_name("newman") / "scenario.postman_collection.json"
SCENARIO_S_MAX = 180
"""Newman is installed in this time too, where it is not yet."""


def test_the_scenario_of_a_customer_comes_true(folder: Path, tell: Tell) -> None:
    with ShopProgram(folder, wallet_customers_may_deposit="true") as shop:
        told = subprocess.run(  # noqa: S603  our own script
            [NEWMAN, "run", COLLECTION, "--env-var", f"baseUrl={shop.address}", "--verbose", "--color", "off"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SCENARIO_S_MAX,
            check=False,
        )

    tell(told.stdout)
    assert told.returncode == 0, "newman found an assertion that failed; see above"


def test_the_scenario_names_its_address_once_and_sends_every_change_under_a_key() -> None:
    collection = json.loads(COLLECTION.read_text())
    variables = {one["key"]: one["value"] for one in collection["variable"]}
    requests = [item["request"] for item in collection["item"]]
    keyed = [request for request in requests if request["method"] == "POST" and "tokens" not in request["url"]["path"]]

    assert variables["baseUrl"] == "http://arch.homework"
    assert all(request["url"]["raw"].startswith("{{baseUrl}}/v1/") for request in requests)
    assert all(any(header["key"] == "Idempotency-Key" for header in request["header"]) for request in keyed)
