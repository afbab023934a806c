"""Settings: everything that differs between two installations, read once at the start and checked then.

Rules:
- A section is a struct; each field has a default, bounds and a meaning.  Settings are never looked up elsewhere.
- The environment (`SAGAMART_HTTP_PORT`) goes before the TOML file that `SAGAMART_CONFIG` names (`[http] port = …`),
  which goes before the default.
- A setting that does not exist is an error, as is one of the wrong kind: a typing mistake never means the default.
- What is marked secret is never shown, neither in an error nor in a table.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

PREFIX = "SAGAMART_"
CONFIG = "SAGAMART_CONFIG"


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings that belong together."""


class HttpSettings(Section, frozen=True):
    """The public listener."""

    host: Annotated[str, Meta(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one")] = 8080
    share_port: Annotated[
        bool,
        Meta(
            description="Let other processes of this account listen on the same port; connections are spread over them"
        ),
    ] = False
    rate_limit_per_s: Annotated[
        float, Meta(ge=0, le=1_000_000, description="Requests a second of one address or account; 0: no limit")
    ] = 200.0
    rate_limit_burst: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Requests that one address or account may send at once")
    ] = 400
    replicas: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Processes like this one that requests are spread over: each lets its share of both limits"
            " through, so that together they hold",
        ),
    ] = 1
    bodies_bytes_max: Annotated[
        int,
        Meta(
            ge=16 * 1024 * 1024,
            le=2**40,
            description="Bytes of all request bodies that are being read at once; beyond it requests are refused (503)",
        ),
    ] = 64 * 1024 * 1024
    monitoring: Annotated[
        Literal["open", "staff"],
        Meta(
            description="Who reads /metrics and /info of a process: whoever reaches it, or staff with a token;"
            " a front door forwards neither, and shows its own to staff only"
        ),
    ] = "open"
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(description="Addresses or networks of proxies whose X-Forwarded-For counts, with commas between"),
    ] = ()


class TokenSettings(Section, frozen=True):
    """Access tokens."""

    issuer: Annotated[str, Meta(min_length=1, description="Who issues the tokens (iss)")] = "sagamart"
    audience: Annotated[str, Meta(min_length=1, description="Whom the tokens are for (aud)")] = "sagamart"
    keys: Annotated[str, Meta(description="Folder of the private keys; empty: `keys` in the data folder")] = ""
    jwks: Annotated[str, Meta(description="File of public keys (JWKS), for a process that only verifies")] = ""


class OpenIdSettings(Section, frozen=True):
    """An OpenID provider whose access tokens are accepted beside our own."""

    issuer: Annotated[
        str,
        Meta(
            description="Whose tokens are accepted beside ours (iss), to the letter; empty: nobody's",
            examples=["https://login.example.com/realms/shop"],
        ),
    ] = ""
    jwks: Annotated[
        str, Meta(description="The provider's public keys (JWKS): a file, or the https address in its `jwks_uri`")
    ] = ""
    audiences: Annotated[
        tuple[str, ...],
        Meta(description="Whom its tokens are for (aud): one of these, with commas between; never a client's id"),
    ] = ()
    algorithms: Annotated[
        tuple[Literal["RS256", "ES256", "EdDSA"], ...],
        Meta(min_length=1, description="What it signs with: RS256, ES256, EdDSA, with commas between"),
    ] = ("RS256", "ES256", "EdDSA")
    roles_claim: Annotated[
        str, Meta(min_length=1, description="The claim with somebody's roles, or the way to it: realm_access.roles")
    ] = "roles"
    roles: Annotated[
        tuple[Annotated[str, Meta(pattern="^[^,]+=(CUSTOMER|OPERATOR|STOCK_OPERATOR|SHIPPING_OPERATOR|ADMIN)$")], ...],
        Meta(description="What its roles are here: theirs=OPERATOR, with commas between; what is not named is nothing"),
    ] = ()


class InternalSettings(Section, frozen=True):
    """Between the processes of a shop: messages that travel by `http`, calls, addresses for letters."""

    host: Annotated[str, Meta(description="Address on which other services' messages come in")] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="Port for them, which is never the public one; 0 takes a free one")
    ] = 9000
    share_port: Annotated[
        bool,
        Meta(
            description="Let other processes of this account listen on the same port; connections are spread over them"
        ),
    ] = False
    destinations: Annotated[
        tuple[str, ...],
        Meta(
            description="Where the other services listen for messages: {service} in place of a name, or"
            " stock=http://HOST:PORT for one, several times where it has several addresses; with commas between"
        ),
    ] = ("http://{service}:9000",)
    receive: Annotated[
        bool,
        Meta(
            description="Whether the services of this process take messages. `false`: it only takes requests, and what"
            " they lead to is posted to other processes of the same services; only with SAGAMART_TRANSPORT=http"
        ),
    ] = True
    keys: Annotated[str, Meta(description="Folder of the services' keys; empty: `service-keys` in the data folder")] = (
        ""
    )


