"""The routes of webhooks: made and changed by administrators, looked at by staff, their secrets shown once."""

from typing import Any

import pytest

from sagamart.contracts.orders import OrderCompleted
from sagamart.platform.http import Caller
from sagamart.shop.notifications.service import NOTIFICATIONS
from sagamart.shop.notifications.settings import WebhookSection
from sagamart.shop.notifications.webhook_messages import DeliveryTaken
from sagamart.shop.notifications.webhooks_api import routes
from shop_fixtures import RunningService, Started

ADMIN = Caller("cus_admin", frozenset({"ADMIN"}))
OPERATOR = Caller("cus_op", frozenset({"OPERATOR"}))
CUSTOMER = Caller("cus_1", frozenset({"CUSTOMER"}))
ERP = {"url": "https://erp.example/news", "events": ["order.shipped", "order.completed"], "note": "ERP"}
NOBODY = f"whk_{'0' * 32}"


def completed(number: int) -> OrderCompleted:
    return OrderCompleted(f"ord_{number}", 6, "completed", "cus_1", 1, (), 135_000, "RUB")


@pytest.fixture
async def shop(started: Started) -> RunningService:
    return await started(NOTIFICATIONS, routes(WebhookSection()))


async def made(shop: RunningService, note: str = "ERP") -> dict[str, Any]:
    """A webhook as it was answered when it was made."""
    answer = await shop.post("/v1/webhooks", {**ERP, "note": note}, caller=ADMIN, key=f"key-{note}")
    assert answer.status_code == 201
    return dict(answer.json())


async def test_a_webhook_is_made_with_a_secret_that_is_shown_this_once(shop: RunningService) -> None:
    answer = await shop.post("/v1/webhooks", ERP, caller=ADMIN)

    webhook = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/webhooks/{webhook['id']}")
    assert answer.headers["cache-control"] == "no-store"
    assert webhook["secret"].startswith("whsec_")
    assert (webhook["status"], webhook["events"]) == ("active", ["order.completed", "order.shipped"])
    again = await shop.post("/v1/webhooks", ERP, caller=ADMIN)
    assert (again.status_code, again.json()["code"]) == (422, "key_reused")
    read = await shop.get(f"/v1/webhooks/{webhook['id']}", caller=OPERATOR)
    assert "secret" not in read.json()
    assert read.headers["etag"] == '"1"'
    assert webhook["secret"] not in (await shop.get("/v1/webhooks", caller=OPERATOR)).text
    assert await shop.rows("select count(*), max(position('whsec_'::bytea in body)) from requests") == [(1, 0)]


@pytest.mark.parametrize(
    "wish",
    [
        {"url": "http://erp.example/"},
        {"url": "https://10.0.0.8/"},
        {"url": "https://user:word@erp.example/"},
        {"url": ""},
        {"events": []},
        {"events": ["order.dreamt"]},
        {"note": "x" * 201},
        {"secret": "whsec_mine"},
    ],
)
async def test_what_can_be_no_webhook_is_refused(shop: RunningService, wish: dict[str, Any]) -> None:
    answer = await shop.post("/v1/webhooks", {**ERP, **wish}, caller=ADMIN)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_webhooks_are_listed_page_by_page(shop: RunningService) -> None:
    ids = sorted([(await made(shop, note))["id"] for note in ("a", "b", "c")])

    first = (await shop.get("/v1/webhooks?limit=2", caller=OPERATOR)).json()
    second = (await shop.get(f"/v1/webhooks?limit=2&cursor={first['next_cursor']}", caller=OPERATOR)).json()

    assert [one["id"] for page in (first, second) for one in page["items"]] == ids
    assert second["next_cursor"] is None


async def test_a_webhook_is_changed_under_the_version_that_was_seen(shop: RunningService) -> None:
    path = f"/v1/webhooks/{(await made(shop))['id']}"

    changed = await shop.send("PATCH", path, {"events": ["order.shipped"]}, caller=ADMIN, **{"If-Match": '"1"'})
    stale = await shop.send("PATCH", path, {"active": False}, caller=ADMIN, **{"If-Match": '"1"'})
    blind = await shop.send("PATCH", path, {"active": False}, caller=ADMIN)
    inside = await shop.send("PATCH", path, {"url": "https://[::1]/"}, caller=ADMIN, **{"If-Match": '"2"'})

    assert (changed.status_code, changed.json()["events"], changed.json()["url"]) == (
        200,
        ["order.shipped"],
        ERP["url"],
    )
    assert (stale.status_code, stale.json()["code"]) == (412, "webhook_changed")
    assert (blind.status_code, inside.status_code) == (428, 400)


