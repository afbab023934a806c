"""The storefront and the cabinet over an API that a test plays: what they ask and say, and how large they are."""

from re import findall, search
from typing import Any

import httpx
import pytest

from web_examples import DONE, MUG, ORDER, WALLET, fill, page_of
from web_shop import WebShop, open_pages

PAGE_BYTES_MAX = 100_000
"""Of a page with its styles, scripts and letters, as it travels, without photos."""

PAGES = (
    "/",
    "/?q=mug&sort=price&from=1&to=1000&currency=RUB",
    "/products/MUG-BLUE",
    "/basket",
    "/checkout",
    "/orders",
    "/orders/ord_1",
    "/orders/ord_1/receipt",
    "/cabinet",
    "/wallet",
    "/notifications",
    "/profile",
    "/profile/erasure",
    "/login",
    "/register",
    "/password/forgotten",
    "/new-password",
    "/confirm",
)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_page_is_there_whole_in_one_piece_and_small_in_both_languages(language: str) -> None:
    with open_pages() as shop:
        fill(shop)
        sizes: dict[str, int] = {}
        for path in PAGES:
            answer = shop.look(path, **{"Accept-Language": language})

            assert answer.status_code == 200, f"{path}: {answer.status_code}"
            assert f'<html lang="{language}"' in answer.text
            assert answer.text.count("<h1") == 1, path
            assert "<mug>" not in answer.text, path
            for asset in findall(r'(?:href|src)="(/static/[^"]+)"', answer.text):
                sizes.setdefault(asset, int(_travelled(shop, asset)))
            letters = sum(_travelled(shop, one) for one in _letters(shop))
            assert int(answer.headers["content-length"]) + sum(sizes.values()) + letters < PAGE_BYTES_MAX, path


def _travelled(shop: WebShop, path: str) -> int:
    return int(shop.look(path, **{"Accept-Encoding": "gzip"}).headers["content-length"])


def _letters(shop: WebShop) -> set[str]:
    """The letters that the styles name, but the first ones, which pages ask for by themselves."""
    style = search(r'href="(/static/site[^"]+\.css)"', shop.look("/").text)
    assert style is not None
    return {one for one in findall(r'url\("([^"]+)"\)', shop.look(style[1]).text) if "manrope-latin." not in one}


def test_a_stranger_who_wants_something_logs_in_first_and_comes_back_to_it() -> None:
    with open_pages() as shop:
        answer = shop.send("/basket/pieces", sku="MUG-BLUE", quantity="3", price_minor="59000")

        assert answer.headers["location"] == "/login?back=%2Fproducts%2FMUG-BLUE%3Fquantity%3D3"
        assert 'value="/products/MUG-BLUE?quantity=3"' in shop.look(answer.headers["location"]).text


def test_a_stranger_who_asks_for_what_is_somebodys_own_logs_in_first() -> None:
    with open_pages() as shop:
        shop.answers["GET /v1/orders"] = (401, "unauthenticated")

        assert shop.look("/orders?stage=created").headers["location"] == "/login?back=%2Forders%3Fstage%3Dcreated"


def test_pieces_join_those_that_are_in_the_basket_at_the_price_that_was_shown() -> None:
    with open_pages() as shop:
        fill(shop)

        shop.send("/basket/pieces", sku="MUG-BLUE", quantity="3", price_minor="59000")

        assert shop.api.body("PUT /v1/basket") == {"lines": [{"sku": "MUG-BLUE", "quantity": 5, "price_minor": 59_000}]}
        assert shop.api.last("PUT /v1/basket").headers["if-match"] == '"3"'


def test_a_product_is_taken_out_of_the_basket() -> None:
    with open_pages() as shop:
        fill(shop)

        shop.send("/basket", sku="MUG-BLUE", quantity="2", price_minor="59000", version="3", out="MUG-BLUE")

        assert shop.api.body("PUT /v1/basket") == {"lines": []}


