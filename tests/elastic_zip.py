"""A real Elasticsearch, brought in once through Maven.  `python tests/elastic_zip.py fetch`.

It is the distribution that Elasticsearch's own plugins are tested with: the server without its commercial parts,
without lifecycles, scripts and ingest processors.  It runs on Java 17 or newer, which is not in it.
"""

import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kafka_broker import TOP
from sagamart.platform.broker.jars import NoJarsError, again, digest_of, maven_repository

VERSION = "8.19.21"
GROUP = "org.elasticsearch.distribution.integ-test-zip"
SHA256 = "215d5f3dbf0609a149f6218a9e47b6ae2df34ebbff3c5754e35f15a5e5393c8a"
ZIP = TOP / ".elastic" / f"elasticsearch-{VERSION}.zip"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:2.8"
DOWNLOAD_S_MAX = 300


def is_fetched() -> bool:
    """Whether it is here; it was checked when it came."""
    return ZIP.is_file()


def fetch(say: Callable[[str], object]) -> None:
    """Bring it in, if it is not here.  Raises NoJarsError."""
    if is_fetched():
        return
    arriving = ZIP.parent / "arriving" / ZIP.name
    arriving.parent.mkdir(parents=True, exist_ok=True)
    maven, repository = shutil.which("mvn"), maven_repository()
    if maven is None and repository is None:
        raise NoJarsError(
            "Elasticsearch comes from a Maven repository. Install Maven (Debian, Ubuntu: apt install maven), or set"
            " MAVEN_REPOSITORY to the address of a repository that has what Maven Central has."
        )
    say("Bringing in Elasticsearch for the tests (107 MB) ...")
    if maven is not None:
        again(partial(_copy, maven, arriving.parent))
    else:
        again(partial(_download, str(repository), arriving))
    if digest_of(arriving) != SHA256:
        raise NoJarsError(f"{arriving} is not the file that was expected: SHA-256 {digest_of(arriving)}")
    arriving.rename(ZIP)


def _copy(maven: str, folder: Path) -> None:
    goal = [f"{PLUGIN}:copy", f"-Dartifact={GROUP}:elasticsearch:{VERSION}:zip", f"-DoutputDirectory={folder}"]
    done = subprocess.run([maven, "-q", "-B", *goal], check=False, capture_output=True, text=True)  # noqa: S603  our own words
    if done.returncode:
        raise NoJarsError(f"Maven failed: {(done.stdout + done.stderr)[-2000:]}")


def _download(repository: str, place: Path) -> None:
    path = f"{GROUP.replace('.', '/')}/elasticsearch/{VERSION}/elasticsearch-{VERSION}.zip"
    with urllib.request.urlopen(f"{repository.rstrip('/')}/{path}", timeout=DOWNLOAD_S_MAX) as answer:  # noqa: S310  checked by its digest
        place.write_bytes(answer.read())


if __name__ == "__main__":
    if sys.argv[1:] != ["fetch"]:
        sys.exit("usage: scripts/elastic fetch")
    try:
        fetch(lambda text: sys.stderr.write(f"{text}\n"))
    except NoJarsError as error:
        sys.exit(f"scripts/elastic: {error}")
