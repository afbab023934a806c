"""The command line: `sagamart --help` teaches it."""

import asyncio
import getpass
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import uvloop
from cyclopts import App, Parameter, validators
from msgspec import structs
from rich.console import Console
from rich.table import Column, Table

from sagamart import hosting, programs, standalone, transports
from sagamart.audit import AUDIT, INVARIANTS, SETTLE_S
from sagamart.blueprints.saga import RULES, THE_SAGA, lint
from sagamart.cluster import cluster as run_cluster
from sagamart.demo import DemoError, demonstrate, seed
from sagamart.door import route_table
from sagamart.door.nginx import nginx_configuration
from sagamart.operating import VARIABLES, operate, order
from sagamart.platform.broker.jars import NoBrokerError
from sagamart.platform.embedded import EmbeddedPostgresError, FolderInUseError
from sagamart.platform.http import Problem
from sagamart.platform.internal.service_tokens import ServiceKeyError, make_service_keys
from sagamart.platform.kafka import KafkaAdminError
from sagamart.platform.keys import KeyFileError, add_token_key
from sagamart.platform.migrations import MigrationError
from sagamart.platform.settings import SettingsError, describe, load
from sagamart.platform.settings_document import settings_document
from sagamart.settings import DEMONSTRATION, ShopSettings
from sagamart.shop.accounts.registration import NewCustomer
from sagamart.slices import SLICES

app = App(
    name="sagamart",
    help="""The order engine of an online store.

    Try it:  sagamart up --demo     then, in another terminal:  sagamart demo
    """,
)
admin = App(name="admin", help="Administrators.")
app.command(admin)
topics = App(name="topics", help="The topics of a shop whose messages travel over Kafka.")
app.command(topics)
app.command(operate)
app.command(order)

terminal = Console(stderr=True, highlight=False)

EXPECTED = (
    programs.CannotStartError,
    SettingsError,
    FolderInUseError,
    EmbeddedPostgresError,
    KeyFileError,
    ServiceKeyError,
    MigrationError,
    DemoError,
    KafkaAdminError,
    NoBrokerError,
)
"""What ends a command with a sentence instead of a traceback."""

PAPER_WIDTH = 200
"""Of a table that goes into a file or a pipe, where each setting should be found on a line."""

DataFolder = Annotated[Path | None, Parameter(env_var="SAGAMART_DATA", help="Folder of the database and the keys.")]


@app.command
def up(
    *,
    port: Annotated[
        int | None, Parameter(env_var="SAGAMART_PORT", help="Port to listen on; 0 takes a free one.")
    ] = None,
    data: DataFolder = None,
    demo: Annotated[bool, Parameter(negative=(), help="Fill the shop with products, people and money.")] = False,
    processes: Annotated[
        Literal[1, 2],
        Parameter(help="2: one takes requests, the other handles what follows; more orders a second."),
    ] = 1,
) -> None:
    """Start the whole shop, its database embedded.  Ctrl-C stops it; nothing is lost."""
    settings = _settings(data=data, port=port, demo=demo)
    _run(standalone.up(settings, processes=processes, demo=demo, say=_say))


@app.command
def cluster(
    *,
    replicas: Annotated[
        int, Parameter(help="Processes of each service.", validator=validators.Number(gte=1, lte=8))
    ] = 1,
    transport: Annotated[
        Literal["http", "kafka"],
        Parameter(env_var="SAGAMART_TRANSPORT", help="How messages travel: posted, or over Kafka."),
    ] = "http",
    port: Annotated[
        int | None, Parameter(env_var="SAGAMART_PORT", help="Port of the front door; 0 takes a free one.")
    ] = None,
    data: DataFolder = None,
    demo: Annotated[bool, Parameter(negative=(), help="Fill the shop with products, people and money.")] = False,
) -> None:
    """Run the shop as a company would, on this machine: each service in processes of its own, behind one door.

    The database is embedded.  Messages travel by HTTP, or with `--transport kafka` over the brokers of
    SAGAMART_KAFKA_BOOTSTRAP_SERVERS; where none are named, a broker is brought in and started too.  A process that
    dies is started again: kill one with `kill -9 PID`, order meanwhile, and see that nothing is lost (`sagamart demo`,
    then `sagamart audit`).  What the processes say is in `logs` in the data folder.  Ctrl-C stops all of them.  The
    folder may be one of `sagamart up`.

    Try it:  sagamart cluster --replicas 2 --demo
    """
    settings = structs.replace(_settings(data=data, port=port, demo=demo), transport=transport)
    _run(run_cluster(settings, replicas=replicas, demo=demo, console=terminal))


