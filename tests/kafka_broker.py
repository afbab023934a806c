"""The Kafka broker of tests and trials.  `python tests/kafka_broker.py fetch | start [PORT] | stop`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sagamart.platform.broker.embedded import GUARD, STOP_S_MAX, EmbeddedBroker, NoJavaError, free_port
from sagamart.platform.broker.jars import NoJarsError, fetch

__all__ = ["GUARD", "JARS", "TOP", "Broker", "LinedBroker", "NoJarsError", "NoJavaError", "bring", "free_port"]

TOP = Path(__file__).resolve().parent.parent
JARS = TOP / ".kafka" / "jars"
PORT = 9092
SESSION_MS = 2_000
"""A test that kills the broker does not wait long until clients see it as down."""

LINED = """\
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port},LINED://127.0.0.1:{behind_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},LINED://127.0.0.1:{line_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LINED:PLAINTEXT
"""


class Broker(EmbeddedBroker):
    """With the jars that are kept beside the project."""

    def __init__(self, folder: Path, port: int = 0, *, session_ms: int = SESSION_MS) -> None:
        super().__init__(folder, JARS, port, session_ms=session_ms)


class LinedBroker(Broker):
    """With another listener at `behind_port`, whose clients are sent to `line_port`: a line may be put between."""

    def __init__(self, folder: Path, line_port: int) -> None:
        super().__init__(folder)
        self.line_port = line_port
        self.behind_port = free_port()

    def properties(self) -> str:
        """The same, with the other listener."""
        ports = {"port": self.port, "controller_port": self.controller_port}
        return super().properties() + LINED.format(**ports, behind_port=self.behind_port, line_port=self.line_port)


def bring() -> None:
    """Bring the jars in, if they are not there.  Raises NoJarsError."""
    fetch(JARS, say)


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
            bring()
        case ["start", *port] if all(one.isdecimal() for one in port):
            bring()
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
