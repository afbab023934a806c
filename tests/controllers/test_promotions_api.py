"""The routes of promo codes: what each does, refuses, cannot read, and does not let everybody do."""

from typing import Any

import httpx
import pytest

from sagamart.contracts.order_requests import PromoRedemptionRequested
from sagamart.contracts.orders import Line
from sagamart.platform.http import Caller
from sagamart.shop.promotions.api import ROUTES
from sagamart.shop.promotions.service import PROMOTIONS
from shop_fixtures import TOKENS, RunningService, Started

MARKETER = Caller("usr_marketer", frozenset({"OPERATOR"}))
ADMIN = Caller("usr_admin", frozenset({"ADMIN"}))
PACKER = Caller("usr_packer", frozenset({"SHIPPING_OPERATOR"}))
ANNA = Caller("cus_1", frozenset({"CUSTOMER"}))
BORIS = Caller("cus_2", frozenset({"CUSTOMER"}))
TENTH = {
    "code": "TENTH",
    "currency": "RUB",
    "percent_bp": 1_000,
    "goods_min_minor": 50_000,
    "uses_max": 5,
    "valid_from": "2026-01-01T00:00:00Z",
}
PAST = {"valid_from": "2020-01-01T00:00:00Z", "valid_until": "2020-02-01T00:00:00Z"}


@pytest.fixture
async def promotions(started: Started) -> RunningService:
    """A code that Anna has redeemed, and one that has expired."""
    service = await started(PROMOTIONS, ROUTES)
    await service.post("/v1/promo-codes", TENTH, caller=MARKETER, key=None)
    await service.post("/v1/promo-codes", {**TENTH, "code": "WINTER", **PAST}, caller=ADMIN, key=None)
    lines = (Line("CUP", "Blue cup", 1, 60_000),)
    await service.hears(PromoRedemptionRequested("ord_1", 1, "new", ANNA.id, 1, lines, 60_000, "RUB", "TENTH", 60_000))
    return service


async def patch(
    service: RunningService, code: str, body: Any, caller: Caller | None = MARKETER, version: int | None = None
) -> httpx.Response:
    token = {} if caller is None else {"Authorization": f"Bearer {TOKENS.sign(caller)}"}
    match = {} if version is None else {"If-Match": f'"{version}"'}
    return await service.http.patch(f"/v1/promo-codes/{code}", json=body, headers={**token, **match})


async def test_staff_make_a_code_and_see_how_often_it_is_used(promotions: RunningService) -> None:
    made = await promotions.post(
        "/v1/promo-codes", {"code": "GIFT", "currency": "RUB", "amount_minor": 500}, caller=MARKETER
    )
    listed = await promotions.get("/v1/promo-codes", caller=ADMIN)
    read = await promotions.get("/v1/promo-codes/tenth", caller=MARKETER)

    assert (made.status_code, made.headers["location"]) == (201, "/v1/promo-codes/GIFT")
    assert [(one["code"], one["used"]) for one in listed.json()["items"]] == [("GIFT", 0), ("TENTH", 1), ("WINTER", 0)]
    assert (read.status_code, read.headers["etag"]) == (200, '"2"')
    assert (read.json()["percent_bp"], read.json()["customer_uses_max"]) == (1_000, 1)


async def test_codes_are_listed_page_by_page(promotions: RunningService) -> None:
    first = (await promotions.get("/v1/promo-codes?limit=1", caller=MARKETER)).json()
    second = (await promotions.get(f"/v1/promo-codes?limit=1&cursor={first['next_cursor']}", caller=MARKETER)).json()

    assert [one["code"] for page in (first, second) for one in page["items"]] == ["TENTH", "WINTER"]
    assert second["next_cursor"] is None


async def test_staff_withdraw_a_code_under_the_version_they_have_seen(promotions: RunningService) -> None:
    withdrawn = await patch(promotions, "TENTH", {"active": False}, version=2)
    stale = await patch(promotions, "TENTH", {"active": True}, version=2)
    blind = await patch(promotions, "TENTH", {"active": True})

    assert (withdrawn.status_code, withdrawn.json()["active"], withdrawn.json()["version"]) == (200, False, 3)
    assert (stale.status_code, stale.json()["code"]) == (412, "version_changed")
    assert blind.status_code == 428


async def test_null_takes_a_limit_away(promotions: RunningService) -> None:
    changed = await patch(promotions, "TENTH", {"uses_max": None, "customer_uses_max": 3}, version=2)

    assert (changed.json()["uses_max"], changed.json()["customer_uses_max"]) == (None, 3)


@pytest.mark.parametrize(
    ("code", "body", "version", "status", "problem"),
    [
        ("NONE", {"active": False}, 1, 404, "unknown_code"),
        ("TENTH", {"valid_until": "2025-01-01T00:00:00Z"}, 2, 422, "never_valid"),
        ("TENTH", {"percent_bp": 2_000}, 2, 400, "malformed"),
        ("TENTH", {"used": 0}, 2, 400, "malformed"),
        ("TENTH", {"uses_max": 0}, 2, 400, "malformed"),
        ("TENTH", {"valid_until": "tomorrow"}, 2, 400, "malformed"),
        ("TENTH", {"valid_until": "2027-01-01T00:00:00"}, 2, 400, "malformed"),
    ],
)
async def test_a_change_against_the_rules_is_refused(  # noqa: PLR0913, PLR0917  one parameter a column
    promotions: RunningService, code: str, body: Any, version: int, status: int, problem: str
) -> None:
    response = await patch(promotions, code, body, version=version)

    assert (response.status_code, response.json()["code"]) == (status, problem)
    assert await promotions.rows("select version from promo_codes where code = 'TENTH'") == [(2,)]


