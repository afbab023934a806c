"""Documents that are written from the code are as the code has them now."""

import re
from pathlib import Path

import pytest

from sagamart.blueprints.api_reference import api_reference
from sagamart.blueprints.problems_reference import ADVICE, problems
from sagamart.door.nginx import nginx_configuration
from sagamart.door.operations import JOINED
from sagamart.door.routes import RouteTable, route_table
from sagamart.platform.settings import settings_of
from sagamart.platform.settings_document import settings_document
from sagamart.settings import ShopSettings

TOP = Path(__file__).parents[2]


def test_the_reference_of_settings_is_as_the_code_has_them() -> None:
    kept = (TOP / "docs/reference/settings.md").read_text()
    assert kept == settings_document(ShopSettings), "sagamart settings --markdown > docs/reference/settings.md"


def test_every_setting_has_a_meaning() -> None:
    assert [one.variable for one in settings_of(ShopSettings) if not one.meaning] == []


def test_the_configuration_of_nginx_is_as_the_routes_are_now() -> None:
    kept = (TOP / "deploy/nginx/sagamart.conf").read_text()
    assert kept == nginx_configuration(route_table()), "sagamart nginx > deploy/nginx/sagamart.conf"


def test_where_services_share_a_prefix_nginx_is_told_of_each_path() -> None:
    shared = {"orders": ["/v1/orders", "/v1/orders/{order_id:str}"], "timeline": ["/v1/orders/{order_id:str}/events"]}

    lines = [line.strip() for line in nginx_configuration(RouteTable(shared)).splitlines() if "/v1/orders" in line]

    assert lines == [
        "location ~ ^/v1/orders$ { proxy_pass http://sagamart_orders; }",
        "location ~ ^/v1/orders/[^/]+$ { proxy_pass http://sagamart_orders; }",
        "location ~ ^/v1/orders/[^/]+/events$ { proxy_pass http://sagamart_timeline; }",
    ]


@pytest.mark.parametrize("path", [*JOINED, "/v1/operations/audit"])
def test_what_is_asked_of_all_services_nginx_asks_of_a_door_beside_it(path: str) -> None:
    text = nginx_configuration(route_table())
    assert [prefix for prefix in re.findall(r"location \^~ (\S+) ", text) if path.startswith(prefix)] == []
    asked = re.findall(r"location ~ (\S+) \{ proxy_pass http://(\w+); \}", text)
    assert next(place for pattern, place in asked if re.match(pattern, path)) == "sagamart_door"
    assert "upstream sagamart_door {" in text
    assert "sagamart_audit" not in text


def test_every_problem_that_a_route_can_answer_with_has_advice() -> None:
    known = {one.code: one for one in problems()}
    assert {"not_found", "insufficient_funds", "overloaded", "version_changed"} <= set(known)
    assert {one.status for one in known.values()} <= set(ADVICE)
    assert all(one.when for one in known.values())


def test_the_reference_of_the_api_tells_who_may_ask() -> None:
    lines = api_reference().splitlines()
    assert any(line.startswith("| `POST /v1/orders` |") and line.endswith("| whoever is logged in |") for line in lines)
    assert any(line.startswith("| `POST /v1/users` |") and line.endswith("| everybody |") for line in lines)
    assert any(line.startswith("| `POST /v1/products` |") and "admin" in line for line in lines)


def test_the_reference_of_the_api_has_what_the_door_joins_and_every_process_offers() -> None:
    told = api_reference()
    offered = (*JOINED, "/v1/operations/audit", "/v1/operations/log-level", "/info", "/readyz", "/healthz", "/metrics")
    assert [path for path in offered if f"| `GET {path}` |" not in told] == []
    assert "| `POST /v1/operations/parked-keys/{service}/{key}/release` |" in told
