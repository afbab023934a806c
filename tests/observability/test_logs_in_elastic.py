"""The shop's log in a real Elasticsearch: every line is taken, an order's log is found, dashboards ask what exists."""

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from elastic_server import ElasticServer
from open_shop import Opened
from sagamart.platform import logs
from sagamart.platform.ecs import FIELDS
from sagamart.platform.settings import LogSettings
from sagamart.settings import ShopSettings

DEPLOYED = Path(__file__).parents[2] / "deploy" / "observability"
INDEX = "sagamart-logs-2026.11.21"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def elastic() -> Iterator[httpx.Client]:
    with (
        ElasticServer() as server,
        httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client,
    ):
        told(client.put("/_component_template/sagamart-logs-mappings", json=deployed("elastic/mappings.json")))
        told(client.put("/_index_template/sagamart-logs", json=deployed("elastic/index-template.json")))
        yield client


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    logs.configure("node-1", "1.2.3", form="json", stream=stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def deployed(name: str) -> Any:
    return json.loads((DEPLOYED / name).read_text())


def told(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


def sent(elastic: httpx.Client, lines: list[str]) -> Any:
    """Send lines of a log in bulk, as Logstash does, and make them visible."""
    body = "".join(f'{{"create":{{}}}}\n{line}\n' for line in lines)
    answer = told(
        elastic.post(f"/{INDEX}/_bulk?refresh=true", content=body, headers={"Content-Type": "application/x-ndjson"})
    )
    return [item["create"] for item in answer["items"]]


def found(elastic: httpx.Client, **terms: str) -> list[dict[str, Any]]:
    wanted = {"bool": {"filter": [{"term": {name.replace("__", "."): value}} for name, value in terms.items()]}}
    body = {"query": wanted, "sort": ["@timestamp"], "size": 1000}
    return [hit["_source"] for hit in told(elastic.post(f"/{INDEX}/_search", json=body))["hits"]["hits"]]


async def test_the_log_of_an_order_is_found_by_its_id(
    elastic: httpx.Client, open_shop: Opened, written: io.StringIO
) -> None:
    shop = await open_shop(ShopSettings(logs=LogSettings(steps="all")))
    await shop.sells("MUG", 100, pieces=5)
    ann, bob = await shop.customer(1, 10_000), await shop.customer(2, 10_000)
    order = {"lines": [{"sku": "MUG", "quantity": 1}]}
    traced = {"Prefer": "wait=30", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-00"}
    hers = await shop.post("/v1/orders", order, caller=ann, **traced)
    his = await shop.post("/v1/orders", order, caller=bob, **traced)
    assert [hers.json()["status"], his.json()["status"]] == ["completed", "completed"]
    await shop.shop.services["wallet"].readers.close()
    await shop.get("/metrics")
    lines = written.getvalue().splitlines()

    taken = sent(elastic, lines)

    assert [one for one in taken if one["status"] != 201] == []
    order_id = hers.headers["Location"].rpartition("/")[2]
    log = found(elastic, labels__order_id=order_id)
    assert {"orders", "stock", "wallet"} <= {line["labels"]["service"] for line in log}
    assert {"PlaceOrder", "BookingRequested", "HoldRequested"} <= {line["event"]["action"] for line in log}
    assert {line["labels"].get("customer_id") for line in log} <= {ann.id, None}
    assert {line["trace"]["id"] for line in log} == {TRACE}
    assert all(line["span"]["id"] and line["transaction"]["id"] for line in log)
    assert len(log) < len(found(elastic, trace__id=TRACE)), "the other order is in the same trace"
    warnings = found(elastic, log__level="warning", labels__service="wallet", service__node__name="node-1")
    (warned,) = [line for line in warnings if line["message"] == "cannot look into the database"]
    assert "InterfaceError" in warned["error"]["message"]


def test_a_line_with_a_field_that_nobody_mapped_is_refused_and_a_label_is_not(elastic: httpx.Client) -> None:
    line = '{"@timestamp": "2026-11-21T10:00:00Z", "message": "hello", "surprise": 1}'
    label = '{"@timestamp": "2026-11-21T10:00:00Z", "message": "hello", "labels": {"surprise": "a"}}'

    refused, taken = sent(elastic, [line, label])

    assert "strict_dynamic_mapping_exception" in refused["error"]["type"]
    assert taken["status"] == 201
    assert len(found(elastic, labels__surprise="a")) == 1


def test_an_exception_comes_with_its_words_and_its_traceback(elastic: httpx.Client, written: io.StringIO) -> None:
    structlog.get_logger("shop").error("batch failed", exc_info=ValueError("no such sku"))

    (taken,) = sent(elastic, written.getvalue().splitlines())

    assert taken["status"] == 201
    (line,) = found(elastic, error__type="ValueError")
    assert line["event"]["outcome"] == "failure"
    assert "ValueError: no such sku" in line["error"]["stack_trace"]


def test_what_a_line_may_hold_and_what_kibana_asks_for_is_in_the_mapping(elastic: httpx.Client) -> None:
    sent(elastic, ['{"@timestamp": "2026-11-21T10:00:00Z", "message": "hello"}'])
    fields = set(told(elastic.get(f"/{INDEX}/_field_caps", params={"fields": "*"}))["fields"])

    assert sorted(FIELDS - fields) == []
    asked = asked_by_kibana()
    assert {"labels.order_id", "event.duration", "log.level"} <= asked
    assert sorted(asked - fields) == []


def asked_by_kibana() -> set[str]:
    """Every field that a data view, a search, a table or a query of the saved objects names."""
    fields: set[str] = set()
    for line in (DEPLOYED / "kibana" / "sagamart.ndjson").read_text().splitlines():
        told_of = json.loads(line)["attributes"]
        fields |= set(told_of.get("columns", ())) | {name for name, _ in told_of.get("sort", ())}
        fields |= {told_of["timeFieldName"]} if "timeFieldName" in told_of else set()
        for one in json.loads(told_of.get("visState", '{"aggs": []}'))["aggs"]:
            fields |= {one["params"]["field"]} if "field" in one["params"] else set()
        source = json.loads(told_of.get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}"))
        fields |= set(re.findall(r"([\w.@]+):", source.get("query", {}).get("query", "")))
    return fields
