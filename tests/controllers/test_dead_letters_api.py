"""Dead letters over HTTP: one list over all services, page by page, and acts that are refused by name."""

import pytest

from open_shop import OPERATOR, Opened, OpenShop

LETTERS = "/v1/operations/dead-letters"
FIRST, SECOND = "018f0000-0000-7000-8000-000000000001", "018f0000-0000-7000-8000-000000000002"


async def bury(shop: OpenShop, service: str, message_id: str, status: str = "dead", key: str = "ord_1") -> None:
    """Put a letter there, as the worker does."""
    await shop.shop.services[service].readers.execute(
        "insert into dead_letters (id, key, type, status, error, message) values ($1, $3, 'OrderPaid', $2, 'why', '')",
        message_id,
        status,
        key,
    )


async def test_letters_of_all_services_are_one_list_page_by_page(open_shop: Opened) -> None:
    shop = await open_shop()
    for service, message_id in (("wallet", FIRST), ("stock", SECOND), ("stock", FIRST)):
        await bury(shop, service, message_id)

    ids, path = [], f"{LETTERS}?limit=1"
    cursor: str | None = ""
    while cursor is not None:
        page = (await shop.get(f"{path}&cursor={cursor}" if cursor else path, caller=OPERATOR)).json()
        ids += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]

    assert ids == [f"stock.{FIRST}", f"wallet.{FIRST}", f"stock.{SECOND}"]


async def test_letters_are_listed_by_status(open_shop: Opened) -> None:
    shop = await open_shop()
    await bury(shop, "stock", FIRST)
    await bury(shop, "stock", SECOND, "discarded")

    found = (await shop.get(f"{LETTERS}?status=discarded", caller=OPERATOR)).json()["items"]

    assert [one["message_id"] for one in found] == [SECOND]


async def test_letters_are_found_by_the_orders_that_they_are_about(open_shop: Opened) -> None:
    shop = await open_shop()
    for service, message_id, key in (("stock", FIRST, "ord_1"), ("stock", SECOND, "ord_2"), ("wallet", FIRST, "ord_3")):
        await bury(shop, service, message_id, key=key)

    found = (await shop.get(f"{LETTERS}?key=ord_1&key=ord_3&key=ord_4", caller=OPERATOR)).json()["items"]

    assert [(one["service"], one["key"]) for one in found] == [("stock", "ord_1"), ("wallet", "ord_3")]


@pytest.mark.parametrize(
    ("letter_id", "body", "status", "code"),
    [
        (f"stock.{SECOND}", {"why": "mended"}, 409, "letter_not_dead"),
        (f"wallet.{SECOND}", {"why": "mended"}, 404, "not_found"),
        (f"nowhere.{SECOND}", {"why": "mended"}, 404, "not_found"),
        ("stock.no-message-id", {"why": "mended"}, 400, "malformed"),
        (f"stock.{SECOND}", {"why": ""}, 400, "malformed"),
        (f"stock.{SECOND}", {"why": "mended", "by": "somebody else"}, 400, "malformed"),
    ],
)
async def test_an_act_that_cannot_be_done_is_refused_by_name_and_leaves_no_record(
    open_shop: Opened, letter_id: str, body: dict[str, str], status: int, code: str
) -> None:
    shop = await open_shop()
    await bury(shop, "stock", SECOND, "discarded")

    answer = await shop.post(f"{LETTERS}/{letter_id}/release", body, caller=OPERATOR)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await shop.shop.services["stock"].readers.fetchval("select count(*) from operator_actions") == 0
