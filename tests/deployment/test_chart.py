"""The Helm chart: what it renders is valid, runs everything there is, and refuses what is misspelt."""

import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from helm_chart import (
    CHART,
    GOLDEN,
    KUBECTL,
    KUBERNETES,
    NAMESPACE,
    TOP,
    VALUES,
    containers,
    documents,
    helm,
    of_kind,
    pod_templates,
    rendered,
    template,
)
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES, services_of

OF_OTHERS = ("keda.sh/", "monitoring.coreos.com/", "postgresql.cnpg.io/", "kafka.strimzi.io/")
"""Groups whose schemas Kubernetes does not ship."""

OBSERVABILITY = TOP / "deploy/observability"
PROMETHEUS = OBSERVABILITY / "prometheus"
CONFIG_MAP_BYTES_MAX = 1024 * 1024
"""What the API server of Kubernetes takes in one ConfigMap."""

EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))


def named(kind: str, values: str = "as it is") -> list[str]:
    return sorted(one["metadata"]["name"] for one in of_kind(values, kind))


def mine(*services: str) -> list[str]:
    return sorted(f"sagamart-{name}" for name in services)


@pytest.mark.parametrize("values", VALUES)
def test_every_document_is_one_that_kubernetes_takes(values: str) -> None:
    for one in documents(values):
        if not one["apiVersion"].startswith(OF_OTHERS):
            kubernetes_validate.validate(one, KUBERNETES, strict=True)


@pytest.mark.parametrize("values", VALUES)
def test_no_two_documents_have_one_name(values: str) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in documents(values)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("values", ["as it is", "laptop"])
def test_the_linter_of_helm_finds_nothing(values: str) -> None:
    done = helm("lint", "--strict", str(CHART), *VALUES[values])
    assert done.returncode == 0, done.stdout


