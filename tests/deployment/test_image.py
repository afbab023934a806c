"""The image: what its Dockerfile promises, and its steps carried out without a container engine.

The commands of its first stage run as they stand there, in a folder in place of `/build` and `/opt`; what they install
is run as another user, without a home and without anything that it may write to but one folder.
"""

import asyncio
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from fnmatch import fnmatch
from pathlib import Path

import httpx
import msgspec
import pytest

from dockerfile import TOP, environment, instructions, of
from sagamart.cluster.plan import dsn_template
from sagamart.platform.databases import service_database
from sagamart.platform.embedded import EmbeddedPostgres
from sagamart.platform.settings import settings_of
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES

ANSWER_S_MAX = 120


class Installed(msgspec.Struct, frozen=True):
    """What the image has under /opt/sagamart, and who may run it here."""

    programs: Path
    writable: Path


def as_root() -> bool:
    return os.geteuid() == 0


def python_for_everybody() -> str:
    """An interpreter that other users may run too: that of these tests may lie in somebody's home."""
    for candidate in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        home = Path(candidate).resolve()
        if home.exists() and all(folder.stat().st_mode & stat.S_IXOTH for folder in (home, *home.parents)):
            return candidate
    assert not as_root(), "no Python on this machine can be run by another user: apt install python3"
    return sys.executable


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    """Carry out the first stage."""
    place = Path(tempfile.mkdtemp(prefix="sagamart-image-"))
    place.chmod(0o755)
    try:
        yield built(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def built(place: Path) -> Installed:
    build, base = place / "build", place / "base"
    build.mkdir()
    python = python_for_everybody()
    run([str(TOP / "scripts/uv"), "venv", "--quiet", "--seed", "--python", python, str(base)])
    # The image has one Python only; here it has to be said which.
    told = {**environment("build"), "UV_PYTHON": python}
    path = f"{base / 'bin'}:{os.environ['PATH']}"
    for one in of("build", "COPY", "RUN"):
        if one.name == "RUN":
            command = one.text.replace("/opt/", f"{place}/opt/")
            run(["sh", "-euc", command], cwd=build, env={**os.environ, **told, "PATH": path, "VIRTUAL_ENV": str(base)})
            continue
        *sources, target = one.words
        for source in sources:
            copied(TOP / source, build / target / Path(source).name if target.endswith("/") else build / target)
    writable = place / "tmp"
    writable.mkdir()
    writable.chmod(0o777)
    return Installed(place / "opt/sagamart/bin", writable)


def copied(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def run(command: list[str], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, check=False, cwd=cwd, env=env, capture_output=True, text=True)  # noqa: S603  our own words
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def of_the_image(installed: Installed, **more: str) -> dict[str, str]:
    """The environment in the image, without HOME, and with nothing of this machine."""
    told = {name: value.replace("/tmp", str(installed.writable)) for name, value in environment("run").items()}  # noqa: S108  as the image has it
    return {**told, "PATH": f"{installed.programs}:/usr/bin:/bin", "TMPDIR": str(installed.writable), **more}


async def said(installed: Installed, *words: str, uid: int, **more: str) -> str:
    """What a command of the image says; it has to end well."""
    async with started(installed, *words, uid=uid, **more) as process:
        async with asyncio.timeout(ANSWER_S_MAX):
            out, _ = await process.communicate()
        assert process.returncode == 0, f"{' '.join(words)}: {out.decode()}"
        return out.decode()


@asynccontextmanager
async def started(
    installed: Installed, *words: str, uid: int, **more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command of the image, as a user with no rights and in a folder that it cannot write to."""
    user = {"user": uid, "group": uid, "extra_groups": []} if as_root() else {}
    process = await asyncio.create_subprocess_exec(
        str(installed.programs / words[0]),
        *words[1:],
        cwd="/",
        env=of_the_image(installed, **more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        **user,  # type: ignore[arg-type]  # three of many keywords
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(ANSWER_S_MAX):
                await process.communicate()


NOBODY = 65_534


async def test_a_stranger_without_a_home_can_run_what_the_image_has(installed: Installed) -> None:
    assert "The order engine of an online store" in await said(installed, "sagamart", "--help", uid=NOBODY)
    assert "A bank to try payments with" in await said(installed, "sagamart-bank", "--help", uid=NOBODY)
    assert "SAGAMART_KAFKA_BOOTSTRAP_SERVERS" in await said(installed, "sagamart", "settings", "--markdown", uid=NOBODY)


async def parts(installed: Installed) -> dict[str, str]:
    """What is installed: version by name, the name as indexes write it."""
    listing = "import importlib.metadata as m; print(*(f'{d.name}={d.version}' for d in m.distributions()))"
    there = await said(installed, "python", "-c", listing, uid=NOBODY)
    pairs = [part.split("=") for part in there.split()]
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pairs}


async def test_everything_in_it_is_in_the_list_of_its_parts(installed: Installed, tmp_path: Path) -> None:
    run(["make", "--silent", "sbom", f"SBOM={tmp_path / 'parts.json'}"], cwd=TOP)

    listed = msgspec.json.decode((tmp_path / "parts.json").read_bytes())

    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.5")
    about = listed["metadata"]["component"]
    named = {one["name"]: one["version"] for one in (about, *listed["components"])}
    there = await parts(installed)
    assert {name: version for name, version in there.items() if named.get(name) != version} == {}
    assert about["name"] == "sagamart"
    for one in listed["components"]:
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}"
        hashes = [two["alg"] for file in one["externalReferences"] for two in file.get("hashes", ())]
        assert set(hashes) == {"SHA-256"}, one["name"]


async def test_the_tools_of_its_builders_are_not_in_it(installed: Installed) -> None:
    names = set(await parts(installed))
    assert {"sagamart", "asyncpg", "confluent-kafka"} <= names
    assert names & {"pytest", "mypy", "ruff", "mkdocs", "locust", "pip", "uv", "hypothesis"} == set()
    assert not list((installed.programs.parent / "lib").glob("**/site-packages/tests"))


async def test_a_service_and_the_door_run_from_it_over_a_database_that_it_made(installed: Installed) -> None:
    place = Path(tempfile.mkdtemp(prefix="sagamart-test-"))
    try:
        async with EmbeddedPostgres(place, settings={"fsync": "off"}) as postgres:
            await opened(installed, postgres)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def owner_of(postgres: EmbeddedPostgres) -> int:
    """The account that PostgreSQL runs as, who alone may open its socket."""
    return Path(f"/proc/{postgres.pid}").stat().st_uid


async def opened(installed: Installed, postgres: EmbeddedPostgres) -> None:
    uid = owner_of(postgres)
    owner = service_database(postgres.dsn(), "service").owner_dsn.replace("sagamart_service", "sagamart_{service}")
    databases = {
        "SAGAMART_DATABASE_ADMIN_DSN": postgres.dsn(),
        "SAGAMART_DATABASE_OWNER_DSN": owner,
        "SAGAMART_DATABASE_DSN": dsn_template(postgres.dsn()),
    }
    keys, tokens = installed.writable / "service-keys", installed.writable / "token-keys"
    assert "its database and roles are there" in await said(
        installed, "sagamart", "provision", "catalogue", uid=uid, **databases
    )
    assert "catalogue: " in await said(installed, "sagamart", "migrate", "catalogue", uid=uid, **databases)
    await said(installed, "sagamart", "service-keys", str(keys), uid=uid)
    assert str(tokens / "jwks.json") in await said(installed, "sagamart", "token-keys", str(tokens), uid=uid)
    shared = {"SAGAMART_TOKENS_JWKS": str(tokens / "jwks.json"), "SAGAMART_HTTP_PORT": "0"}
    serving = {
        **shared,
        "SAGAMART_DATABASE_DSN": databases["SAGAMART_DATABASE_DSN"],
        "SAGAMART_TRANSPORT": "http",
        "SAGAMART_INTERNAL_PORT": "0",
        "SAGAMART_INTERNAL_KEYS": str(keys),
    }
    async with started(installed, "sagamart", "serve", "catalogue", uid=uid, **serving) as service:
        behind = await port_of(service)
        places = f"http://127.0.0.1:1/{{service}},catalogue=http://127.0.0.1:{behind}"
        async with started(installed, "sagamart", "door", uid=uid, **shared, SAGAMART_DOOR_DESTINATIONS=places) as door:
            front = await port_of(door)
            async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_S_MAX) as http:
                assert (await http.get(f"http://127.0.0.1:{behind}/readyz")).status_code == 200
                assert (await http.get(f"http://127.0.0.1:{front}/v1/products")).status_code == 200
                assert (await http.get(f"http://127.0.0.1:{front}/v1/orders")).status_code == 503, "nobody is there"
            for process in (door, service):
                process.terminate()
                async with asyncio.timeout(ANSWER_S_MAX):
                    await process.communicate()
                assert process.returncode == 0, "a polite stop ends well"


async def port_of(process: asyncio.subprocess.Process) -> int:
    """Where it says that it listens.  Fails with all that it said, if it ends before."""
    assert process.stdout is not None
    said_so_far = ""
    async with asyncio.timeout(ANSWER_S_MAX):
        while line := (await process.stdout.readline()).decode():
            said_so_far += line
            if place := re.search(r" at http://0\.0\.0\.0:(\d+)$", line.strip()):
                return int(place[1])
    raise AssertionError(said_so_far)


def test_the_linter_of_dockerfiles_finds_nothing() -> None:
    done = subprocess.run(  # noqa: S603  our own words
        [Path(sys.executable).parent / "hadolint", "--failure-threshold", "style", "--no-color", TOP / "Dockerfile"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_base_is_named_by_version_and_may_be_held_by_digest() -> None:
    (image, digest) = [one.text for one in instructions() if one.stage == "" and one.name == "ARG"]
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.\d+\.\d+-slim-\w+", image)
    assert digest == 'PYTHON_DIGEST=""'
    for one in instructions():
        if one.name == "FROM":
            assert one.text.startswith("${PYTHON_IMAGE}${PYTHON_DIGEST:+@${PYTHON_DIGEST}} AS ")


def test_it_runs_as_nobody_in_particular_and_writes_to_one_folder() -> None:
    assert [one.text for one in of("run", "USER")] == ["10001:10001"]
    assert [one.text for one in of("run", "VOLUME")] == []
    told = environment("run")
    assert {told["SAGAMART_DATA"], told["BANK_DATA"]} == {"/tmp/sagamart", "/tmp/sagamart-bank"}  # noqa: S108  the only place
    assert told["PYTHONDONTWRITEBYTECODE"] == "1"


def test_what_it_sets_are_settings() -> None:
    known = {one.variable for one in settings_of(ShopSettings)}
    assert {name for name in environment("run") if name.startswith("SAGAMART_")} <= known


def test_it_says_what_it_is() -> None:
    (label,) = of("run", "LABEL")
    names = {word.partition("=")[0].removeprefix("org.opencontainers.image.") for word in label.words}
    assert names == {"title", "description", "licenses", "version", "revision", "created"}


def test_only_what_it_is_made_of_reaches_the_builder() -> None:
    lines = [line for line in (TOP / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied_in = {word.rstrip("/") for one in of("build", "COPY") for word in one.words[:-1]}
    assert let_in == copied_in
    assert not any(fnmatch(".env", pattern) for pattern in let_in)


def baked() -> dict[str, str]:
    """The targets of docker-bake.hcl by name, each as the text between its braces."""
    bake = (TOP / "docker-bake.hcl").read_text()
    return dict(re.findall(r'^target "(\w+)" \{\n(.*?)^\}', bake, re.DOTALL | re.MULTILINE))


def test_each_service_has_an_image_that_differs_in_name_and_labels_alone() -> None:
    bake = (TOP / "docker-bake.hcl").read_text()
    (listed,) = re.findall(r"variable \"SERVICES\" \{\s*default = \[(.*?)\]", bake, re.DOTALL)
    assert set(re.findall(r'"(\w+)"', listed)) == {*SLICES, "door", "web", "bank"}

    targets = baked()

    assert re.search(r'group "default" \{ targets = \["sagamart", "services"\] \}', bake)
    assert list(targets) == ["sagamart", "services"]
    attributes = dict(re.findall(r"^  (\w+) += (.+)$", targets["services"], re.MULTILINE))
    assert attributes == {
        "name": '"sagamart-${service}"',
        "matrix": "{ service = SERVICES }",
        "inherits": '["sagamart"]',
        "tags": '[named("sagamart-${service}")]',
        "labels": "{",
    }
    labels = dict(re.findall(r'^    "org\.opencontainers\.image\.(\w+)" += "(.+)"$', targets["services"], re.MULTILINE))
    assert labels["title"] == "sagamart-${service}"
    (own,) = of("run", "LABEL")
    assert set(labels) == {"title", "description"}
    assert all(f"org.opencontainers.image.{name}=" in own.text for name in labels), "it replaces the image's"