def test_a_price_that_has_changed_is_shown_and_has_to_be_accepted_before_checkout() -> None:
    with open_pages() as shop:
        fill(shop)
        shop.answers["GET /v1/products/MUG-BLUE"] = {**MUG, "price_minor": 60_000}

        assert "Accept the new prices" in shop.look("/basket").text
        assert shop.look("/checkout").headers["location"] == "/basket"


def test_an_order_has_the_key_of_its_form_so_that_two_clicks_are_one_order() -> None:
    with open_pages() as shop:
        fill(shop)
        key = search(r'name="key" value="([^"]+)"', shop.look("/checkout").text)
        assert key is not None
        wish = {"method": "courier", "address": "adr_1", "pay": "wallet", "act": "place", "key": key[1]}

        answers = [shop.send("/checkout", **wish) for _ in range(2)]

        placed = [one for one in shop.api.asked if (one.method, one.url.path) == ("POST", "/v1/orders")]
        assert [one.headers["idempotency-key"] for one in placed] == [key[1], key[1]]
        assert placed[0].content == placed[1].content
        assert {one.headers["location"] for one in answers} == {"/orders/ord_1"}
        assert shop.api.body("POST /v1/orders")["delivery"]["address"]["street"] == "Lenina 1"


def test_counting_again_places_nothing() -> None:
    with open_pages() as shop:
        fill(shop)

        answer = shop.send("/checkout", method="courier", address="adr_1", pay="wallet", act="count", key="k")

        assert "₽1,480.00" in answer.text
        assert not [one for one in shop.api.asked if (one.method, one.url.path) == ("POST", "/v1/orders")]


def test_a_refused_order_says_what_to_do_and_keeps_what_was_chosen() -> None:
    with open_pages() as shop:
        fill(shop)
        shop.answers["POST /v1/orders"] = (409, "unpaid_order_exists")

        answer = shop.send("/checkout", method="courier", address="adr_1", pay="card", act="place", key="k")

        assert answer.status_code == 409
        assert "Pay for it or cancel it" in answer.text
        assert 'href="/orders?stage=awaiting_payment"' in answer.text
        assert search(r'value="card" checked', answer.text)


def test_a_part_of_an_order_is_paid_exactly() -> None:
    with open_pages() as shop:
        fill(shop)
        shop.answers["POST /v1/orders/ord_1/payments"] = ORDER

        shop.send("/orders/ord_1/payments", source="wallet", amount="500,50", currency="RUB", key="k")

        assert shop.api.body("POST /v1/orders/ord_1/payments") == {"source": "wallet", "amount_minor": 50_050}


def test_an_amount_that_is_none_is_not_paid() -> None:
    with open_pages() as shop:
        fill(shop)

        answer = shop.send("/orders/ord_1/payments", source="wallet", amount="a lot", currency="RUB", key="k")

        assert "That is no amount" in shop.look(answer.headers["location"]).text
        assert not [one for one in shop.api.asked if one.url.path.endswith("/payments")]


def test_a_card_payment_leads_over_a_page_of_ours_to_the_banks_and_back_to_the_order() -> None:
    with open_pages() as shop:
        fill(shop)
        waiting = {"id": "pay_1", "source": "bank", "amount_minor": 148_000, "state": "started"}
        paying = {**ORDER, "status": "pay_pending", "payments": [{**waiting, "redirect_url": "http://bank/pay/1"}]}
        shop.answers |= {"POST /v1/orders/ord_1/payments": paying, "GET /v1/orders/ord_1": paying}

        answer = shop.send("/orders/ord_1/payments", source="card", amount="", currency="RUB", key="k")

        assert answer.headers["location"] == "/orders/ord_1/bank"
        assert '<a class="button" href="http://bank/pay/1"' in shop.look("/orders/ord_1/bank").text
        assert shop.look("/payments/back?payment_id=pay_9").headers["location"] == "/orders/ord_1"


