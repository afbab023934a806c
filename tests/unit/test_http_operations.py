"""What operators ask of a process, and the documents that it gives about itself."""

import asyncio
import hashlib
import json
import logging
import re
from importlib.resources import files

import pytest

from http_shop import ADMIN, ANNA, as_caller, open_shop
from sagamart.platform import logs
from sagamart.platform.http import Process
from sagamart.platform.http.docs_pages import ASSETS, SWAGGER_VERSION, asset_bytes
from sagamart.platform.metric_families import QUEUE_MESSAGES, REFUSED
from sagamart.platform.metrics import Metrics
from sagamart.platform.settings import HttpSettings


async def well() -> None: ...


async def ill() -> None:
    raise ConnectionError("password=hunter2 does not fit 10.0.0.5")


async def asleep() -> None:
    await asyncio.Event().wait()


def test_a_process_is_ready_when_all_that_it_needs_is() -> None:
    with open_shop(process=Process(checks={"database": well, "transport": well})) as client:
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "checks": ["database", "transport"]})


def test_a_process_that_is_not_ready_names_what_fails_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagamart.platform.http.operations.CHECK_WAIT_S", 0.05)
    with open_shop(process=Process(checks={"database": ill, "transport": well, "migrations": asleep})) as client:
        answer = client.get("/readyz")
        assert client.get("/healthz").json() == {"status": "alive"}
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.json()["failed"] == ["database", "migrations"]
    assert "hunter2" not in answer.text


def test_a_process_says_what_it_is() -> None:
    with open_shop() as client:
        assert client.get("/info").json() == {
            "version": "0.1.0",
            "node": "node-1",
            "services": ["orders"],
            "paused": [],
        }


def test_what_a_process_is_and_how_it_fares_is_for_staff_only_where_the_shop_says_so() -> None:
    watched = HttpSettings(rate_limit_per_s=0, monitoring="staff")
    with open_shop(process=Process(watched)) as client:
        answers = {
            path: [client.get(path, headers=headers).status_code for headers in ({}, as_caller(ANNA), as_caller(ADMIN))]
            for path in ("/metrics", "/info", "/healthz", "/readyz")
        }
    assert answers == {
        "/metrics": [401, 403, 200],
        "/info": [401, 403, 200],
        "/healthz": [200, 200, 200],
        "/readyz": [200, 200, 200],
    }


def test_metrics_tell_of_batches_depths_and_answers() -> None:
    metrics = Metrics()
    metrics.batch("orders", 40, 0.02)
    metrics.messages("orders", "duplicate", 3)
    metrics.read(REFUSED, "orders", lambda: 1)
    metrics.read(QUEUE_MESSAGES, "orders", lambda: 17)
    with open_shop(process=Process(metrics=metrics)) as client:
        client.get("/v1/nothing")
        text = client.get("/metrics").text
    for line in (
        'sagamart_batch_messages_sum{service="orders"} 40.0',
        'sagamart_batch_seconds_count{service="orders"} 1.0',
        'sagamart_messages_total{outcome="duplicate",service="orders"} 3.0',
        'sagamart_admission_refused_total{service="orders"} 1.0',
        'sagamart_queue_messages{service="orders"} 17.0',
        'sagamart_http_requests_total{method="GET",route="unmatched",status="404"} 1.0',
    ):
        assert line in text


def test_an_administrator_changes_the_log_level_of_a_running_process() -> None:
    before = logging.getLogger().level
    try:
        with open_shop() as client:
            path = "/v1/operations/log-level"
            assert client.put(path, json={"level": "error"}, headers=as_caller(ANNA)).status_code == 403
            assert client.put(path, json={"level": "loud"}, headers=as_caller(ADMIN)).status_code == 400
            assert client.put(path, json={"level": "error"}, headers=as_caller(ADMIN)).json() == {"level": "error"}
            assert client.get(path, headers=as_caller(ADMIN)).json() == {"level": "error"}
        assert logs.level() == "error"
    finally:
        logging.getLogger().setLevel(before)


def test_the_document_says_what_a_route_takes_gives_and_needs() -> None:
    with open_shop() as client:
        document = client.get("/openapi.json").json()
    place = document["paths"]["/v1/orders"]["post"]
    assert document["openapi"] == "3.1.0"
    assert place["security"] == [{"bearer": []}]
    assert place["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/NewOrder"}
    assert place["responses"]["202"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/OrderView"
    }
    assert {"400", "401", "403", "409", "413", "415", "422", "429", "500", "503"} <= set(place["responses"])
    assert [(one["name"], one["required"]) for one in place["parameters"]] == [("Idempotency-Key", True)]
    change = document["paths"]["/v1/orders/{order_id}"]["put"]
    assert [one["name"] for one in change["parameters"]] == ["order_id", "If-Match"]
    assert "Roles: ADMIN, STOCK_OPERATOR." in document["paths"]["/v1/stock"]["get"]["description"]
    assert "security" not in document["paths"]["/v1/products"]["get"]


def test_the_schemas_are_closed_and_keep_their_bounds() -> None:
    with open_shop() as client:
        text = client.get("/services/orders/openapi.json").text
    document = json.loads(text)
    line = document["components"]["schemas"]["NewLine"]
    assert line["additionalProperties"] is False
    assert json.dumps(line["properties"]["quantity"]) == '{"type": "integer", "minimum": 1, "maximum": 1000}'
    assert "/healthz" not in document["paths"]
    referred = set(re.findall(r"#/components/schemas/([^\"]+)", text))
    assert referred == set(document["components"]["schemas"])


def test_the_page_needs_no_internet_and_holds_no_script_of_its_own() -> None:
    with open_shop() as client:
        page = client.get("/services/orders/docs")
        addresses = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        assert "script-src 'self';" in page.headers["content-security-policy"]
        assert re.findall(r"<script[^>]*>(.+?)</script>", page.text) == []
        assert "//" not in "".join(addresses)
        assert {client.get(address).status_code for address in addresses} == {200}
        assert client.get("/services/nothing/docs").status_code == 404
        assert client.get(f"/docs/{SWAGGER_VERSION}/passwd").status_code == 404


def test_what_is_vendored_is_what_its_list_says() -> None:
    listed = files("sagamart.platform.http").joinpath("vendor/swagger_ui/README.md").read_text()
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert f"| {name} | npm package swagger-ui-dist {SWAGGER_VERSION} | {_sum(name)} |" in listed
    assert set(ASSETS) == {"swagger-ui.css", "swagger-ui-bundle.js", "start.js"}


def _sum(name: str) -> str:
    return hashlib.sha256(asset_bytes(name)).hexdigest()