@app.command
def serve(*services: str) -> None:
    """Run these services over databases of your own (SAGAMART_DATABASE_DSN).  All of them, if none is named.

    `serve web` runs the pages for people, over the front door at SAGAMART_WEB_API_URL.  `serve audit` audits all
    services again and again, every SAGAMART_AUDIT_EVERY_S, and tells operators and /metrics what it found.

    Services that run in several processes need SAGAMART_TRANSPORT, and for `http` the keys that `sagamart service-keys`
    makes and SAGAMART_INTERNAL_DESTINATIONS.  Several replicas of a service may run at the same time.
    """
    if services == (hosting.PAGES,):
        _run(hosting.pages(_settings(), _say))
    elif services == (AUDIT,):
        _run(hosting.auditing(_settings(), _say))
    else:
        _run(programs.serve(_settings(), list(services) or list(SLICES), _say))


@app.command
def service_keys(folder: Path, *services: str) -> None:
    """Make the keys by which these services (all, if none is named) know each other; those that are there stay."""
    try:
        programs.check_names(services)
        made = make_service_keys(folder, services or SLICES)
    except EXPECTED as error:
        sys.exit(f"sagamart: {error}")
    for path in made:
        print(path)  # noqa: T201  the command's answer


@app.command
def door() -> None:
    """Open one address before services that run elsewhere (SAGAMART_DOOR_DESTINATIONS), with the API's documents."""
    _run(hosting.door(_settings(), _say))


@app.command
def token_keys(folder: Path) -> None:
    """Make a key for access tokens, and `jwks.json` with the public halves of all keys in this folder.

    Accounts gets the folder (SAGAMART_TOKENS_KEYS), everybody else the file (SAGAMART_TOKENS_JWKS).  The newest key
    signs; remove an older one when the tokens that it signed have expired, and write the file anew by this command.
    """
    try:
        made = add_token_key(folder, _settings().tokens)
    except EXPECTED as error:
        sys.exit(f"sagamart: {error}")
    for path in made:
        print(path)  # noqa: T201  the command's answer


@app.command
def provision(*services: str) -> None:
    """Make the databases and roles of these services (all, if none is named) on a PostgreSQL of your own.

    SAGAMART_DATABASE_ADMIN_DSN is who may; the roles get the passwords of SAGAMART_DATABASE_DSN and
    SAGAMART_DATABASE_OWNER_DSN.  It may be repeated.  `bank` makes one for sagamart-bank.
    """
    try:
        programs.check_names([name for name in services if name != "bank"])
    except EXPECTED as error:
        sys.exit(f"sagamart: {error}")
    _run(hosting.provisioned(_settings(), list(services) or list(SLICES), _say))


@app.command
def migrate(*services: str) -> None:
    """Bring the databases of these services (all, if none is named) to this version (SAGAMART_DATABASE_OWNER_DSN)."""
    _run(programs.migrate_all(_settings(), list(services) or list(SLICES), _say))


@app.command
def audit(
    *,
    data: DataFolder = None,
    settle_s: Annotated[float, Parameter(help="How long a suspect must stay as it is to count.")] = SETTLE_S,
    metrics: Annotated[
        Path | None, Parameter(help="Leave the result there for Prometheus's textfile collector.")
    ] = None,
) -> None:
    """Check that no money and no goods are lost, doubled or stuck.  The shop may be running.

    Exit code 0: every invariant holds.  1: each finding is named.
    """
    findings = _run(programs.audited(_settings(data=data), settle_s=settle_s, metrics=metrics, say=_say))
    for finding in findings:
        print(finding)  # noqa: T201  the command's answer
    if findings:
        sys.exit(1)
    terminal.print(f"{len(INVARIANTS)} invariants hold.")


@app.command
def lint_saga() -> None:
    """Check the table of an order's way: every message decided, every wait bounded, every step undone.

    Exit code 0: every rule holds.  1: each finding names status, message, rule, and what to do.
    """
    findings = lint(THE_SAGA)
    for finding in findings:
        print(finding)  # noqa: T201  the command's answer
    if findings:
        sys.exit(1)
    pairs = len(list(THE_SAGA.cells()))
    terminal.print(f"{len(THE_SAGA.lifecycle)} statuses, {pairs} pairs: {len(RULES)} rules hold.")


@app.command
def reconcile(*, data: DataFolder = None) -> None:
    """Compare the bank's statement with the payments, and mend what asking the bank can mend.

    The shop may be running; it does this by itself every night.  Exit code 0: everything fits.  1: each difference is
    named.
    """
    differences = _run(programs.reconciled(_settings(data=data), _say))
    for difference in differences:
        print(difference)  # noqa: T201  the command's answer
    if differences:
        sys.exit(1)
    terminal.print("The bank's statement and the payments agree.")