def test_an_order_that_is_fetched_and_being_paid_by_card_offers_the_banks_page() -> None:
    with open_pages() as shop:
        fill(shop)
        pickup = {"method": "pickup", "price_minor": 0, "needs_shipment": False}
        begun = {"id": "pay_1", "source": "bank", "amount_minor": 118_000, "state": "started"}
        waits = {**begun, "redirect_url": "http://bank/pay/1"}
        shop.answers["GET /v1/orders/ord_1"] = {
            **ORDER,
            "status": "pay_pending",
            "stage": {"code": "processing", "text": "processing"},
            "delivery": pickup,
            "payments": [begun, waits],
            "due_minor": 0,
            "pay_by": None,
        }

        assert 'href="/orders/ord_1/bank"' in shop.look("/orders/ord_1").text


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"status": "new"}, "The bank is being asked"),
        ({"status": "pending", "redirect_url": "http://bank/pay/1"}, "waits for your card"),
        ({"status": "captured", "credited": True}, "The money is in your wallet"),
        ({"status": "declined", "reason": "declined"}, "The bank did not take it"),
    ],
)
def test_a_top_up_says_how_it_stands(told: dict[str, Any], sentence: str) -> None:
    with open_pages() as shop:
        fill(shop)
        top_up = {
            "id": "top_1",
            "purpose": "top_up",
            "amount_minor": 50_000,
            "currency": "RUB",
            "at": "2026-11-21T10:00:00Z",
        }
        shop.answers |= {"GET /v1/payments/top_1": {**top_up, **told}, "POST /v1/wallet/top-ups": top_up}

        answer = shop.send("/wallet/top-ups", amount="500", currency="RUB", key="k")

        assert sentence in shop.look(answer.headers["location"]).text
        assert shop.api.body("POST /v1/wallet/top-ups") == {"amount_minor": 50_000, "currency": "RUB"}


def test_goods_are_given_back_by_line() -> None:
    with open_pages() as shop:
        fill(shop)
        shop.answers |= {"GET /v1/orders/ord_1": DONE, "POST /v1/orders/ord_1/returns": DONE}

        assert "Give something back" in shop.look("/orders/ord_1").text
        shop.send("/orders/ord_1/returns", line="0", pieces="1", key="k")

        assert shop.api.body("POST /v1/orders/ord_1/returns") == {"lines": [{"line": 0, "quantity": 1}]}


IN_SHIPPING = {**DONE, "status": "shipping_pending", "version": 7}
WORK = {
    "recipient": "Anna",
    "phone": "+7 342 0000000",
    "country": "RU",
    "postal_code": "614000",
    "city": "Perm",
    "street": "Work 7",
}


def test_a_parcel_that_is_still_here_is_sent_to_another_address_and_one_that_has_left_is_not() -> None:
    form = 'action="/orders/ord_1/address"'
    with open_pages() as shop:
        fill(shop)
        shop.answers |= {"GET /v1/orders/ord_1": IN_SHIPPING, "PUT /v1/orders/ord_1": IN_SHIPPING}

        assert form in shop.look("/orders/ord_1").text
        shop.send("/orders/ord_1/address", method="courier", version="7", **{**WORK, "country": "ru"})

        wish = f"PUT /v1/orders/{IN_SHIPPING['id']}"
        assert shop.api.body(wish) == {"delivery": {"method": "courier", "address": WORK}}
        assert shop.api.last(wish).headers["if-match"] == '"7"'
        shop.answers["GET /v1/orders/ord_1"] = {**IN_SHIPPING, "elsewhere": WORK}
        asked = shop.look("/orders/ord_1").text
        assert "To go to Work 7, Perm instead" in asked
        gone = {**IN_SHIPPING, "lines": [{**IN_SHIPPING["lines"][0], "shipped": 2}]}
        shop.answers["GET /v1/orders/ord_1"] = gone
        assert [form in text for text in (asked, shop.look("/orders/ord_1").text)] == [False, False]


