"""One database and two roles for each service, on any PostgreSQL (15 or newer) that an administrator's DSN opens.

Rules:
- The owner role migrates; the runtime role reads and writes rows, and can make, change or drop nothing.
- Nobody but these two connects to a service's database: a cross-service join is impossible, not merely forbidden.
- What migrations make is the runtime role's to use by default privileges; `append_only` takes a table back from it.
- Provisioning may be repeated and interrupted: the database's comment, written last, says that it was finished.
"""

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import asyncpg
import msgspec

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FINISHED = "provisioned by sagamart, 1"
_LOCK = "sagamart: provisioning"


class ServiceDatabase(msgspec.Struct, frozen=True):
    """Where a service's data lies: the owner's DSN is for migrations, the runtime one for everything else."""

    name: str
    owner_dsn: str
    runtime_dsn: str


class Passwords(msgspec.Struct, frozen=True):
    """What the two roles log in with; empty where the server trusts its socket, as the embedded one does."""

    owner: str = ""
    runtime: str = ""


def service_database(admin_dsn: str, service: str, passwords: Passwords | None = None) -> ServiceDatabase:
    """Name the database and the roles of a service on the administrator's server; connects to nothing.

    Raises ValueError where the service's name cannot be a part of PostgreSQL's names.
    """
    if not _NAME.fullmatch(service):
        raise ValueError(f"{service!r} cannot name a database: it needs 1 to 40 of a-z, 0-9 and _, a letter first.")
    secrets = passwords or Passwords()
    name = f"sagamart_{service}"
    return ServiceDatabase(
        name=name,
        owner_dsn=_dsn(admin_dsn, name, _owner(name), secrets.owner),
        runtime_dsn=_dsn(admin_dsn, name, name, secrets.runtime),
    )


async def provision(admin_dsn: str, service: str, passwords: Passwords | None = None) -> ServiceDatabase:
    """Make what is missing of a service's database and roles; the second time it only sets the passwords.

    The administrator needs CREATEDB and CREATEROLE, not superuser. Several may provision at once: they take turns.
    """
    database = service_database(admin_dsn, service, passwords)
    admin = await asyncpg.connect(admin_dsn)
    try:
        await admin.execute("select pg_advisory_lock(hashtext($1))", _LOCK)
        finished = await _finished(admin, database.name)
        if not finished:
            await _make(admin, admin_dsn, database.name)
        await _set_passwords(admin, database.name, passwords or Passwords())
    finally:
        await admin.close()
    return database


def append_only(table: str, *, until: str | None = None) -> str:
    """Write the SQL for a migration that leaves only INSERT and SELECT on a table to everyone but its owner.

    With `until`, the name of a column, they may delete rows for which that moment has passed.
    """
    if until is None:
        return _revoke("update, delete, truncate, trigger", table)
    return f"""{_revoke("update, truncate, trigger", table)};
        alter table {table} enable row level security;
        create policy everybody_reads on {table} for select using (true);
        create policy everybody_adds on {table} for insert with check (true);
        create policy what_has_had_its_time_goes on {table} for delete using ({until} < now());
    """


def read_only(table: str) -> str:
    """Write the SQL for a migration that leaves only SELECT on a table to everyone but its owner."""
    return _revoke("insert, update, delete, truncate, trigger", table)


def _revoke(privileges: str, table: str) -> str:
    # The roles are read from the table itself, so that a migration needs to know none of their names.
    return f"""
        do $$
        declare
            grantee text;
        begin
            for grantee in
                select distinct case granted.grantee when 0 then 'public' else granted.grantee::regrole::text end
                from pg_class, aclexplode(relacl) as granted
                where pg_class.oid = '{table}'::regclass and granted.grantee <> relowner
            loop
                execute format('revoke {privileges} on {table} from %s', grantee);
            end loop;
        end $$
    """


def _owner(name: str) -> str:
    return f"{name}_owner"


async def _finished(admin: asyncpg.Connection, name: str) -> bool:
    return bool(
        await admin.fetchval(
            "select shobj_description(oid, 'pg_database') = $2 from pg_database where datname = $1", name, _FINISHED
        )
    )


async def _make(admin: asyncpg.Connection, admin_dsn: str, name: str) -> None:
    owner = _owner(name)
    for role in (owner, name):
        if not await admin.fetchval("select true from pg_roles where rolname = $1", role):
            await admin.execute(f"create role {role} login")
    await admin.execute(f"grant {owner} to current_user")
    if not await admin.fetchval("select true from pg_database where datname = $1", name):
        await admin.execute(f"create database {name} owner {owner}")
    await admin.execute(f"""
        revoke all on database {name} from public;
        grant connect on database {name} to {name};
    """)
    inside = await asyncpg.connect(_dsn(admin_dsn, name))
    try:
        await inside.execute(f"""
            begin;
            set local role {owner};
            revoke all on schema public from public;
            grant usage on schema public to {name};
            alter default privileges in schema public grant select, insert, update, delete on tables to {name};
            alter default privileges in schema public grant usage, select on sequences to {name};
            comment on database {name} is '{_FINISHED}';
            commit;
        """)
    finally:
        await inside.close()


async def _set_passwords(admin: asyncpg.Connection, name: str, passwords: Passwords) -> None:
    for role, password in ((_owner(name), passwords.owner), (name, passwords.runtime)):
        if password:
            await admin.execute(
                await admin.fetchval("select format('alter role %I password %L', $1::text, $2::text)", role, password)
            )


def _dsn(admin_dsn: str, database: str, role: str = "", password: str = "") -> str:
    """Point the administrator's DSN at another database, and at another role where one is given."""
    parts = urlsplit(admin_dsn)
    options = dict(parse_qsl(parts.query))
    place = parts.netloc.rpartition("@")[2]
    netloc = parts.netloc
    if role:
        options.pop("user", None)
        options.pop("password", None)
        netloc = f"{quote(role)}:{quote(password, safe='')}@{place}" if password else f"{quote(role)}@{place}"
    options.pop("database", None)
    options.pop("dbname", None)
    return urlunsplit((parts.scheme, netloc, f"/{quote(database)}", urlencode(options, safe="/"), ""))
