"""The chart as Helm renders it, for tests: rendered once for each set of values."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).parents[1]
CHART = TOP / "deploy/helm/sagamart"
HELM = TOP / ".helm/helm"
KUBECTL = TOP / ".helm/kubectl"
GOLDEN = TOP / "deploy/manifests/sagamart.yaml"
NAMESPACE = "sagamart"
KUBERNETES = "1.37"
"""Whose schemas everything is validated with."""

VALUES: Mapping[str, Sequence[str]] = {
    "as it is": (),
    "laptop": ("-f", str(CHART / "values-laptop.yaml")),
    "production": ("-f", str(CHART / "examples/production.yaml")),
    "by http": ("--set", "transport=http,style=http"),
    "thin events": ("--set", "style=http-events,web.enabled=false,networkPolicy.enabled=false"),
}
"""The sets of values that everything is tried with."""

Document = dict[str, Any]


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Helm.  Fails with what to do where it has not been brought in."""
    assert HELM.exists(), "Helm is not here: `scripts/helm fetch` brings it in, as `make test` does"
    return subprocess.run([HELM, *arguments], check=False, capture_output=True, text=True)  # noqa: S603  our own words


def template(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Render the chart."""
    return helm("template", "sagamart", str(CHART), "--namespace", NAMESPACE, *arguments)


@cache
def rendered(values: str) -> str:
    """What Helm makes of one of VALUES."""
    done = template(*VALUES[values])
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def documents(values: str) -> tuple[Document, ...]:
    """The same as documents."""
    return tuple(parsed(rendered(values)))


def parsed(text: str) -> Iterator[Document]:
    """The documents of a YAML text; empty ones are left out."""
    return (one for one in yaml.safe_load_all(text) if one)


def of_kind(values: str, *kinds: str) -> list[Document]:
    """Documents of these kinds."""
    return [one for one in documents(values) if one["kind"] in kinds]


def pod_templates(values: str) -> dict[str, Document]:
    """Every pod that would run: template by the name of what makes it."""
    found = {}
    for one in of_kind(values, "Deployment", "Job", "CronJob"):
        spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"]
        found[one["metadata"]["name"]] = spec["template"]
    return found


def containers(values: str) -> Iterator[tuple[str, Document]]:
    """Every container that would run, with `pod/container` as its name."""
    for name, template_ in pod_templates(values).items():
        spec = template_["spec"]
        for one in (*spec.get("initContainers", ()), *spec["containers"]):
            yield f"{name}/{one['name']}", one
