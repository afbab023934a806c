"""The port for the monitoring: figures of what everybody reaches, for those who reach this port, and nothing else."""

import socket

import httpx
import pytest
from litestar.testing import TestClient

from http_shop import TOKENS
from sagamart.door import Replicas, front_door
from sagamart.platform.metrics import Metrics
from sagamart.platform.settings import HttpSettings, MetricsSettings
from sagamart.programs import CannotStartError, listening
from sagamart.settings import ShopSettings
from sagamart.web import WebSection, build_pages


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def settings_with(port: int) -> ShopSettings:
    return ShopSettings(http=HttpSettings(port=0, rate_limit_per_s=0), metrics=MetricsSettings(port=port))


async def test_a_door_shows_its_figures_on_a_port_of_their_own_and_not_to_strangers_at_the_door() -> None:
    settings, metrics = settings_with(free_port()), Metrics()
    inner = f"http://127.0.0.1:{settings.metrics.port}"
    async with (
        Replicas({"orders": []}) as replicas,
        listening(front_door(settings, replicas, TOKENS, metrics), settings, metrics) as address,
        httpx.AsyncClient(timeout=60) as http,
    ):
        away = await http.get(f"{address}/v1/orders")
        at_the_door = await http.get(f"{address}/metrics")
        figures = await http.get(f"{inner}/metrics")
        others = [(await http.get(f"{inner}{path}")).status_code for path in ("/healthz", "/v1/orders", "/")]

    assert (away.status_code, at_the_door.status_code, figures.status_code) == (503, 401, 200)
    assert 'sagamart_door_requests_total{service="orders",status="503"} 1.0' in figures.text
    assert 'sagamart_build_info{node="door"' in figures.text
    assert others == [404, 404, 404]


async def test_a_port_that_is_taken_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_with(taken.getsockname()[1])
        with pytest.raises(CannotStartError, match=r"cannot listen on 127\.0\.0\.1:\d+ .*: SAGAMART_METRICS_PORT"):
            async with listening(build_pages(WebSection(), settings.http), settings, Metrics()):
                pass


def test_pages_are_counted_by_route_and_status() -> None:
    metrics = Metrics()
    pages = build_pages(WebSection(), HttpSettings(rate_limit_per_s=0), metrics=metrics)
    with TestClient(pages, base_url="http://shop.example") as browser:
        statuses = [browser.get(path).status_code for path in ("/login", "/login", "/no-such-page")]

    counted = metrics.exposition().decode()
    assert statuses == [200, 200, 404]
    assert 'sagamart_http_requests_total{method="GET",route="/login",status="200"} 2.0' in counted
    assert 'sagamart_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in counted
