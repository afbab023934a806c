"""The jars of a Kafka broker, brought in once through Maven and checked against jars.txt.

No registry is named here: Maven knows its own.  Without Maven, `MAVEN_REPOSITORY` or a mirror in Maven's settings says
where a repository is.
"""

import hashlib
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

LOCK = Path(__file__).with_name("jars.txt")
POM = Path(__file__).with_name("pom.xml")
ATTEMPTS_MAX = 4
DOWNLOADS_MAX = 8
DOWNLOAD_S_MAX = 60
PAUSE_S = 2

Say = Callable[[str], object]


class NoBrokerError(Exception):
    """No broker can be run here."""


class NoJarsError(NoBrokerError):
    """The jars cannot be brought in; the message says what to install."""


def locked() -> dict[str, str]:
    """SHA-256 by path in a Maven repository."""
    lines = [line.split() for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    return {path: digest for digest, path in lines}


def cached() -> Path:
    """Where a user's jars are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sagamart" / "kafka"


def is_fetched(jars: Path) -> bool:
    """Whether the jars of this lock are in the folder; they were checked when they came."""
    stamp = jars / ".fetched"
    return stamp.exists() and stamp.read_text() == LOCK.read_text()


def fetch(jars: Path, say: Say) -> None:
    """Bring the jars into the folder, if they are not there.  Raises NoJarsError."""
    if is_fetched(jars):
        return
    shutil.rmtree(jars, ignore_errors=True)
    jars.mkdir(parents=True, exist_ok=True)
    maven, repository = shutil.which("mvn"), maven_repository()
    if maven:
        say("Bringing in Kafka with Maven (45 jars, 44 MB) ...")
        again(partial(_resolve, maven, jars))
    elif repository:
        say("Bringing in Kafka from a Maven repository (45 jars, 44 MB) ...")
        with ThreadPoolExecutor(DOWNLOADS_MAX) as pool:
            list(pool.map(lambda path: again(partial(_download, repository, path, jars)), locked()))
    else:
        raise NoJarsError(
            "Kafka comes as jars from a Maven repository. Install Maven (Debian, Ubuntu: apt install maven), or set"
            " MAVEN_REPOSITORY to the address of a repository that has what Maven Central has."
        )
    wrong = [path for path, digest in locked().items() if digest_of(jars / Path(path).name) != digest]
    if wrong:
        raise NoJarsError(f"not what {LOCK.name} says: {', '.join(wrong)}")
    (jars / ".fetched").write_text(LOCK.read_text())


def _resolve(maven: str, jars: Path) -> None:
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
    done = subprocess.run([maven, "-q", "-B", "-f", str(POM), *goal], check=False, capture_output=True, text=True)  # noqa: S603  our own words
    if done.returncode:
        raise NoJarsError(f"Maven failed: {(done.stdout + done.stderr)[-2000:]}")


def _download(repository: str, path: str, jars: Path) -> None:
    with urllib.request.urlopen(f"{repository.rstrip('/')}/{path}", timeout=DOWNLOAD_S_MAX) as answer:  # noqa: S310  checked by its digest
        (jars / Path(path).name).write_bytes(answer.read())


def again(bring: Callable[[], None]) -> None:
    """Do it until it succeeds, ATTEMPTS_MAX times at most.  Raises NoJarsError."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return bring()
        except (OSError, NoJarsError) as error:
            if attempt == ATTEMPTS_MAX:
                raise NoJarsError(f"after {attempt} attempts: {error}") from error
            time.sleep(PAUSE_S * attempt)
    return None


def maven_repository() -> str | None:
    """Where jars can be had without Maven."""
    return os.environ.get("MAVEN_REPOSITORY") or next(_mirrors(), None)


def _mirrors() -> Iterator[str]:
    """Mirrors of Maven Central in the user's own settings."""
    settings = Path.home() / ".m2" / "settings.xml"
    if settings.exists():
        for mirror in re.findall(r"<mirror>(.*?)</mirror>", settings.read_text(), re.DOTALL):
            of, url = re.search(r"<mirrorOf>(.*?)<", mirror), re.search(r"<url>(.*?)<", mirror)
            if of and url and re.search(r"\*|central", of[1]) and "<blocked>true" not in mirror:
                yield url[1].strip()


def digest_of(jar: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(jar.read_bytes()).hexdigest() if jar.exists() else "missing"
