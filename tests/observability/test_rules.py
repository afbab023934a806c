"""The rules of Prometheus: every alert fires when it should, and asks for what the shop exposes."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from observability.rule_tool import TOP, Named, names_in, tried
from sagamart.cli import app
from sagamart.platform.metric_families import FAMILIES, Family
from sagamart.platform.settings import settings_of
from sagamart.settings import ShopSettings

PROMETHEUS = TOP / "deploy" / "observability" / "prometheus"
GRAFANA = TOP / "deploy" / "observability" / "grafana"
UNIT_TESTS = Path(__file__).with_name("alerts_test.yaml")
OF_PROMETHEUS = {"instance", "job"}
"""Labels that Prometheus gives to whatever it scrapes."""

OF_PROMETHEUS_ITSELF = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes"}
VARIABLE = re.compile(r"\$(\w+)")


def rules_of(name: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / name).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@cache
def recorded() -> dict[str, set[str]]:
    """What recording rules make, with the labels that are left."""
    rules = rules_of("recording.yaml")
    found = names_in([rule["expr"] for rule in rules])
    return {rule["record"]: set(one.grouped or ()) - {"le"} for rule, one in zip(rules, found, strict=True)}


def exposed() -> dict[str, set[str]]:
    """Every series that the shop exposes, with its labels."""
    return {name: set(family.labels) for family in FAMILIES for name in _series(family)}


def _series(family: Family) -> list[str]:
    if family.kind != "histogram":
        return [family.shown]
    return [f"{family.shown}_{part}" for part in ("bucket", "sum", "count")]


def boards() -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted((GRAFANA / "dashboards").glob("*.json"))]


def asked_of_grafana() -> Iterator[tuple[str, str]]:
    """Each panel's expressions, with a value in the place of a variable."""
    for board in boards():
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield f"{board['title']}: {panel['title']}", VARIABLE.sub("x", target["expr"])


def strangers(where: str, named: Named) -> list[str]:
    """What an expression asks for and nobody has."""
    known = {**exposed(), **recorded(), **{name: set[str]() for name in OF_PROMETHEUS_ITSELF}}
    found = [f"{where}: {named.error}"] if named.error else []
    for one in named.selectors or ():
        if one.name not in known:
            found.append(f"{where}: there is no metric {one.name}")
        else:
            wrong = set(one.labels) - known[one.name] - OF_PROMETHEUS
            found += [f"{where}: {one.name} has no label {label}" for label in sorted(wrong)]
    labels = set().union(*(known.get(one.name, set()) for one in named.selectors or ()))
    groups = set(named.grouped or ()) - labels - OF_PROMETHEUS - {"le"}
    return found + [f"{where}: nothing to group by {label}" for label in sorted(groups)]


def test_every_alert_fires_when_it_should_and_not_before() -> None:
    done = tried(UNIT_TESTS)
    assert done.returncode == 0, done.stderr


def test_an_alert_that_does_not_do_what_its_test_says_is_noticed(tmp_path: Path) -> None:
    rules = (PROMETHEUS / "alerts.yaml").read_text()
    (tmp_path / "alerts.yaml").write_text(rules.replace('sagamart_dead_letters{status="dead"}) > 0', "sagamart_x) > 0"))
    (tmp_path / "recording.yaml").write_text((PROMETHEUS / "recording.yaml").read_text())
    tests = re.sub(r"\S+/prometheus/", "", UNIT_TESTS.read_text())
    (tmp_path / "test.yaml").write_text(tests)

    done = tried(tmp_path / "test.yaml")

    assert done.returncode == 1
    assert "DeadLetters at 2m" in done.stderr


def test_every_alert_is_tried() -> None:
    tests = yaml.safe_load(UNIT_TESTS.read_text())["tests"]
    fires = {case["alertname"] for test in tests for case in test.get("alert_rule_test", ()) if case["exp_alerts"]}
    calm = {case["alertname"] for test in tests for case in test.get("alert_rule_test", ()) if not case["exp_alerts"]}
    alerts = {rule["alert"] for rule in rules_of("alerts.yaml")}
    assert (fires, calm) == (alerts, alerts)