class LogSettings(Section, frozen=True):
    """What is written to standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="The least level written")] = "info"
    format: Annotated[
        Literal["auto", "json", "console"], Meta(description="ECS JSON lines, or for people; auto: by terminal")
    ] = "auto"
    steps: Annotated[
        Literal["slow", "sampled", "all"],
        Meta(
            description="Which handled messages get a line: those of slow batches; those of sampled traces too; all,"
            " which is the whole log of each order and costs about half the throughput"
        ),
    ] = "slow"
    slow_s: Annotated[
        float, Meta(gt=0, le=3600, description="Seconds from a message's making to its commit that count as slow")
    ] = 5.0


class MetricsSettings(Section, frozen=True):
    """A port for the monitoring alone, for a door and pages, whose public port everybody reaches."""

    host: Annotated[str, Meta(description="Address on which /metrics is answered to whoever reaches it")] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="Port for it, which is never the public one; 0: there is none")
    ] = 0


class TraceSettings(Section, frozen=True):
    """Where spans go."""

    endpoint: Annotated[
        str,
        Meta(
            description="A collector's address for traces by OTLP over HTTP (needs the extra [otel]); empty: none are"
            " made",
            examples=["http://collector:4318/v1/traces"],
        ),
    ] = ""
    ratio: Annotated[float, Meta(ge=0, le=1, description="The share of the requests of which a trace is made")] = 0.05
    follow_clients: Annotated[
        bool, Meta(description="Whether a client that sends a traceparent decides that itself, by its sampled flag")
    ] = True


class Settings(Section, frozen=True):
    """All settings of the platform.  Who has more derives from it."""

    node: Annotated[
        str,
        Meta(
            max_length=100,
            description="This process's name, which no other one has at the same time; one that comes back under its"
            " name takes its unsent messages back at once. Empty: a new name at each start",
        ),
    ] = ""
    data: Annotated[str, Meta(description="Folder of the embedded database and the keys")] = ".sagamart"
    http: HttpSettings = HttpSettings()
    tokens: TokenSettings = TokenSettings()
    openid: OpenIdSettings = OpenIdSettings()
    internal: InternalSettings = InternalSettings()
    logs: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    traces: TraceSettings = TraceSettings()


S = TypeVar("S", bound=Section)


class SettingsError(Exception):
    """The settings cannot be used: which one, what was given, and what would be right."""


class Setting(NamedTuple):
    """A row of the table of settings."""

    variable: str
    path: tuple[str, ...]
    type: str
    default: str
    meaning: str
    secret: bool
    hint: Any


def load(kind: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Read the settings.  Raises SettingsError."""
    environ = os.environ if environ is None else environ
    known = {setting.variable: setting for setting in settings_of(kind)}
    values = _file(environ.get(CONFIG, ""))
    _check_file(values, known)
    for name in sorted(environ):
        if name.startswith(PREFIX) and name != CONFIG:
            _put(values, _known(name, known), environ[name])
    for setting in known.values():
        _check(values, setting)
    return msgspec.convert(values, kind, strict=False)


def environment_of(settings: Section) -> dict[str, str]:
    """The environment in which another process reads the same settings."""
    found = {}
    for setting in settings_of(type(settings)):
        value: Any = settings
        for name in setting.path:
            value = getattr(value, name)
        if _shown(value) != setting.default:
            found[setting.variable] = _shown(value)
    return found


def describe(kind: type[Section] = Settings) -> list[tuple[str, str, str, str]]:
    """The table of settings: name, type, default, meaning."""
    return [(one.variable, one.type, one.default, one.meaning) for one in settings_of(kind)]


def settings_of(kind: type[Section], path: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Every setting of a section and its sub-sections, in the order in which they are written down."""
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        hint, here = hints[field.name], (*path, field.name)
        if isinstance(hint, type) and issubclass(hint, Section):
            yield from settings_of(hint, here)
            continue
        meta = next((one for one in get_args(hint) if isinstance(one, Meta)), Meta())
        secret = bool((meta.extra or {}).get("secret"))
        default = "" if secret else _shown(field.default)
        yield Setting(
            PREFIX + "_".join(here).upper(), here, _type_name(hint), default, meta.description or "", secret, hint
        )


def _file(name: str) -> dict[str, Any]:
    if not name:
        return {}
    try:
        return tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{CONFIG}={name}: cannot be read ({error.strerror}); name a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{CONFIG}={name}: is no TOML file: {error}") from error


def _check_file(values: Mapping[str, Any], known: Mapping[str, Setting], path: tuple[str, ...] = ()) -> None:
    for name, value in values.items():
        here = (*path, name)
        if isinstance(value, dict):
            _check_file(value, known, here)
        else:
            _known(PREFIX + "_".join(here).upper(), known, shown=".".join(here))


def _known(variable: str, known: Mapping[str, Setting], shown: str = "") -> Setting:
    if variable in known:
        return known[variable]
    near = difflib.get_close_matches(variable, known, 1)
    advice = f"did you mean {near[0]}?" if near else "remove it; `sagamart settings` lists them all"
    raise SettingsError(f"{shown or variable}: there is no such setting; {advice}")


def _put(values: dict[str, Any], setting: Setting, text: str) -> None:
    section = values
    for name in setting.path[:-1]:
        section = section.setdefault(name, {})
    many = get_origin(get_args(setting.hint)[0]) is tuple if get_args(setting.hint) else False
    section[setting.path[-1]] = [one.strip() for one in text.split(",") if one.strip()] if many else text


def _check(values: Mapping[str, Any], setting: Setting) -> None:
    section: Any = values
    for name in setting.path[:-1]:
        section = section.get(name, {})
    if setting.path[-1] not in section:
        return
    given = section[setting.path[-1]]
    try:
        section[setting.path[-1]] = msgspec.convert(given, setting.hint, strict=False)
    except msgspec.ValidationError as error:
        told = "***" if setting.secret else repr(given)
        why = "is not allowed" if setting.secret else re.sub(r"^Expected", "expected", str(error))
        usual = setting.default or "empty"
        raise SettingsError(
            f"{setting.variable}={told}: {why}. {setting.meaning} ({setting.type}; default {usual})"
        ) from error


def _shown(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _type_name(hint: Any) -> str:
    inner = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if get_origin(inner) is Literal:
        return " | ".join(get_args(inner))
    return "list" if get_origin(inner) is tuple else str(getattr(inner, "__name__", inner))
