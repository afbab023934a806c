"""The compose file: every service is there, guarded, told what there is to be told, and given only its own keys."""

import hashlib
import importlib.util
import json
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

import elastic_zip
from dockerfile import TOP
from sagamart.platform.databases import service_database
from sagamart.platform.internal.service_tokens import load_service_keys
from sagamart.platform.keys import tokens_from_files
from sagamart.platform.settings import load, settings_of
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES

SCHEMA = Path(__file__).parent / "vendor/compose-spec.json"
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+):(?P<how>[-+])(?P<word>[^${}]*)\}")
FORESEEN = {"SAGAMART_WEB_API_URL", "SAGAMART_WEB_HTTPS", "SAGAMART_TRACES_ENDPOINT"}
"""Of the pages for people and of traces, each of which comes with a slice of its own."""

OBSERVABILITY = "deploy/observability"

KNOWN = {one.variable for one in settings_of(ShopSettings)} | {"SAGAMART_CONFIG"} | FORESEEN
OURS = (*SLICES, "door", "web", "audit", "bank", "prepare")


def filled(**told: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The file as Compose reads it where these variables are set, and the default of each that it asks for."""
    asked: dict[str, str] = {}

    def value(one: re.Match[str]) -> str:
        name, known = one["name"], told.get(one["name"], "")
        if one["how"] == "+":
            asked.setdefault(name, "")
            return one["word"] if known else ""
        asked[name] = one["word"]
        return known or one["word"]

    def fill(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: fill(one) for key, one in node.items()}
        if isinstance(node, list):
            return [fill(one) for one in node]
        while isinstance(node, str) and VARIABLE.search(node):  # from the innermost outwards
            node = VARIABLE.sub(value, node)
        assert re.search(r"(?<!\$)\$\{", str(node)) is None, f"a variable without a default: {node}"
        return node

    return fill(yaml.safe_load((TOP / "compose.yaml").read_text())), asked


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file, with the defaults of its variables."""
    return filled()[0]


def test_it_is_as_the_specification_of_compose_has_it(compose: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.validate(compose, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**compose, "services": {"orders": {"imagee": "sagamart"}}}, schema)


def test_the_specification_is_the_one_that_was_taken_over() -> None:
    (named,) = tomllib.loads((SCHEMA.parent / "manifest.toml").read_text())["file"]
    assert named["sha256"] == hashlib.sha256(SCHEMA.read_bytes()).hexdigest()


def test_every_service_of_the_code_is_there(compose: dict[str, Any]) -> None:
    alone = {name for name, one in compose["services"].items() if "profiles" not in one}
    assert alone == {*OURS, "postgres", "kafka", "mail"}
    for name in (*SLICES, "web"):
        assert compose["services"][name]["command"] == ["serve", name]
    others = {name: one["profiles"] for name, one in compose["services"].items() if name not in alone}
    assert others == {name: ["observability"] for name in set(compose["services"]) - alone}


def test_every_image_of_others_is_held_to_a_version(compose: dict[str, Any]) -> None:
    for name, one in compose["services"].items():
        assert re.search(r":v?\d+\.\d+", one["image"]), name


def test_every_variable_is_a_setting_that_is_documented(compose: dict[str, Any]) -> None:
    told = {key for name in OURS for key in compose["services"][name].get("environment", {})}
    assert {key for key in told if key.startswith("SAGAMART_")} - KNOWN == set()


def test_no_variable_needs_a_value_that_nobody_gave() -> None:
    example = dict(
        line.split("=", 1) for line in (TOP / ".env.example").read_text().splitlines() if line and line[0] != "#"
    )
    assert filled()[1] == example


def test_traces_are_sent_where_somebody_takes_them() -> None:
    def endpoint(**told: str) -> str:
        found: str = filled(**told)[0]["services"]["orders"]["environment"]["SAGAMART_TRACES_ENDPOINT"]
        return found

    of_the_profile = "http://traces:4318/v1/traces"
    assert endpoint() == ""
    assert endpoint(COMPOSE_PROFILES="observability") == of_the_profile
    assert endpoint(TRACES_ENDPOINT="http://mine:4318/v1/traces") == "http://mine:4318/v1/traces"
    services = filled()[0]["services"]
    assert services[urlsplit(of_the_profile).hostname]["profiles"] == ["observability"]


def test_logs_go_to_the_elasticsearch_that_the_tests_know(compose: dict[str, Any]) -> None:
    images = [one["image"] for one in compose["services"].values() if one["image"].startswith("docker.elastic.co/")]
    assert {image.rpartition(":")[2] for image in images} == {elastic_zip.VERSION}
    assert len(images) == 4


def test_what_sets_up_and_ends_is_waited_for_by_somebody(compose: dict[str, Any]) -> None:
    # Or `docker compose up --wait` takes its end for a failure.
    waited_for = {
        name
        for one in compose["services"].values()
        for name, how in (one["depends_on"].items() if isinstance(one.get("depends_on"), dict) else ())
        if how["condition"] == "service_completed_successfully"
    }
    ends = {name for name, one in compose["services"].items() if one["restart"].startswith("on-failure")}
    assert ends == waited_for == {"prepare", "logs-setup", "kibana-setup"}


def test_kibana_is_given_the_objects_that_the_tests_look_at(compose: dict[str, Any]) -> None:
    one = compose["services"]["kibana-setup"]
    (script,), (mounted,) = one["command"], one["volumes"]
    kept, inside, _ = mounted.split(":")
    (file,) = re.findall(rf"file=@{inside}/(\S+)", script)
    assert (TOP / kept / file).samefile(TOP / OBSERVABILITY / "kibana/sagamart.ndjson")
    assert "http://kibana:5601/api/saved_objects/_import?overwrite=true" in script


def test_every_address_that_is_open_to_this_machine_is_told(compose: dict[str, Any]) -> None:
    told = set(re.findall(r"<http://localhost:(\d+)", (TOP / "docs/how-to/run-with-compose.md").read_text()))
    published = {port.split(":")[1] for one in compose["services"].values() for port in one.get("ports", ())}
    assert told == published


@pytest.mark.parametrize("name", OURS)
def test_a_program_of_ours_cannot_write_to_its_image_nor_gain_rights(compose: dict[str, Any], name: str) -> None:
    one = compose["services"][name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert "cap_add" not in one
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["tmpfs"] == ["/tmp:mode=1777,size=64m"]  # noqa: S108  the container's own
    assert one["mem_limit"]
    assert "user" not in one, "the image's own is nobody in particular"


def test_what_is_open_to_this_machine_is_not_open_to_others(compose: dict[str, Any]) -> None:
    published = [port for one in compose["services"].values() for port in one.get("ports", ())]
    assert len(published) >= 4
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_every_service_is_scraped(compose: dict[str, Any]) -> None:
    scraped = yaml.safe_load((TOP / "deploy/compose/prometheus.yml").read_text())["scrape_configs"]
    assert scraped[0]["job_name"] == "sagamart", "the rules ask for it"
    own, inner = scraped[0]["dns_sd_configs"]
    assert (set(own["names"]), own["port"]) == ({*SLICES, "audit"}, 8080)
    assert set(inner["names"]) == {"door", "web"}
    for name in inner["names"]:
        told = compose["services"][name]["environment"]
        assert (told["SAGAMART_METRICS_HOST"], told["SAGAMART_METRICS_PORT"]) == ("0.0.0.0", str(inner["port"]))  # noqa: S104  in its own network
        assert not any(str(inner["port"]) in port for port in compose["services"][name]["ports"])
    assert scraped[1]["static_configs"] == [{"targets": ["bank:8090"]}]
    assert "bank" in compose["services"]


def test_everybody_waits_for_the_tables_and_prepares_them_once(compose: dict[str, Any]) -> None:
    for name in (*SLICES, "audit", "bank"):
        assert compose["services"][name]["depends_on"] == {"prepare": {"condition": "service_completed_successfully"}}
    (script,) = compose["services"]["prepare"]["command"]
    (listed,) = re.findall(r"for service in (.*); do", script)
    assert set(listed.split()) == set(SLICES)


def secrets_maker() -> ModuleType:
    """The program beside the file."""
    spec = importlib.util.spec_from_file_location("make_secrets", TOP / "deploy/compose/make_secrets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `scripts/compose-secrets` makes."""
    place = tmp_path_factory.mktemp("compose") / "secrets"
    secrets_maker().make(place)
    return place


def test_every_file_that_is_mounted_is_in_the_repository_or_made(compose: dict[str, Any], secrets: Path) -> None:
    places = [volume for one in compose["services"].values() for volume in one.get("volumes", ())]
    places += [one["file"] for one in compose["secrets"].values()]
    places += [file for one in compose["services"].values() for file in one.get("env_file", ())]
    for place in places:
        path = place.split(":")[0].removeprefix("./")
        if path.startswith("deploy/compose/secrets"):
            assert (secrets / path.removeprefix("deploy/compose/secrets/")).exists(), place
        elif path.startswith(OBSERVABILITY) and not (TOP / OBSERVABILITY).exists():
            continue
        elif "/" in path and not path.startswith("/"):
            assert (TOP / path).exists(), place


@pytest.mark.parametrize("service", SLICES)
def test_a_service_can_read_what_it_is_told_and_has_nobody_else_s_key(
    compose: dict[str, Any], secrets: Path, service: str
) -> None:
    one = compose["services"][service]
    assert one["volumes"] == [f"./deploy/compose/secrets/{service}:/run/secrets/sagamart:ro"]
    told = {key: value.replace("/run/secrets/sagamart", str(secrets / service)) for key, value in env(one).items()}

    settings = load(ShopSettings, told)

    host = service_database("postgresql://postgres@postgres:5432/postgres", service).runtime_dsn.partition("@")[2]
    assert settings.database.dsn.replace("{service}", service).partition("@")[2] == host
    assert (settings.database.owner_dsn, settings.database.admin_dsn) == ("", "")
    assert [path.stem for path in (secrets / service).rglob("service-keys/*.pem")] == [service]
    assert load_service_keys(Path(settings.internal.keys), [service], SLICES).private
    assert tokens_from_files(settings.tokens, secrets / "nowhere").jwks()["keys"]
    assert (secrets / service / "token-keys").exists() == (service == "accounts")
    assert bool(settings.bank.api_key) == (service == "payments")


def test_the_audit_is_told_the_passwords_of_all_databases_and_no_key(compose: dict[str, Any], secrets: Path) -> None:
    one = compose["services"]["audit"]
    told = {key: value.replace("/run/secrets/sagamart", str(secrets / "audit")) for key, value in env(one).items()}
    assert told.pop("PGPASSFILE") == "/tmp/pgpass"  # noqa: S108  the container's own
    assert one["command"] == ["umask 077 && cp /run/secrets/sagamart/pgpass /tmp/pgpass && exec sagamart serve audit"]

    settings = load(ShopSettings, told)

    lines = (secrets / "audit/pgpass").read_text().splitlines()
    known = {line.split(":")[2]: line.rpartition(":")[2] for line in lines}
    for service in SLICES:
        own = load(ShopSettings, {"SAGAMART_CONFIG": str(secrets / service / "sagamart.toml")}).database.dsn
        password = known[f"sagamart_{service}"]
        dsn = settings.database.dsn.replace("sagamart_{service}@", f"sagamart_{{service}}:{password}@")
        assert dsn == own
    assert tokens_from_files(settings.tokens, secrets / "nowhere").jwks()["keys"]
    assert list((secrets / "audit").rglob("*.pem")) == []


def env(service: dict[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in service["environment"].items() if key not in FORESEEN}


def test_the_shop_and_the_bank_know_each_other(secrets: Path) -> None:
    bank = dict(line.split("=", 1) for line in (secrets / "bank.env").read_text().splitlines())
    paying = load(ShopSettings, {"SAGAMART_CONFIG": str(secrets / "payments/sagamart.toml")}).bank
    assert (paying.api_key, paying.webhook_secrets) == (bank["BANK_SHOP_KEY"], (bank["BANK_WEBHOOK_SECRET"],))
    assert paying.admin_key == bank["BANK_ADMIN_KEY"]


def test_only_their_owner_sees_the_secrets_of_this_machine(secrets: Path) -> None:
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in secrets.rglob("*")} == {0o755, 0o444}
