"""What is deployed for logs can be read by those it is for, as far as that shows without them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

TOP = Path(__file__).parents[2]
DEPLOYED = TOP / "deploy" / "observability"
TOKEN = re.compile(r'\s+|#[^\n]*|(?P<token>=>|=~|!~|==|!=|[{}\[\],!()]|"(?:[^"\\]|\\.)*"|[\w.@$%:/-]+)')
PLUGINS = {
    "input": {"beats": {"port"}},
    "filter": {"mutate": {"add_field", "remove_field"}, "prune": {"whitelist_names"}},
    "output": {"elasticsearch": {"hosts", "index", "manage_template", "action"}},
}
"""The plugins of Logstash that are used, with the options of theirs that are."""


class Pipeline:
    """Logstash's language, as far as ours needs it: sections of plugins, conditions, options with values."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            assert found, f"what is this: {text[at : at + 40]!r}"
            at = found.end()
            if found["token"]:
                self._tokens.append(found["token"])

    def read(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Section, plugin, options.  Raises AssertionError where it is not well formed."""
        plugins: list[tuple[str, str, dict[str, Any]]] = []
        while self._tokens:
            section = self._take()
            assert section in PLUGINS, section
            self._expect("{")
            plugins += [(section, *one) for one in self._statements()]
        return plugins

    def _statements(self) -> list[tuple[str, dict[str, Any]]]:
        found: list[tuple[str, dict[str, Any]]] = []
        while self._tokens[0] != "}":
            name = self._take()
            if name in ("if", "else"):
                while self._tokens[0] != "{":
                    self._take()
                self._expect("{")
                found += self._statements()
            else:
                self._expect("{")
                found.append((name, self._options()))
        self._expect("}")
        return found

    def _options(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._tokens[0] != "}":
            name = self._take().strip('"')
            self._expect("=>")
            found[name] = self._value()
        self._expect("}")
        return found

    def _value(self) -> Any:
        token = self._take()
        if token == "{":
            return self._options()
        if token != "[":
            return token.strip('"')
        values = []
        while self._tokens[0] != "]":
            values.append(self._value())
            if self._tokens[0] == ",":
                self._take()
        self._expect("]")
        return values

    def _take(self) -> str:
        assert self._tokens, "it ends in the middle"
        return self._tokens.pop(0)

    def _expect(self, token: str) -> None:
        assert (taken := self._take()) == token, f"{taken} in the place of {token}"


def pipeline() -> list[tuple[str, str, dict[str, Any]]]:
    return Pipeline((DEPLOYED / "logstash" / "sagamart.conf").read_text()).read()


def test_the_pipeline_of_logstash_is_well_formed_and_uses_what_its_plugins_know() -> None:
    plugins = pipeline()

    assert [section for section, _, _ in plugins] == ["input", "filter", "filter", "filter", "output"]
    assert [(plugin, sorted(set(options) - PLUGINS[section][plugin])) for section, plugin, options in plugins] == [
        (plugin, []) for _, plugin, _ in plugins
    ]


@pytest.mark.parametrize("file", ["deploy/observability/filebeat/filebeat.yml", "deploy/compose/filebeat.yml"])
def test_filebeat_reads_lines_as_the_shop_writes_them(file: str) -> None:
    (source,) = yaml.safe_load((TOP / file).read_text())["filebeat.inputs"]

    parser = source["parsers"][-1]["ndjson"]

    assert parser["target"] == ""
    assert parser["expand_keys"], "a line has log.level with a dot"


def test_filebeat_sends_lines_to_where_logstash_listens() -> None:
    port = next(options["port"] for _, plugin, options in pipeline() if plugin == "beats")

    (alone,) = yaml.safe_load((DEPLOYED / "filebeat" / "filebeat.yml").read_text())["output.logstash"]["hosts"]
    in_compose = yaml.safe_load((TOP / "compose.yaml").read_text())["services"]["filebeat"]["environment"]["LOGSTASH"]

    assert alone.rstrip("}").rpartition(":")[2] == port
    assert in_compose == f"logstash:{port}"


def test_what_logstash_lets_through_is_what_the_index_maps() -> None:
    (names,) = [options["whitelist_names"] for _, plugin, options in pipeline() if plugin == "prune"]
    mapped = json.loads((DEPLOYED / "elastic" / "mappings.json").read_text())["template"]["mappings"]

    assert mapped["dynamic"] == "strict"
    assert {name.strip("^$") for name in names} == set(mapped["properties"])


def test_logstash_writes_into_indices_that_the_template_is_for() -> None:
    (output,) = [options for section, _, options in pipeline() if section == "output"]
    template = json.loads((DEPLOYED / "elastic" / "index-template.json").read_text())

    (pattern,) = template["index_patterns"]
    assert output["index"].startswith(pattern.rstrip("*"))
    assert template["composed_of"] == ["sagamart-logs-mappings", "sagamart-logs-lifecycle"]
    lifecycle = json.loads((DEPLOYED / "elastic" / "lifecycle.json").read_text())["template"]["settings"]
    assert lifecycle == {"index.lifecycle.name": "sagamart-logs"}
    assert "delete" in json.loads((DEPLOYED / "elastic" / "lifecycle-policy.json").read_text())["policy"]["phases"]


def test_every_object_of_kibana_that_is_referred_to_is_there() -> None:
    objects = [json.loads(line) for line in (DEPLOYED / "kibana" / "sagamart.ndjson").read_text().splitlines()]
    known = {(one["type"], one["id"]) for one in objects}

    referred = {(reference["type"], reference["id"]) for one in objects for reference in one["references"]}

    assert referred <= known
    assert len(known) == len(objects)
    assert [one["id"] for one in objects if one["type"] == "dashboard"] == [
        "sagamart-errors",
        "sagamart-order",
        "sagamart-slow",
    ]
    for one in objects:
        named = {reference["name"] for reference in one["references"]}
        panels = json.loads(one["attributes"].get("panelsJSON", "[]"))
        assert {panel["panelRefName"] for panel in panels} <= named
