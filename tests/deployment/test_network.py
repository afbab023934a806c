"""Who may talk to whom, worked out from the chart's network policies."""

import re
from collections.abc import Mapping
from typing import Any

import kubernetes_validate
import pytest
import yaml

from helm_chart import KUBERNETES, TOP, of_kind, pod_templates
from sagamart.platform.http.bodies import BODY_BYTES_MAX
from sagamart.shop.catalogue.sheets import IMPORT_BYTES_MAX
from sagamart.slices import SLICES
from sagamart.web.forms import SHEET_FORM_BYTES_MAX

Labels = Mapping[str, str]


def fits(selector: dict[str, Any], labels: Labels) -> bool:
    wanted = selector.get("matchLabels", {}).items()
    among = selector.get("matchExpressions", [])
    return all(labels.get(key) == value for key, value in wanted) and all(
        labels.get(one["key"]) in one["values"] for one in among
    )


def rules(values: str, pod: Labels, way: str) -> list[dict[str, Any]]:
    """The rules for what comes into a pod or goes out of it; there must be a policy that refuses all else."""
    held = [
        one["spec"]
        for one in of_kind(values, "NetworkPolicy")
        if fits(one["spec"]["podSelector"], pod) and way.capitalize() in one["spec"]["policyTypes"]
    ]
    assert held, f"nothing refuses {way} of {pod}"
    return [rule for spec in held for rule in spec.get(way, [])]


def allowed(values: str, source: str, destination: str, port: int) -> bool:
    """Whether a pod of one service can open a connection to one of another."""
    pods = {name.removeprefix("sagamart-"): one["metadata"]["labels"] for name, one in pod_templates(values).items()}

    def through(pod: Labels, other: Labels, way: str, peers: str) -> bool:
        return any(
            any("podSelector" in peer and len(peer) == 1 and fits(peer["podSelector"], other) for peer in rule[peers])
            and any(one["port"] in (port, "http") for one in rule["ports"])
            for rule in rules(values, pod, way)
        )

    return through(pods[source], pods[destination], "egress", "to") and through(
        pods[destination], pods[source], "ingress", "from"
    )


@pytest.mark.parametrize("values", ["as it is", "laptop", "production", "by http"])
def test_for_every_pod_all_is_refused_that_is_not_named(values: str) -> None:
    for one in pod_templates(values).values():
        labels = one["metadata"]["labels"]
        assert all(rule.get("from") for rule in rules(values, labels, "ingress"))
        assert all(rule.get("to") and rule.get("ports") for rule in rules(values, labels, "egress"))


def test_what_is_not_of_the_release_is_left_to_policies_of_its_own() -> None:
    text = (TOP / "docs/how-to/deploy-on-kubernetes.md").read_text()
    (told,) = re.findall(r"^```yaml\n(apiVersion: networking.k8s.io/v1\n.*?)^```", text, re.MULTILINE | re.DOTALL)
    postgres, policies = {"app": "sagamart-postgres"}, of_kind("laptop", "NetworkPolicy")

    assert [one["metadata"]["name"] for one in policies if fits(one["spec"]["podSelector"], postgres)] == []
    for_all = yaml.safe_load(told)
    kubernetes_validate.validate(for_all, KUBERNETES, strict=True)
    assert fits(for_all["spec"]["podSelector"], postgres)


@pytest.mark.parametrize("service", SLICES)
def test_the_door_reaches_every_service_and_nobody_else_does(service: str) -> None:
    assert allowed("as it is", "door", service, 8080)
    assert not allowed("as it is", "web", service, 8080)
    assert [other for other in SLICES if allowed("as it is", other, service, 8080)] == []
    asks = [other for other in SLICES if allowed("as it is", other, service, 9000)]
    assert asks == (["notifications"] if service == "accounts" else []), "messages go over Kafka"


def test_the_audit_reads_databases_and_is_asked_by_the_door_alone() -> None:
    assert allowed("as it is", "door", "audit", 8080)
    assert [other for other in (*SLICES, "web") if allowed("as it is", other, "audit", 8080)] == []
    assert [other for other in SLICES if allowed("as it is", "audit", other, 8080)] == []


@pytest.mark.parametrize("name", ["door", "web"])
def test_the_figures_of_what_everybody_reaches_are_for_the_monitoring_alone(name: str) -> None:
    labels = pod_templates("production")[f"sagamart-{name}"]["metadata"]["labels"]
    came = rules("production", labels, "ingress")
    (rule,) = [one for one in came if 9100 in {port["port"] for port in one["ports"]}]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]


def test_pages_are_made_of_what_the_door_says() -> None:
    assert allowed("as it is", "web", "door", 8080)
    assert not allowed("as it is", "orders", "door", 8080)


def test_services_that_post_messages_reach_each_other_on_the_inner_port_only() -> None:
    assert allowed("by http", "orders", "stock", 9000)
    assert not allowed("by http", "orders", "stock", 8080)
    assert not allowed("by http", "door", "stock", 9000)


def test_the_simulated_bank_is_asked_by_payments_and_tells_only_it() -> None:
    assert allowed("laptop", "payments", "bank", 8090)
    assert allowed("laptop", "bank", "payments", 8080)
    assert not allowed("laptop", "orders", "bank", 8090)
    assert not allowed("laptop", "bank", "wallet", 8080)


def test_only_who_writes_to_people_or_the_bank_reaches_the_internet_and_no_private_network() -> None:
    outside = {}
    for name, one in pod_templates("production").items():
        for rule in rules("production", one["metadata"]["labels"], "egress"):
            for peer in rule["to"]:
                if "ipBlock" in peer:
                    outside[name] = peer["ipBlock"]
    assert sorted(outside) == ["sagamart-notifications", "sagamart-payments"]
    for block in outside.values():
        assert "10.0.0.0/8" in block["except"]
        assert "169.254.0.0/16" in block["except"]


def test_both_proxies_let_through_the_largest_file_that_may_be_uploaded() -> None:
    (ingress,) = of_kind("as it is", "Ingress")
    by_ingress = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    (by_nginx,) = re.findall(r"client_max_body_size (\w+);", (TOP / "deploy/nginx/sagamart.conf").read_text())
    assert by_ingress == by_nginx == "17m"
    assert 17 * 2**20 == SHEET_FORM_BYTES_MAX > IMPORT_BYTES_MAX > BODY_BYTES_MAX


def test_metrics_and_health_are_not_shown_to_the_world() -> None:
    (ingress,) = of_kind("as it is", "Ingress")
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "arch.homework"
    paths = {one["path"]: one["backend"]["service"]["name"] for one in rule["http"]["paths"]}
    assert paths == {
        **dict.fromkeys(["/v1", "/docs", "/openapi.json", "/services", "/.well-known"], "sagamart-door"),
        "/": "sagamart-web",
    }
