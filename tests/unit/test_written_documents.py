"""Documents that are written from the code are as the code has them now."""

from pathlib import Path

from sagamart.door.nginx import nginx_configuration
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
