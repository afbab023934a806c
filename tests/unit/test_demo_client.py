"""The demo's client waits where the shop is full, and says clearly what is wrong where it cannot go on."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from sagamart.demo.client import DemoError, ShopClient, accepted, refusal, retry_after_s
from sagamart.demo.journeys import Wish
from sagamart.demo.placing import placed

URL = "http://shop.example:8080"


def shop_that(answers: Callable[[httpx.Request], httpx.Response]) -> ShopClient:
    return ShopClient(URL, httpx.AsyncClient(base_url=URL, transport=httpx.MockTransport(answers)))


def one_after_another(*answers: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    left: Iterator[httpx.Response] = iter(answers)
    return lambda _: next(left)


async def test_a_request_is_repeated_where_the_shop_is_full() -> None:
    full = httpx.Response(503, headers={"Retry-After": "0"})

    answer = await shop_that(one_after_another(full, full, httpx.Response(200))).send("GET", "/v1/products")

    assert answer.status_code == 200


async def test_a_shop_that_stays_full_ends_the_demo_with_a_sentence() -> None:
    full = httpx.Response(429, headers={"Retry-After": "0"})

    with pytest.raises(DemoError, match=r"too busy"):
        await shop_that(lambda _: full).send("GET", "/v1/products")


async def test_a_shop_that_cannot_be_reached_is_named_with_what_to_do() -> None:
    def unreachable(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(DemoError, match=rf"No shop answers at {URL} .*`make run`"):
        await shop_that(unreachable).send("GET", "/v1/products")


async def test_somebody_the_shop_does_not_know_gets_no_session() -> None:
    shop = shop_that(lambda _: httpx.Response(401))

    assert await shop.session("anna@sagamart.example", "wrong") is None


async def test_a_token_that_has_run_out_is_renewed() -> None:
    def shop(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/tokens":
            logged_in.append(request)
            return httpx.Response(201, json={"access_token": f"token-{len(logged_in)}"})
        return httpx.Response(200 if request.headers["Authorization"] == "Bearer token-2" else 401, json={})

    logged_in: list[httpx.Request] = []
    session = await shop_that(shop).session("anna@sagamart.example", "sagamart-demo")
    assert session is not None

    answer = await session.send("GET", "/v1/me")

    assert (answer.status_code, len(logged_in)) == (200, 2)


def test_a_refusal_is_told_in_the_words_of_the_shop() -> None:
    answer = httpx.Response(409, json={"title": "The product is sold out"}, request=httpx.Request("POST", URL))

    assert refusal(answer) == "The product is sold out (409)"
    with pytest.raises(DemoError, match=r"POST http://shop.example:8080: The product is sold out \(409\)"):
        accepted(answer)


def test_an_answer_that_is_no_problem_document_is_told_by_its_status() -> None:
    assert refusal(httpx.Response(502, text="<html>")) == "Bad Gateway (502)"


@pytest.mark.parametrize(
    ("header", "wait_s"), [({}, 1.0), ({"Retry-After": "2"}, 2.0), ({"Retry-After": "3600"}, 5.0),
                           ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, 1.0)]
)  # fmt: skip
def test_the_wait_is_what_the_shop_names_within_bounds(header: dict[str, str], wait_s: float) -> None:
    assert retry_after_s(header) == wait_s


async def test_a_product_that_orders_has_not_heard_of_yet_is_ordered_again_under_a_new_key() -> None:
    unknown = httpx.Response(422, json={"code": "unknown_product", "title": "There is no such product"})
    answers = iter([httpx.Response(201, json={"access_token": "token"}), unknown, httpx.Response(202, json={})])
    keys: list[str] = []

    def shop(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers.get("Idempotency-Key", ""))
        return next(answers)

    anna = await shop_that(shop).session("anna@sagamart.example", "sagamart-demo")
    assert anna is not None

    answer = await placed(anna, Wish("payable", {"MUG-BLUE": 1}))

    assert answer.status_code == 202
    assert len(set(keys[1:])) == 2, "a refusal is kept under its key"