async def test_a_limit_below_what_is_used_is_refused_with_the_numbers(promotions: RunningService) -> None:
    lines = (Line("CUP", "Blue cup", 1, 60_000),)
    await promotions.hears(
        PromoRedemptionRequested("ord_2", 1, "new", BORIS.id, 1, lines, 60_000, "RUB", "TENTH", 60_000)
    )

    response = await patch(promotions, "TENTH", {"uses_max": 1}, version=3)

    assert (response.status_code, response.json()["code"]) == (409, "below_used")
    assert (response.json()["used"], response.json()["uses_max"]) == (2, 1)


async def test_a_code_means_one_thing(promotions: RunningService) -> None:
    response = await promotions.post("/v1/promo-codes", {**TENTH, "percent_bp": 5_000}, caller=MARKETER, key="b")

    assert (response.status_code, response.json()["code"]) == (409, "code_taken")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "a code"}, "code"),
        ({"code": "lower"}, "code"),
        ({"currency": "rub"}, "currency"),
        ({"percent_bp": 10_001}, "percent_bp"),
        ({"percent_bp": 0}, "percent_bp"),
        ({"amount_minor": 1}, "percent_bp"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"goods_min_minor": -1}, "goods_min_minor"),
        ({"uses_max": 0}, "uses_max"),
        ({"used": 7}, "used"),
        ({"valid_from": "2026-12-01"}, "valid_from"),
    ],
)
async def test_a_malformed_code_is_told_which_field_is_wrong(
    promotions: RunningService, change: Any, field: str
) -> None:
    response = await promotions.post("/v1/promo-codes", {**TENTH, "code": "NEW", **change}, caller=MARKETER)

    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert [one["field"] for one in response.json()["fields"]] == [field]


async def test_a_customer_sees_what_a_code_takes_off(promotions: RunningService) -> None:
    response = await promotions.get("/v1/promo-codes/tenth/check?goods_minor=60005&currency=RUB", caller=BORIS)

    assert (response.status_code, response.json()) == (
        200,
        {"code": "TENTH", "counts": True, "discount_minor": 6_000, "reason": None, "explanation": None},
    )


@pytest.mark.parametrize(
    ("code", "query", "caller", "reason", "explanation"),
    [
        ("TENTH", "goods_minor=60000&currency=RUB", ANNA, "used_up_by_customer", "Вы уже использовали этот промокод"),
        ("TENTH", "goods_minor=60000&currency=EUR", BORIS, "other_currency", "Промокод действует в другой валюте"),
        ("TENTH", "goods_minor=49999&currency=RUB", BORIS, "total_too_low", "Сумма заказа мала для этого промокода"),
        ("WINTER", "goods_minor=60000&currency=RUB", BORIS, "expired", "Срок действия промокода истёк"),
        ("NONE", "goods_minor=60000&currency=RUB", BORIS, "unknown_code", "Такого промокода нет"),
    ],
)
async def test_a_customer_hears_why_a_code_does_not_count(  # noqa: PLR0913, PLR0917  one parameter a column
    promotions: RunningService, code: str, query: str, caller: Caller, reason: str, explanation: str
) -> None:
    response = await promotions.get(f"/v1/promo-codes/{code}/check?{query}", caller=caller, **{"Accept-Language": "ru"})

    answer = response.json()
    assert (response.status_code, answer["counts"], answer["discount_minor"]) == (200, False, 0)
    assert (answer["reason"], answer["explanation"]) == (reason, explanation)


@pytest.mark.parametrize(
    "path",
    [
        "TENTH/check?goods_minor=-1&currency=RUB",
        "TENTH/check?goods_minor=1&currency=rub",
        "TENTH/check?currency=RUB",
        "a%20code/check?goods_minor=1&currency=RUB",
    ],
)
async def test_a_malformed_question_is_refused(promotions: RunningService, path: str) -> None:
    response = await promotions.get(f"/v1/promo-codes/{path}", caller=BORIS)

    assert (response.status_code, response.json()["code"]) == (400, "malformed")


async def test_a_code_that_does_not_exist_is_not_found(promotions: RunningService) -> None:
    response = await promotions.get("/v1/promo-codes/NONE", caller=MARKETER)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("caller", "status", "code"),
    [(None, 401, "unauthenticated"), (ANNA, 403, "forbidden"), (PACKER, 403, "forbidden")],
    ids=["nobody", "customer", "packer"],
)
async def test_only_staff_see_and_change_codes(
    promotions: RunningService, caller: Caller | None, status: int, code: str
) -> None:
    for response in (
        await promotions.post("/v1/promo-codes", {**TENTH, "code": "NEW"}, caller=caller),
        await promotions.get("/v1/promo-codes", caller=caller),
        await promotions.get("/v1/promo-codes/TENTH", caller=caller),
        await patch(promotions, "TENTH", {"active": False}, caller, version=2),
    ):
        assert (response.status_code, response.json()["code"]) == (status, code)


async def test_nobody_checks_codes_without_logging_in(promotions: RunningService) -> None:
    response = await promotions.get("/v1/promo-codes/TENTH/check?goods_minor=1&currency=RUB")

    assert response.status_code == 401