def test_a_field_that_does_not_exist_would_be_found() -> None:
    (broken, *_) = of_kind("as it is", "Deployment")
    misspelt = {**broken, "spec": {**broken["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(misspelt, KUBERNETES, strict=True)


def test_every_service_of_the_code_is_deployed_with_a_door_and_pages_before_them() -> None:
    everything = mine(*SLICES, "door", "web", "audit")
    for kind in ("Deployment", "Service", "ServiceAccount", "PodDisruptionBudget"):
        assert named(kind) == everything, kind
    assert named("Deployment", "laptop") == mine(*SLICES, "door", "web", "audit", "bank")


def test_what_a_service_does_with_money_waits_for_its_tables() -> None:
    jobs = {one["metadata"]["name"]: one for one in of_kind("laptop", "Job")}
    migrate = jobs["sagamart-migrate"]
    assert migrate["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    pod = migrate["spec"]["template"]["spec"]
    assert [one["args"] for one in pod["containers"]] == [["migrate", name] for name in sorted(SLICES)]
    assert [one["args"] for one in pod["initContainers"]] == [["provision", name] for name in [*sorted(SLICES), "bank"]]
    assert jobs["sagamart-topics"]["spec"]["template"]["spec"]["containers"][0]["args"] == ["topics", "apply"]
    assert named("Job", "by http") == ["sagamart-migrate"]


def test_who_is_busy_gets_more_replicas_by_lag_or_processor_and_then_no_fixed_number() -> None:
    assert named("ScaledObject", "production") == mine("orders", "stock", "wallet")
    assert named("HorizontalPodAutoscaler", "production") == mine("accounts", "catalogue")
    fixed = {one["metadata"]["name"] for one in of_kind("production", "Deployment") if "replicas" in one["spec"]}
    scaled = mine("orders", "stock", "wallet", "accounts", "catalogue")
    assert fixed == set(mine(*SLICES, "door", "web", "audit")) - set(scaled)


def test_a_scaler_looks_at_the_lag_of_the_service_s_own_group() -> None:
    (orders,) = [one for one in of_kind("production", "ScaledObject") if one["metadata"]["name"] == "sagamart-orders"]
    (trigger,) = orders["spec"]["triggers"]
    assert trigger["metadata"]["consumerGroup"] == ShopSettings().kafka.prefix + "orders"
    assert orders["spec"]["maxReplicaCount"] == 12, "as many as there are partitions at most"


def test_prometheus_finds_every_process_and_what_everybody_reaches_on_a_port_of_its_own() -> None:
    (monitor,) = of_kind("production", "ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    own, inner = monitor["spec"]["endpoints"]
    (relabeling,) = own["relabelings"]
    assert relabeling["sourceLabels"] == ["__meta_kubernetes_service_label_app_kubernetes_io_component"]
    assert {own["path"], inner["path"]} == {"/metrics"}

    found: dict[str, list[str]] = {"http": [], "metrics": []}
    for one in of_kind("production", "Service"):
        labels = one["metadata"]["labels"]
        ports = {port["name"] for port in one["spec"]["ports"]} if wanted <= labels.items() else set()
        if re.fullmatch(relabeling["regex"], labels["app.kubernetes.io/component"]):
            ports.discard(own["port"])
        for port in ports & {own["port"], inner["port"]}:
            found[port].append(one["metadata"]["name"])
    assert {port: sorted(names) for port, names in found.items()} == {
        "http": mine(*SLICES, "audit"),
        "metrics": mine("door", "web"),
    }


def test_a_port_for_figures_is_where_the_program_listens_for_them() -> None:
    for name in ("door", "web"):
        (service,) = [one for one in of_kind("as it is", "Service") if one["metadata"]["name"] == f"sagamart-{name}"]
        (container,) = pod_templates("as it is")[f"sagamart-{name}"]["spec"]["containers"]
        told = {one["name"]: one.get("value") for one in container["env"]}
        (port,) = [one for one in service["spec"]["ports"] if one["name"] == "metrics"]
        assert told["SAGAMART_METRICS_PORT"] == str(port["targetPort"])
        assert told["SAGAMART_METRICS_HOST"] == "0.0.0.0"  # noqa: S104  in a pod of its own


def test_what_is_scraped_has_the_job_and_the_service_that_the_rules_ask_for() -> None:
    rules = "".join((PROMETHEUS / name).read_text() for name in ("alerts.yaml", "recording.yaml"))
    asked = set(re.findall(r'job="(\w+)"', rules))
    (monitor,) = of_kind("production", "ServiceMonitor")
    label = monitor["spec"]["jobLabel"]
    assert asked == {one["metadata"]["labels"][label] for one in of_kind("production", "Service")} == {"sagamart"}
    assert "by (service)" in rules
    assert all(endpoint["honorLabels"] for endpoint in monitor["spec"]["endpoints"]), "or it would be exported_service"


def test_the_chart_brings_the_rules_and_dashboards_of_the_repository() -> None:
    rules = [PROMETHEUS / "recording.yaml", PROMETHEUS / "alerts.yaml"]
    boards = sorted((OBSERVABILITY / "grafana/dashboards").glob("*.json"))
    (brought,) = of_kind("production", "PrometheusRule")
    (shown,) = [one for one in of_kind("production", "ConfigMap") if one["metadata"]["name"] == "sagamart-dashboards"]

    groups = [group for path in rules for group in yaml.safe_load(path.read_text())["groups"]]
    assert brought["spec"] == {"groups": groups}, "make manifests"
    assert shown["data"] == {path.name: path.read_text() for path in boards}, "make manifests"
    assert shown["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert sum(map(len, shown["data"].values())) < CONFIG_MAP_BYTES_MAX
    assert (of_kind("as it is", "PrometheusRule"), named("ConfigMap")) == ([], ["sagamart-settings"])


def test_each_replica_is_told_how_many_share_the_limits() -> None:
    told = {
        name: variable["value"]
        for name, one in containers("production")
        for variable in one.get("env", ())
        if variable["name"] == "SAGAMART_HTTP_REPLICAS"
    }
    assert told["sagamart-orders/orders"] == "3", "the least, where it is scaled"
    assert (told["sagamart-payments/payments"], told["sagamart-web/web"]) == ("2", "2")
    assert len(told) == len(SLICES) + 3


@pytest.mark.parametrize(
    "wrong",
    [
        "replica=3",
        "defaults.replicas=0",
        "services.order.replicas=2",
        "services.orders.autoscaling.by=memory",
        "transport=local",
        "transport=http,style=http-events",
        "image.tag=latest",
        "image.digest=sha256:abc",
        "settings.SAGAMART_BANK_API_KEY=secret",
        "settings.CURRENCY=EUR",
        "database.secret=one-for-all",
        "kafka.bootstrapServers={kafka}",
        "bank.simulated.enabled=true,bank.url=",
        "ingress.host=not a host",
        "web.https=perhaps",
        "monitoring.rules=all",
        "audit.everyS=0",
        "readinessPath=/info",
    ],
)
def test_a_wrong_value_is_refused(wrong: str) -> None:
    done = template("--set", wrong)
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr


def test_the_manifests_for_people_without_helm_are_as_the_chart_renders_them() -> None:
    assert GOLDEN.read_text() == rendered("as it is"), "make manifests"


def test_the_manifests_are_applied_with_the_namespace_s_own_guard() -> None:
    done = subprocess.run([KUBECTL, "kustomize", GOLDEN.parent], check=True, capture_output=True, text=True)  # noqa: S603  our own words
    applied = list(yaml.safe_load_all(done.stdout))
    (namespace,) = [one for one in applied if one["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {one["metadata"].get("namespace") for one in applied if one is not namespace} == {NAMESPACE}


def test_the_chart_can_be_packed(tmp_path: Path) -> None:
    copy = shutil.copytree(CHART, tmp_path / "sagamart")
    done = helm("package", str(copy), "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [one.name for one in tmp_path.glob("*.tgz")] == ["sagamart-0.1.0.tgz"]


def test_the_examples_beside_the_chart_are_sound() -> None:
    checked = 0
    for path in EXAMPLES:
        for one in yaml.safe_load_all(path.read_text()):
            if "apiVersion" in one and not one["apiVersion"].startswith(OF_OTHERS):
                kubernetes_validate.validate(one, KUBERNETES, strict=True)
                checked += 1
    assert checked == 4


def test_each_service_may_do_with_kafka_what_it_does_and_no_more() -> None:
    services = services_of(ShopSettings())
    prefix = ShopSettings().kafka.prefix
    users = {
        one["metadata"]["name"]: {
            (acl["resource"]["type"], acl["resource"]["name"], *acl["operations"])
            for acl in one["spec"]["authorization"]["acls"]
        }
        for one in yaml.safe_load_all((CHART / "examples/strimzi.yaml").read_text())
        if one["kind"] == "KafkaUser"
    }
    for name, service in services.items():
        heard = [other for other, one in services.items() if set(one.emits) & set(service.consumes)]
        assert users[f"sagamart-{name}"] == {
            ("topic", prefix + name, "Write", "Describe"),
            ("group", prefix + name, "Read"),
            *(("topic", prefix + other, "Read", "Describe") for other in heard),
        }, name
    assert len(users) == len(services) + 1
