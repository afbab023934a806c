"""Products as files: what comes in, what is reported, what goes out."""

import asyncio
from typing import Any

import httpx
import pytest
import pytest_asyncio

from sagamart.contracts.catalogue import ProductChanged
from sagamart.messaging.requests import Overloaded
from sagamart.platform.http import Ask, Caller
from sagamart.shop.catalogue import importing
from sagamart.shop.catalogue.api import ROUTES
from sagamart.shop.catalogue.service import CATALOGUE
from shop_fixtures import TOKENS, RunningService, Started

OPERATOR = Caller("cus_operator", frozenset({"OPERATOR"}))
FILE = """sku;title;price_minor;currency;weight_g
MUG;Кружка;500;RUB;320
CUP;Cup;300;RUB;
BAD SKU;x;1;RUB;1
PLATE;;300;RUB;1
MUG;Mug again;1;RUB;1
export;Export;1;RUB;1
"""


@pytest_asyncio.fixture
async def catalogue(started: Started) -> RunningService:
    return await started(CATALOGUE, ROUTES)


async def send(
    catalogue: RunningService, text: str, *, key: str | None = "file-1", caller: Caller | None = OPERATOR
) -> httpx.Response:
    headers = {} if caller is None else {"Authorization": f"Bearer {TOKENS.sign(caller)}"}
    headers |= {} if key is None else {"Idempotency-Key": key}
    return await catalogue.http.post("/v1/products/import", content=text.encode(), headers=headers)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def counts(answer: httpx.Response) -> tuple[Any, ...]:
    report = answer.json()
    return tuple(report[name] for name in ("rows", "created", "changed", "unchanged", "refused_count"))


async def test_good_rows_are_taken_and_bad_ones_reported_by_line(catalogue: RunningService) -> None:
    answer = await send(catalogue, FILE)
    assert (answer.status_code, counts(answer)) == (200, (6, 2, 0, 0, 4))
    assert [(one["line"], one["sku"], one["code"]) for one in answer.json()["refused"]] == [
        (4, "BAD SKU", "malformed"),
        (5, "PLATE", "incomplete_product"),
        (6, "MUG", "sku_repeated"),
        (7, "export", "sku_reserved"),
    ]
    assert answer.json()["refused"][1]["reason"] == "The product is new and lacks something: title"
    mug = (await catalogue.get("/v1/products/MUG")).json()
    assert (mug["title"], mug["price_minor"], mug["weight_g"]) == ("Кружка", 500, 320)


async def test_rows_are_messages_like_any_other(catalogue: RunningService) -> None:
    await send(catalogue, FILE)
    assert sorted(one.sku for one in catalogue.sent if isinstance(one, ProductChanged)) == ["CUP", "MUG"]
    assert sorted(await catalogue.rows("select sku, price_minor, by from prices")) == [
        ("CUP", 300, OPERATOR.id),
        ("MUG", 500, OPERATOR.id),
    ]


async def test_a_file_that_is_sent_again_under_its_key_does_nothing_and_reports_the_same(
    catalogue: RunningService,
) -> None:
    first = await send(catalogue, FILE)
    again = await send(catalogue, FILE)
    assert again.json() == first.json()
    assert len(catalogue.sent) == 2


async def test_a_file_that_broke_off_goes_on_where_it_was(catalogue: RunningService) -> None:
    whole = "sku,title,price_minor,currency\nA,A,1,RUB\nB,B,1,RUB\n"
    broken = await send(catalogue, whole + '"C')
    assert code(broken) == (422, "unreadable_file")
    assert "line 4" in broken.json()["title"]
    assert counts(await send(catalogue, whole + "C,C,1,RUB\n")) == (3, 3, 0, 0, 0)
    assert len(catalogue.sent) == 3


async def test_under_another_key_what_is_so_already_is_left_alone(catalogue: RunningService) -> None:
    await send(catalogue, FILE)
    changed = "sku,price_minor\nMUG,500\nCUP,350\n"
    assert counts(await send(catalogue, changed, key="file-2")) == (2, 0, 1, 1, 0)
    assert (await catalogue.get("/v1/products/CUP")).json()["title"] == "Cup"


async def test_a_new_currency_without_a_price_is_refused_for_its_row_alone(catalogue: RunningService) -> None:
    await send(catalogue, FILE)
    answer = await send(catalogue, "sku,currency\nMUG,EUR\nCUP,RUB\n", key="file-2")
    assert [(one["line"], one["code"]) for one in answer.json()["refused"]] == [(2, "currency_without_price")]


async def test_the_export_comes_back_as_it_was_and_holds_no_formula(
    catalogue: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "ROWS_A_CHUNK", 2)
    rows = [f'"SKU-{number}","=HYPERLINK(""x"")",{number},RUB,false' for number in range(5)]
    await send(catalogue, "sku,title,price_minor,currency,active\n" + "\n".join(rows))
    answer = await catalogue.get("/v1/products/export?delimiter=semicolon", caller=OPERATOR)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="products.csv"'
    lines = answer.text.splitlines()
    assert len(lines) == 6
    assert lines[1] == 'SKU-0;"\'=HYPERLINK(""x"")";;0;RUB;0;;;;0;false'
    assert counts(await send(catalogue, answer.text, key="file-2")) == (5, 0, 0, 5, 0)


async def test_an_empty_catalogue_exports_the_names_of_the_columns(catalogue: RunningService) -> None:
    answer = await catalogue.get("/v1/products/export", caller=OPERATOR)
    assert answer.content.startswith(b"\xef\xbb\xbfsku,title,")
    assert len(answer.text.splitlines()) == 1


async def test_a_full_service_makes_rows_wait_their_turn(
    catalogue: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned_away: list[str] = []
    reply_to = Ask.reply_to

    async def full_at_first(self: Ask, *given: Any, part: str, **named: Any) -> Any:
        if part not in turned_away:
            turned_away.append(part)
            raise Overloaded
        return await reply_to(self, *given, part=part, **named)

    monkeypatch.setattr(Ask, "reply_to", full_at_first)
    answer = await asyncio.wait_for(send(catalogue, FILE), 60)
    assert counts(answer)[:2] == (6, 2)
    assert turned_away == ["2", "3", "5", "7"]


@pytest.mark.parametrize("delimiter", ["tab", "", ";"])
async def test_an_unknown_delimiter_is_refused(catalogue: RunningService, delimiter: str) -> None:
    answer = await catalogue.get(f"/v1/products/export?delimiter={delimiter}", caller=OPERATOR)
    assert code(answer) == (400, "malformed")


async def test_a_file_needs_an_idempotency_key(catalogue: RunningService) -> None:
    assert code(await send(catalogue, FILE, key=None)) == (400, "idempotency_key_required")


@pytest.mark.parametrize("role", ["CUSTOMER", "STOCK_OPERATOR", "SHIPPING_OPERATOR"])
async def test_only_operators_and_administrators_exchange_files(catalogue: RunningService, role: str) -> None:
    caller = Caller("cus_1", frozenset({role}))
    assert code(await send(catalogue, FILE, caller=caller)) == (403, "forbidden")
    assert code(await catalogue.get("/v1/products/export", caller=caller)) == (403, "forbidden")
    assert code(await send(catalogue, FILE, caller=None)) == (401, "unauthenticated")
    assert code(await catalogue.get("/v1/products/export")) == (401, "unauthenticated")