@app.command
def demo(
    *,
    url: Annotated[str, Parameter(env_var="SAGAMART_URL", help="Where the shop is.")] = "http://127.0.0.1:8080",
    orders: Annotated[int, Parameter(help="How many orders.", validator=validators.Number(gte=1, lte=10_000))] = 20,
    rate: Annotated[float, Parameter(help="Orders a second.", validator=validators.Number(gt=0, lte=1_000))] = 4.0,
    fill: Annotated[
        bool, Parameter(negative=(), help="First fill a shop with products, people and money, by its administrator.")
    ] = False,
) -> None:
    """Place orders in a running demo shop (sagamart up --demo) and watch the way of each."""
    if fill:
        _run(seed(url, currency=_settings().currency, say=_say))
    _run(demonstrate(url, orders=orders, rate_per_s=rate))


@admin.command
def create(
    email: str,
    *,
    name: str = "Administrator",
    password: Annotated[str, Parameter(env_var="SAGAMART_ADMIN_PASSWORD", help="Asked for, if not given.")] = "",
    data: DataFolder = None,
) -> None:
    """Make an administrator, who gives roles to others.  The shop may be running."""
    try:
        newcomer = msgspec.convert(
            {"email": email, "name": name, "password": password or getpass.getpass("Password: ")}, NewCustomer
        )
        reply = _run(programs.admin_created(_settings(data=data), newcomer, _say))
    except msgspec.ValidationError as error:
        sys.exit(
            f"sagamart: that is no e-mail address, name or password (8 to 128 characters) to register with: {error}"
        )
    except Problem as error:
        sys.exit(f"sagamart: {error}")
    if reply.refused:
        sys.exit(f"sagamart: {msgspec.json.decode(reply.body)['title']}")
    terminal.print(f"{email} is an administrator now.")


@topics.command
def apply() -> None:
    """Create the topics that are missing, as SAGAMART_KAFKA_… declare them.

    What exists is never changed.  Exit code 1: a topic differs; each difference is named.
    """
    _show_topics(create=True)


@topics.command(name="list")
def list_() -> None:
    """Show how the topics stand, and change nothing.  Exit code 1: a topic is missing or differs."""
    _show_topics(create=False)


@topics.command
def acls() -> None:
    """Print what the principal of each service needs of the brokers, and no more, as commands of Kafka's own tool."""
    try:
        rights = transports.topic_rights(_settings())
    except SettingsError as error:
        sys.exit(f"sagamart: {error}")
    for one in rights:
        for command in transports.acl_commands(one):
            print(command)  # noqa: T201  the command's answer


@app.command
def nginx() -> None:
    """Print a configuration of nginx with a front door's routes, read off the services."""
    sys.stdout.write(nginx_configuration(route_table()))


@app.command
def settings(
    *, markdown: Annotated[bool, Parameter(negative=(), help="As the document docs/reference/settings.md.")] = False
) -> None:
    """Print all settings, their defaults and what they mean."""
    if markdown:
        sys.stdout.write(settings_document(ShopSettings))
        return
    table = Table(Column("setting", no_wrap=True), "type", "default", "meaning")
    for row in describe(ShopSettings):
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else PAPER_WIDTH).print(table)


def main() -> None:
    """Run a command."""
    app()


def _settings(*, data: Path | None = None, port: int | None = None, demo: bool = False) -> ShopSettings:
    """The settings: arguments before the environment before the file."""
    own = {"SAGAMART_PORT", "SAGAMART_ADMIN_PASSWORD", *VARIABLES}
    environ = {name: value for name, value in os.environ.items() if name not in own}
    if data is not None:
        environ["SAGAMART_DATA"] = str(data)
    if port is not None:
        environ["SAGAMART_HTTP_PORT"] = str(port)
    if demo:
        environ = {**DEMONSTRATION, **environ}
    try:
        return load(ShopSettings, environ)
    except SettingsError as error:
        sys.exit(f"sagamart: {error}")


def _show_topics(*, create: bool) -> None:
    reports = _run(transports.topics(_settings().kafka, create=create))
    table = Table("topic", "state", "differences")
    for one in reports:
        table.add_row(one.name, one.state, "; ".join(one.differences))
    Console().print(table)
    if any(one.differences or one.state == "missing" for one in reports):
        sys.exit(1)


def _run(program: Coroutine[Any, Any, Any]) -> Any:
    try:
        return uvloop.run(program)
    except EXPECTED as error:
        sys.exit(f"sagamart: {error}")
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)


def _say(text: str) -> None:
    terminal.print(text, style="dim", soft_wrap=True)