def test_an_order_says_why_a_change_of_it_did_not_come_about() -> None:
    with open_pages() as shop:
        fill(shop)
        shop.answers["GET /v1/orders/ord_1"] = {**ORDER, "unchanged": [{"what": "lines", "text": "Not all is there"}]}

        assert "Not all is there." in shop.look("/orders/ord_1").text


def test_what_a_customer_is_told_of_an_orders_story_is_what_has_come_true() -> None:
    with open_pages() as shop:
        fill(shop)
        told = {"text": "The order is placed", "type": "OrderPlaced", "at": "2026-11-21T10:00:00Z"}
        asked = {"text": "Please reserve the goods", "type": "BookingRequested", "at": "2026-11-21T10:00:00Z"}
        shop.answers["GET /v1/orders/ord_1/timeline"] = page_of(told, asked)

        text = shop.look("/orders/ord_1").text

        assert "The order is placed" in text
        assert "Please reserve the goods" not in text


def test_an_order_that_moves_is_sent_part_by_part_until_its_end() -> None:
    with open_pages() as shop:
        fill(shop)
        events = (
            b": hello\n\nevent: order\ndata: " + httpx.Response(200, json=DONE).content + b"\n\nevent: end\ndata: x\n\n"
        )
        shop.answers["GET /v1/orders/ord_1/events"] = httpx.Response(
            200, content=events, headers={"Content-Type": "text/event-stream"}
        )

        answer = shop.look("/orders/ord_1/live")

        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "event: now\n" in answer.text
        assert answer.text.endswith("event: end\ndata: x\n\n")


def test_somebody_elses_order_has_no_events_and_browsers_ask_no_more() -> None:
    with open_pages() as shop:
        fill(shop)

        assert shop.look("/orders/ord_9/live").status_code == 204


def test_whoever_may_not_deposit_is_not_offered_it() -> None:
    with open_pages() as shop:
        fill(shop)
        shop.answers["GET /v1/wallet"] = {**WALLET, "may_deposit": False}

        assert "/wallet/deposits" not in shop.look("/wallet").text


def test_a_wrong_password_is_said_beside_the_form_which_keeps_the_address() -> None:
    with open_pages() as shop:
        shop.answers["POST /v1/tokens"] = (401, "wrong_credentials")

        answer = shop.send("/login", email="anna@sagamart.example", password="wrong")

        assert answer.status_code == 401
        assert "There is no customer with this e-mail and password" in answer.text
        assert 'value="anna@sagamart.example"' in answer.text
        assert "wrong" not in answer.text.split("<main")[1].split("There is no")[0]


@pytest.mark.parametrize(("order", "pace"), [(ORDER, "every 4s"), (DONE, "every 15s")])
@pytest.mark.parametrize("path", ["/orders", "/cabinet"])
def test_lists_of_orders_are_asked_for_again_seldom_where_none_moves(path: str, order: Any, pace: str) -> None:
    with open_pages() as shop:
        fill(shop)
        shop.answers["GET /v1/orders"] = page_of(order)

        part = shop.look(path, **{"HX-Request": "true"})

        assert f'hx-trigger="{pace}"' in shop.look(path).text
        assert "<html" not in part.text
        assert f'id="{order["id"]}"' in part.text


def test_an_empty_list_of_orders_is_asked_for_again_and_an_older_page_is_not() -> None:
    with open_pages() as shop:
        fill(shop)
        assert "every 4s" not in shop.look("/orders?cursor=more").text

        shop.answers["GET /v1/orders"] = page_of()

        assert 'hx-trigger="every 15s"' in shop.look("/orders").text


def test_search_as_one_types_gets_the_shelf_alone() -> None:
    with open_pages() as shop:
        fill(shop)

        answer = shop.look("/?q=mug", **{"HX-Request": "true"})

        assert "<html" not in answer.text
        assert "Blue &lt;mug&gt;" in answer.text