async def test_a_deleted_webhook_is_no_more(shop: RunningService) -> None:
    path = f"/v1/webhooks/{(await made(shop))['id']}"

    assert (await shop.send("DELETE", path, caller=ADMIN)).status_code == 204

    for answer in (
        await shop.get(path, caller=ADMIN),
        await shop.get(f"{path}/deliveries", caller=ADMIN),
        await shop.send("DELETE", path, caller=ADMIN),
        await shop.post(f"{path}/secret", None, caller=ADMIN),
    ):
        assert answer.status_code == 404
    assert (await shop.get("/v1/webhooks", caller=ADMIN)).json()["items"] == []


async def test_deliveries_are_listed_newest_first_and_by_how_they_stand(shop: RunningService) -> None:
    path = f"/v1/webhooks/{(await made(shop))['id']}/deliveries"
    for number in (1, 2, 3):
        await shop.hears(completed(number))
    first = (await shop.get(f"{path}?limit=2", caller=OPERATOR)).json()
    await shop.hears(DeliveryTaken(first["items"][0]["id"], 200))

    second = (await shop.get(f"{path}?limit=2&cursor={first['next_cursor']}", caller=OPERATOR)).json()
    done = (await shop.get(f"{path}?status=delivered", caller=OPERATOR)).json()["items"]
    waiting = (await shop.get(f"{path}?status=pending", caller=OPERATOR)).json()["items"]

    assert [one["data"]["order_id"] for page in (first, second) for one in page["items"]] == ["ord_3", "ord_2", "ord_1"]
    assert [(one["data"]["order_id"], one["attempts"], one["answer"]) for one in done] == [("ord_3", 1, 200)]
    assert [one["data"]["order_id"] for one in waiting] == ["ord_2", "ord_1"]


async def test_only_what_has_ended_is_replayed(shop: RunningService) -> None:
    path = f"/v1/webhooks/{(await made(shop))['id']}/deliveries"
    await shop.hears(completed(1))
    (one,) = (await shop.get(path, caller=OPERATOR)).json()["items"]

    early = await shop.post(f"{path}/{one['id']}/replay", None, caller=OPERATOR, key="early")
    await shop.hears(DeliveryTaken(one["id"], 200))
    again = await shop.post(f"{path}/{one['id']}/replay", None, caller=OPERATOR, key="again")
    unknown = await shop.post(f"{path}/dlv_{'0' * 32}/replay", None, caller=OPERATOR, key="unknown")

    assert (early.status_code, early.json()["code"]) == (409, "delivery_under_way")
    assert again.status_code == 202
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_delivery")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/webhooks"),
        ("POST", "/v1/webhooks"),
        ("GET", f"/v1/webhooks/{NOBODY}"),
        ("PATCH", f"/v1/webhooks/{NOBODY}"),
        ("DELETE", f"/v1/webhooks/{NOBODY}"),
        ("POST", f"/v1/webhooks/{NOBODY}/secret"),
        ("GET", f"/v1/webhooks/{NOBODY}/deliveries"),
        ("POST", f"/v1/webhooks/{NOBODY}/deliveries/dlv_{'0' * 32}/replay"),
    ],
)
async def test_webhooks_are_the_staffs_and_only_administrators_change_them(
    shop: RunningService, method: str, path: str
) -> None:
    body = ERP if method in ("POST", "PATCH") else None
    answers = [
        (await shop.send(method, path, body, caller=caller, key="one", **{"If-Match": '"1"'})).status_code
        for caller in (None, CUSTOMER, OPERATOR)
    ]

    allowed = method == "GET" or path.endswith("/replay")
    assert answers[:2] == [401, 403]
    assert (answers[2] == 403) is not allowed