@pytest.mark.parametrize("file", ["recording.yaml", "alerts.yaml"])
def test_every_rule_asks_for_what_the_shop_exposes(file: str) -> None:
    rules = rules_of(file)
    found = names_in([rule["expr"] for rule in rules])
    places = [rule.get("alert") or rule["record"] for rule in rules]
    assert [one for where, named in zip(places, found, strict=True) for one in strangers(where, named)] == []


def test_every_panel_asks_for_what_the_shop_exposes() -> None:
    asked = list(asked_of_grafana())
    found = names_in([expression for _, expression in asked])
    assert [one for (where, _), named in zip(asked, found, strict=True) for one in strangers(where, named)] == []


def test_an_expression_that_asks_for_what_nobody_has_is_noticed() -> None:
    asked = [
        "sagamart_nothing > 0",
        'sagamart_messages_total{colour="red"}',
        "sum by (colour) (sagamart_timers_armed)",
        "sum(",
    ]
    assert [bool(strangers("here", named)) for named in names_in(asked)] == [True] * len(asked)


def test_every_metric_is_in_a_rule_or_on_a_dashboard() -> None:
    expressions = [rule["expr"] for file in ("recording.yaml", "alerts.yaml") for rule in rules_of(file)]
    expressions += [expression for _, expression in asked_of_grafana()]
    used = {one.name for named in names_in(expressions) for one in named.selectors or ()}
    unused = {family.shown for family in FAMILIES if not used.intersection(_series(family))}
    assert unused == {"sagamart_audit_duration_seconds"}


def test_every_alert_has_a_page_that_says_what_to_do() -> None:
    pages = TOP / "docs" / "how-to" / "alerts"
    for rule in rules_of("alerts.yaml"):
        page = (TOP / rule["annotations"]["runbook_url"]).read_text()
        assert f"Alert `{rule['alert']}`, {rule['labels']['severity']}: `{' '.join(rule['expr'].split())}`" in page
        assert [line for line in page.splitlines() if line.startswith("## ")] == [
            "## What it means",
            "## How to look",
            "## What to do",
        ]
    told = {Path(rule["annotations"]["runbook_url"]).name for rule in rules_of("alerts.yaml")}
    assert {page.name for page in pages.glob("*.md")} == told | {"README.md"}


def test_what_a_page_says_to_type_is_there_to_be_typed() -> None:
    pages = [*sorted((TOP / "docs" / "how-to" / "alerts").glob("*.md")), TOP / "docs" / "how-to" / "observe.md"]
    settings = {one.variable for one in settings_of(ShopSettings)}
    for page in pages:
        text = page.read_text()
        for command, more in re.findall(r"(?:^    |`)sagamart ([a-z-]+)(?: ([a-z-]+))?", text, re.MULTILINE):
            assert command in app, f"{page.name}: sagamart {command}"
            if set(app[command]) - {"--help", "-h", "--version"}:
                assert more in app[command], f"{page.name}: sagamart {command} {more}"
        assert set(re.findall(r"SAGAMART_[A-Z_]*[A-Z]", text)) <= settings, page.name


def test_grafana_finds_its_dashboards_and_they_their_source() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    assert [provider["type"] for provider in _providers()] == ["file"]
    uids = [board["uid"] for board in boards()]
    assert uids == ["sagamart-bank", "sagamart-kafka", "sagamart-service", "sagamart-shop"]
    for board in boards():
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        assert len(set(places)) == len(places), board["title"]
        assert {panel["datasource"]["uid"] for panel in board["panels"]} == {source["uid"]}
        variables = {one["name"] for one in board["templating"]["list"]}
        used = {
            name
            for panel in board["panels"]
            for target in panel["targets"]
            for name in VARIABLE.findall(target["expr"])
        }
        assert used == variables


def _providers() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((GRAFANA / "provisioning/dashboards/sagamart.yaml").read_text())[
        "providers"
    ]
    return found


def test_prometheus_loads_the_rules_that_are_there() -> None:
    settings = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    assert sorted(settings["rule_files"]) == sorted(
        file.name for file in PROMETHEUS.iterdir() if file.suffix == ".yaml"
    )
    assert [job["job_name"] for job in settings["scrape_configs"]] == ["sagamart", "sagamart-audit"]
