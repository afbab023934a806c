"""Consumers over HTTP: paused, drained, resumed; requests go on, and what was sent meanwhile comes afterwards."""

import pytest

from open_shop import OPERATOR, Opened, OpenShop

CONSUMERS = "/v1/operations/consumers"
STOCKTAKING = {"why": "stocktaking"}


async def paused(shop: OpenShop) -> dict[str, bool]:
    """Every service, and whether it is paused."""
    found = (await shop.get(CONSUMERS, caller=OPERATOR)).json()["items"]
    return {one["service"]: one["paused"] for one in found}


async def test_a_paused_consumer_takes_no_messages_and_answers_requests(open_shop: Opened) -> None:
    shop = await open_shop()
    await shop.sells("MUG", 100, pieces=5)
    ann = await shop.customer(1, 1_000)

    answer = await shop.post(f"{CONSUMERS}/stock/pause", STOCKTAKING, caller=OPERATOR)
    assert (answer.status_code, answer.json()["paused"], answer.json()["by"]) == (200, True, OPERATOR.id)
    order = await shop.post("/v1/orders", {"lines": [{"sku": "MUG"}]}, caller=ann, Prefer="wait=1")
    level = await shop.get("/v1/stock/MUG/availability")

    assert (order.status_code, order.json()["status"]) == (202, "booking_pending")
    assert level.status_code == 200
    assert await paused(shop) == {**dict.fromkeys(shop.shop.services, False), "stock": True}
    assert (await shop.get("/info")).json()["paused"] == ["stock"]


async def test_a_resumed_consumer_takes_what_has_waited(open_shop: Opened) -> None:
    shop = await open_shop()
    await shop.sells("MUG", 100, pieces=5)
    ann = await shop.customer(1, 1_000)
    await shop.post(f"{CONSUMERS}/stock/pause", STOCKTAKING, caller=OPERATOR)
    wish = {"lines": [{"sku": "MUG"}]}
    await shop.post("/v1/orders", wish, caller=ann)

    answer = await shop.post(f"{CONSUMERS}/stock/resume", {"why": "counted"}, caller=OPERATOR)
    order = await shop.post("/v1/orders", wish, caller=ann, Prefer="wait=30")

    assert (answer.status_code, answer.json()["paused"], answer.json()["why"]) == (200, False, "counted")
    assert order.json()["status"] == "completed"


async def test_every_replica_heeds_a_pause_and_a_restart_does_not_end_it(open_shop: Opened) -> None:
    shop = await open_shop()
    consumer = shop.shop.services["stock"].consumer
    await consumer.pause("operator", "stocktaking")

    consumer.worker.paused = False  # as in another replica, or after a restart
    await consumer.heed()

    assert consumer.worker.paused


async def test_who_paused_and_resumed_is_kept(open_shop: Opened) -> None:
    shop = await open_shop()
    await shop.post(f"{CONSUMERS}/stock/pause", STOCKTAKING, caller=OPERATOR)
    await shop.post(f"{CONSUMERS}/stock/resume", {"why": "counted"}, caller=OPERATOR)

    rows = await shop.shop.services["stock"].readers.fetch("select action, by, why from operator_actions order by at")

    assert [tuple(row) for row in rows] == [
        ("pause", OPERATOR.id, "stocktaking"),
        ("resume", OPERATOR.id, "counted"),
    ]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("stock/pause", STOCKTAKING, 409, "already_paused"),
        ("wallet/resume", STOCKTAKING, 409, "not_paused"),
        ("nowhere/pause", STOCKTAKING, 404, "not_found"),
        ("Stock/pause", STOCKTAKING, 400, "malformed"),
        ("wallet/pause", {"why": ""}, 400, "malformed"),
    ],
)
async def test_an_act_that_cannot_be_done_is_refused_by_name(
    open_shop: Opened, path: str, body: dict[str, str], status: int, code: str
) -> None:
    shop = await open_shop()
    await shop.post(f"{CONSUMERS}/stock/pause", STOCKTAKING, caller=OPERATOR)

    answer = await shop.post(f"{CONSUMERS}/{path}", body, caller=OPERATOR)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
