"""What a line of the log holds, and what it never holds."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from sagamart.platform import logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    logs.configure("node-1", "1.2.3", form="json", stream=stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_of_the_elastic_common_schema(written: io.StringIO) -> None:
    structlog.get_logger("shop").info("batch committed", messages=40, **{"trace.id": "4bf9"})
    logging.getLogger("asyncpg").warning("connection %s lost", 7)
    ours, theirs = lines(written)
    assert (ours["message"], ours["log.level"], ours["labels"]) == ("batch committed", "info", {"messages": 40})
    assert ours["service"] == {"name": "sagamart", "version": "1.2.3", "node": {"name": "node-1"}}
    assert ours["ecs"] == {"version": "8.11.0"}
    assert ours["event"] == {"kind": "event", "dataset": "sagamart.log"}
    assert (ours["trace"], ours["log"]) == ({"id": "4bf9"}, {"logger": "shop"})
    assert "@timestamp" in ours
    assert (theirs["message"], theirs["log.level"]) == ("connection 7 lost", "warning")


def test_a_line_about_one_service_of_the_shop_names_it_beside_the_program(written: io.StringIO) -> None:
    structlog.get_logger("shop").warning("cannot post, trying again", service="stock")
    (line,) = lines(written)
    assert line["service"]["name"] == "sagamart"
    assert line["labels"] == {"service": "stock"}


def test_a_line_about_an_order_is_found_by_its_id_whoever_writes_it(written: io.StringIO) -> None:
    structlog.get_logger("shop").error("dead letter", key="ord_1", type="MoneyHeld", error="KeyError: 'a'")
    structlog.get_logger("shop").warning("outside call failed", key="cus_7", more={"sku": ["a", 1]})
    order, customer = lines(written)
    assert order["labels"] == {"key": "ord_1", "type": "MoneyHeld", "order_id": "ord_1"}
    assert order["error"] == {"message": "KeyError: 'a'"}
    assert order["event"]["outcome"] == "failure"
    assert customer["labels"] == {"key": "cus_7", "customer_id": "cus_7", "more": "{'sku': ['a', 1]}"}


def test_a_logger_that_has_written_follows_what_is_set_up_later(written: io.StringIO) -> None:
    log, later = structlog.get_logger("shop"), io.StringIO()
    log.info("before")
    logs.configure("node-2", "1.2.4", form="json", stream=later)
    with structlog.testing.capture_logs() as captured:
        log.info("caught")
    log.info("after")

    assert [line["message"] for line in lines(written)] == ["before"]
    assert [line["event"] for line in captured] == ["caught"]
    assert [line["message"] for line in lines(later)] == ["after"]


def test_an_error_has_its_type_and_words_in_fields(written: io.StringIO) -> None:
    structlog.get_logger("shop").error("batch failed", exc_info=ValueError("no such sku"))
    (line,) = lines(written)
    assert line["error"]["type"] == "ValueError"
    assert line["error"]["message"] == "no such sku"
    assert "ValueError: no such sku" in line["error"]["stack_trace"]


def test_secrets_are_never_written(written: io.StringIO) -> None:
    canary = "canary-7f3a"
    headers = {"Authorization": f"Bearer {canary}", "Host": "shop"}
    structlog.get_logger("shop").info("asked", password=canary, access_token=canary, headers=headers)
    logging.getLogger("library").warning("asked", extra={"client_secret": canary})
    assert canary not in written.getvalue()
    assert headers["Authorization"] == f"Bearer {canary}"


def test_what_is_below_the_level_is_not_written(written: io.StringIO) -> None:
    log = structlog.get_logger("shop")
    log.debug("one")
    logs.set_level("debug")
    log.debug("two")
    logs.set_level("error")
    log.warning("three")
    assert [line["message"] for line in lines(written)] == ["two"]
