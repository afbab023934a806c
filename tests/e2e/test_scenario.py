"""The shop's story, told by a Postman collection to the running program."""

import json
from pathlib import Path

from e2e.scenario import COLLECTION, scenario
from e2e.shop_program import ShopProgram, Tell


async def test_the_scenario_of_a_customer_comes_true(folder: Path, tell: Tell) -> None:
    with ShopProgram(folder, wallet_customers_may_deposit="true", orders_custom_lines="all") as shop:
        tell(await scenario(shop.address))


def test_the_scenario_names_its_address_once_and_sends_every_change_under_a_key() -> None:
    collection = json.loads(COLLECTION.read_text())
    variables = {one["key"]: one["value"] for one in collection["variable"]}
    requests = [item["request"] for item in collection["item"]]
    keyed = [request for request in requests if request["method"] == "POST" and "tokens" not in request["url"]["path"]]

    assert variables["baseUrl"] == "http://arch.homework"
    assert all(request["url"]["raw"].startswith("{{baseUrl}}/v1/") for request in requests)
    assert all(any(header["key"] == "Idempotency-Key" for header in request["header"]) for request in keyed)
