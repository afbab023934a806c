"""Every pod of the chart: what it may do, how it is watched and stopped, and what it is told."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from helm_chart import CHART, VALUES, containers, of_kind, pod_templates
from sagamart.bank.cli import app as bank_command
from sagamart.platform.http.operations import operations_routes
from sagamart.platform.http.server import STOP_WAIT_S
from sagamart.platform.metrics import Metrics
from sagamart.platform.settings import settings_of
from sagamart.settings import ShopSettings

FORESEEN = {"SAGAMART_WEB_API_URL", "SAGAMART_WEB_HTTPS"}
"""Of the pages for people, which come with a service of their own."""

KNOWN = {one.variable for one in settings_of(ShopSettings)} | FORESEEN
SECRET = {one.variable for one in settings_of(ShopSettings) if one.secret}


@pytest.mark.parametrize("values", VALUES)
def test_every_pod_keeps_to_the_restricted_profile(values: str) -> None:
    for name, template in pod_templates(values).items():
        assert restricted(template["spec"]) == [], name


def test_what_the_laptop_needs_beside_the_shop_keeps_to_it_too() -> None:
    for one in yaml.safe_load_all((CHART / "examples/laptop.yaml").read_text()):
        if one["kind"] == "StatefulSet":
            findings = restricted(one["spec"]["template"]["spec"])
            # The image of Kafka writes its configuration into itself.
            assert [two for two in findings if two != "kafka: can write to its image"] == [], one["metadata"]["name"]


def test_a_pod_that_does_not_keep_to_it_would_be_found() -> None:
    loose: dict[str, Any] = {"containers": [{"name": "one"}], "volumes": [{"name": "host", "hostPath": {"path": "/"}}]}
    assert len(restricted(loose)) == 8


def restricted(spec: dict[str, Any]) -> list[str]:
    """What in a pod's spec the Pod Security Standard `restricted` refuses, and what this house asks beyond it."""
    pod = spec.get("securityContext", {})
    found = [f"shares {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    if pod.get("runAsNonRoot") is not True or pod.get("runAsUser", 0) == 0:
        found.append("may run as root")
    if pod.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        found.append("no seccomp profile")
    if spec.get("automountServiceAccountToken") is not False:
        found.append("gets a token of the cluster")
    allowed = {"name", "emptyDir", "secret", "configMap", "projected"}
    found += [f"volume {one['name']}" for one in spec.get("volumes", ()) if not set(one) <= allowed]
    for one in (*spec.get("initContainers", ()), *spec["containers"]):
        own = one.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False:
            found.append(f"{one['name']}: may gain rights")
        if own.get("capabilities") != {"drop": ["ALL"]}:
            found.append(f"{one['name']}: keeps capabilities")
        if own.get("readOnlyRootFilesystem") is not True:
            found.append(f"{one['name']}: can write to its image")
        if "memory" not in one.get("resources", {}).get("limits", {}):
            found.append(f"{one['name']}: no limit of memory")
        found += [f"{one['name']}: {key}" for key in ("privileged", "procMount") if key in own]
    return found


@pytest.mark.parametrize("values", VALUES)
def test_no_pod_hears_of_services_in_its_environment(values: str) -> None:
    # A Service sagamart-orders would make SAGAMART_ORDERS_PORT of it, which is no setting: the start would end.
    assert {name for name, one in pod_templates(values).items() if one["spec"]["enableServiceLinks"]} == set()


@pytest.mark.parametrize("values", VALUES)
def test_every_variable_is_a_setting_that_is_documented(values: str) -> None:
    shared = {key for one in of_kind(values, "ConfigMap") for key in one["data"]}
    told = {variable["name"] for _, one in containers(values) for variable in one.get("env", ())}
    ours = {name for name in shared | told if name.startswith("SAGAMART_")}
    assert ours - KNOWN == set()
    assert ours & SECRET


@pytest.mark.parametrize("values", VALUES)
def test_secrets_are_referred_to_and_never_written_down(values: str) -> None:
    assert of_kind(values, "Secret") == []
    for name, one in containers(values):
        for variable in one.get("env", ()):
            is_secret = variable["name"] in SECRET or re.search(r"_(KEY|SECRET|PASSWORD|DSN)$", variable["name"])
            assert not is_secret or "secretKeyRef" in variable["valueFrom"], (name, variable)


def test_what_a_laptop_refers_to_is_made_by_the_script(tmp_path: Path) -> None:
    made: dict[tuple[str, str], set[str]] = {}
    for one in secrets_maker().documents("sagamart-postgres", tmp_path):
        made[one["kind"], one["metadata"]["name"]] = set(one.get("stringData") or one["data"])
    wanted = {
        ("Secret", variable["valueFrom"]["secretKeyRef"]["name"], variable["valueFrom"]["secretKeyRef"]["key"])
        for _, container in containers("laptop")
        for variable in container.get("env", ())
        if "secretKeyRef" in variable.get("valueFrom", {})
    }
    mounted = {(kind, name) for template in pod_templates("laptop").values() for kind, name in mounts(template)}
    assert {(kind, name) for kind, name, key in wanted if key not in made.get((kind, name), ())} == set()
    assert mounted - set(made) == set()
    assert len(wanted) > 30
    assert len(mounted) > 12


def mounts(template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Secrets and ConfigMaps that a pod mounts."""
    for volume in template["spec"].get("volumes", ()):
        for source in (volume, *volume.get("projected", {}).get("sources", ())):
            if "secret" in source:
                yield "Secret", source["secret"].get("secretName") or source["secret"]["name"]
            if "configMap" in source:
                yield "ConfigMap", source["configMap"]["name"]


def secrets_maker() -> ModuleType:
    """The program that makes them."""
    spec = importlib.util.spec_from_file_location("kubernetes_secrets", CHART.parent / "kubernetes_secrets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_accounts_can_sign_access_tokens() -> None:
    for name, template in pod_templates("as it is").items():
        volumes = json.dumps(template["spec"].get("volumes", []))
        assert ("sagamart-token-keys" in volumes) == (name == "sagamart-accounts"), name


def test_each_service_has_its_own_key_and_its_own_database_only() -> None:
    for name, template in pod_templates("production").items():
        service = name.removeprefix("sagamart-")
        if service in ("migrate", "audit", "topics"):
            continue
        secrets = re.findall(r"sagamart-(\w+)-(?:database|service-key|kafka)\b", json.dumps(template["spec"]))
        assert set(secrets) <= {service, "kafka"}, name


def test_probes_ask_what_the_program_answers() -> None:
    answered = {path for one in operations_routes(lambda: None, {}, Metrics()) for path in one.paths}  # type: ignore[arg-type,return-value]  # never asked
    for one in of_kind("laptop", "Deployment"):
        (container,) = one["spec"]["template"]["spec"]["containers"]
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[kind]["httpGet"]["path"] in answered
            assert container[kind]["httpGet"]["port"] == "http"
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz", "a restart mends no database"
        ready = "/healthz" if container["name"] == "door" else "/readyz"
        assert container["readinessProbe"]["httpGet"]["path"] == ready, "a door is open while one service is away"


def test_the_simulated_bank_knows_the_hosts_of_the_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    (bank,) = [one for name, one in containers("laptop") if name == "sagamart-bank/bank"]
    for variable in bank["env"]:
        monkeypatch.setenv(variable["name"], variable.get("value", "a-secret"))

    _, bound, _ = bank_command.parse_args([], exit_on_error=False)

    assert bound.arguments["hosts"] == ("sagamart-payments", "arch.homework")
    assert bound.arguments["port"] == 8090


def test_everybody_listens_where_its_service_and_its_probes_look() -> None:
    ports = {one["metadata"]["name"]: one["spec"]["ports"] for one in of_kind("by http", "Service")}
    for one in (*of_kind("by http", "Deployment"), *of_kind("laptop", "Deployment")):
        name = one["metadata"]["name"]
        (container,) = one["spec"]["template"]["spec"]["containers"]
        told = {variable["name"]: variable.get("value") for variable in container["env"]}
        listens = told.get("SAGAMART_HTTP_PORT") or told["BANK_PORT"]
        assert [str(port["containerPort"]) for port in container["ports"] if port["name"] == "http"] == [listens]
        if name in ports:
            assert ports[name][0] == {"name": "http", "port": int(listens), "targetPort": "http"}
            if "SAGAMART_INTERNAL_PORT" in told:
                assert str(ports[name][1]["targetPort"]) == told["SAGAMART_INTERNAL_PORT"]


def test_a_pod_has_left_the_endpoints_before_it_stops_and_has_time_to_finish() -> None:
    for name, template in pod_templates("as it is").items():
        if name in ("sagamart-migrate", "sagamart-topics"):
            continue
        (container,) = template["spec"]["containers"]
        pause_s = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pause_s >= 1
        assert template["spec"]["terminationGracePeriodSeconds"] > pause_s + 5 * STOP_WAIT_S, name


def test_replicas_of_one_service_are_spread_over_machines_and_zones() -> None:
    for one in of_kind("as it is", "Deployment"):
        spread = one["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert [two["topologyKey"] for two in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
        assert all(two["labelSelector"] == one["spec"]["selector"] for two in spread)
