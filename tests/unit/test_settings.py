"""Settings: read once, refused in words that help."""

from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta

from sagamart.platform.settings import Section, Settings, SettingsError, describe, environment_of, load


class Vault(Section, frozen=True):
    pin: Annotated[int, Meta(ge=1000, description="Opens the vault", extra={"secret": True})] = 1234


class Bank(Section, frozen=True):
    vault: Vault = Vault()


def test_without_any_setting_the_defaults_hold() -> None:
    assert load(Settings, {"PATH": "/bin"}) == Settings()


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text('node = "a"\n[http]\nport = 81\nhost = "0.0.0.0"\n')
    settings = load(
        Settings,
        {
            "SAGAMART_CONFIG": str(file),
            "SAGAMART_HTTP_PORT": "82",
            "SAGAMART_HTTP_TRUSTED_PROXIES": "10.0.0.1, 10.0.0.2",
        },
    )
    assert (settings.node, settings.http.host, settings.http.port) == ("a", "0.0.0.0", 82)  # noqa: S104  read, not bound
    assert settings.http.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert settings.http.rate_limit_burst == 400


def test_another_process_reads_the_same_settings_from_the_environment_that_is_given_to_it() -> None:
    given = {
        "SAGAMART_HTTP_PORT": "82",
        "SAGAMART_HTTP_SHARE_PORT": "true",
        "SAGAMART_HTTP_TRUSTED_PROXIES": "10.0.0.1,10.0.0.2",
    }
    settings = load(Settings, given)
    assert load(Settings, environment_of(settings)) == settings
    assert set(environment_of(settings)) == set(given)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("SAGAMART_HTTP_PORT", "many", ["SAGAMART_HTTP_PORT='many'", "expected `int`", "Port to listen on", "8080"]),
        ("SAGAMART_HTTP_PORT", "70000", ["SAGAMART_HTTP_PORT='70000'", "<= 65535"]),
        ("SAGAMART_HTTP_PROT", "80", ["SAGAMART_HTTP_PROT", "did you mean SAGAMART_HTTP_PORT?"]),
        ("SAGAMART_LOGS_LEVEL", "loud", ["SAGAMART_LOGS_LEVEL='loud'", "debug | info | warning | error"]),
        ("SAGAMART_CONFIG", "nowhere.toml", ["SAGAMART_CONFIG=nowhere.toml", "cannot be read", "TOML"]),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_given_and_what_would_be_right(
    name: str, given: str, words: list[str]
) -> None:
    with pytest.raises(SettingsError) as refused:
        load(Settings, {name: given})
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[http]\nprot = 80", "http.prot: there is no such setting; did you mean SAGAMART_HTTP_PORT?"),
        ("[http]\nport = 'many'", "SAGAMART_HTTP_PORT='many': expected `int`"),
        ("http = 80", "http: there is no such setting"),
        ("[node]\nname = 'a'", "node.name: there is no such setting"),
        ("[http", "is no TOML file"),
    ],
)
def test_a_wrong_line_of_the_file_is_refused_as_well(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load(Settings, {"SAGAMART_CONFIG": str(file)})
    assert words in str(refused.value)


def test_a_secret_is_shown_nowhere() -> None:
    with pytest.raises(SettingsError) as refused:
        load(Bank, {"SAGAMART_VAULT_PIN": "987"})
    assert "987" not in str(refused.value)
    assert "***" in str(refused.value)
    assert describe(Bank) == [("SAGAMART_VAULT_PIN", "int", "", "Opens the vault")]


def test_every_setting_has_a_meaning() -> None:
    rows = describe()
    assert ("SAGAMART_HTTP_PORT", "int", "8080", "Port to listen on; 0 takes a free one") in rows
    assert all(meaning for _, _, _, meaning in rows)
