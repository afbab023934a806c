"""The console's people: who is found, what roles they have, and how these are changed."""

from collections.abc import Iterator
from typing import Any

import pytest

from console_examples import NOTHING, fill_console, page_of
from web_shop import WebShop, open_pages

OLGA: dict[str, Any] = {
    "id": "cus_olga",
    "email": "olga@sagamart.example",
    "name": "Olga <i>",
    "language": "ru",
    "roles": ["CUSTOMER", "OPERATOR"],
    "registered_at": "2026-11-01T00:00:00Z",
    "version": 3,
    "email_confirmed": True,
}
CHANGE = {
    "change_id": "1",
    "by": "cus_boss",
    "before": ["CUSTOMER"],
    "after": ["CUSTOMER", "OPERATOR"],
    "at": "2026-11-02T00:00:00Z",
}
ROLES = "PUT /v1/users/cus_olga/roles"


@pytest.fixture
def shop() -> Iterator[WebShop]:
    """The pages, for an administrator who is logged in."""
    with open_pages() as opened:
        fill_console(opened, "ADMIN")
        opened.answers |= {
            "GET /v1/users": page_of(OLGA),
            "GET /v1/users/cus_olga": OLGA,
            "GET /v1/users/cus_olga/role-changes": page_of(CHANGE),
            ROLES: OLGA,
        }
        yield opened


def test_a_user_is_looked_for_by_the_whole_address(shop: WebShop) -> None:
    text = shop.look("/console/people?email=olga@sagamart.example").text

    assert dict(shop.api.last("GET /v1/users").url.params) == {"email": "olga@sagamart.example"}
    assert "With this address" in text
    assert "Olga &lt;i&gt;" in text
    assert 'href="/console/people/cus_olga"' in text


def test_those_who_work_here_are_shown_without_a_question(shop: WebShop) -> None:
    text = shop.look("/console/people").text

    assert dict(shop.api.last("GET /v1/users").url.params) == {"staff": "true", "limit": "100"}
    assert "With this address" not in text
    assert "operator" in text


def test_an_address_that_nobody_has_finds_nobody(shop: WebShop) -> None:
    shop.answers["GET /v1/users"] = NOTHING

    assert "Nobody has registered" in shop.look("/console/people?email=olga@sagamart.exampl").text


def test_roles_are_given_and_taken_under_the_version_that_was_seen(shop: WebShop) -> None:
    page = shop.look("/console/people/cus_olga").text
    assert 'value="OPERATOR" checked' in page
    assert 'name="version" value="3"' in page
    assert "customer, operator" in page

    answer = shop.browser.post(
        "/console/people/cus_olga/roles",
        data={"csrf": shop.browser.cookies["csrf"], "role": ["ADMIN", "CUSTOMER"], "version": "3", "back": "/console"},
        follow_redirects=False,
    )

    assert shop.api.body(ROLES) == {"roles": ["CUSTOMER", "ADMIN"]}
    assert shop.api.last(ROLES).headers["if-match"] == '"3"'
    assert answer.headers["location"] == "/console"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("last_admin", "There is no other administrator"),
        ("own_admin_role", "You cannot stop being an administrator yourself"),
        ("version_changed", "This was changed meanwhile"),
    ],
)
def test_a_change_that_is_refused_says_why_on_the_persons_page(shop: WebShop, code: str, said: str) -> None:
    shop.answers[ROLES] = (409, code)
    back = "/console/people/cus_olga"

    answer = shop.send(f"{back}/roles", role="CUSTOMER", version="3", back=back)

    assert answer.headers["location"] == back
    assert said in shop.look(back).text


def test_nobody_is_left_without_a_role(shop: WebShop) -> None:
    answer = shop.send("/console/people/cus_olga/roles", version="3")

    assert "keeps one role at least" in shop.look(answer.headers["location"]).text
    assert not [one for one in shop.api.asked if one.method == "PUT"]


def test_an_operator_finds_people_and_gives_no_roles(shop: WebShop) -> None:
    shop.browser.cookies.set("roles", "OPERATOR")
    shop.answers |= {"GET /v1/users/cus_olga": (403, "forbidden"), ROLES: (403, "forbidden")}

    assert 'href="/console/people/cus_olga"' not in shop.look("/console/people").text
    assert shop.look("/console/people/cus_olga").status_code == 403
    assert shop.send("/console/people/cus_olga/roles", role="ADMIN", version="3").status_code == 403


def test_an_administrator_gets_from_an_order_to_its_customer(shop: WebShop) -> None:
    assert 'href="/console/people/cus_anna"' in shop.look("/console/orders/ord_1").text

    shop.browser.cookies.set("roles", "OPERATOR")

    assert 'href="/console/people/cus_anna"' not in shop.look("/console/orders/ord_1").text
