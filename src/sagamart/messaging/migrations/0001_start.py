"""The core's tables, present in every service's database."""

from alembic import op

revision = "0001_start"
down_revision = None


def upgrade() -> None:
    """Inbox, outbox, requests, timers, dead letters, attempts, nodes."""
    op.execute("""
        create table inbox (id uuid primary key);
        create table outbox (
            id uuid primary key,
            type text not null,
            key text not null,
            cause uuid not null,
            message bytea not null,
            lease_owner text not null,
            lease_until timestamptz not null
        );
        create index outbox_by_lease on outbox (lease_until);
        create table requests (
            key text primary key,
            fingerprint bytea not null,
            message_id uuid not null,
            status bigint not null,
            body bytea not null,
            location text,
            refused boolean not null,
            at timestamptz not null default now()
        );
        create index requests_by_age on requests using brin (at);
        create table timers (
            key text,
            name text,
            generation uuid not null,
            due_at timestamptz not null,
            message bytea not null,
            primary key (key, name)
        );
        create index timers_by_due on timers (due_at);
        create table dead_letters (
            id uuid primary key,
            key text not null,
            type text not null,
            status text not null check (status in ('dead', 'waiting', 'released', 'discarded')),
            error text not null,
            message bytea not null,
            at timestamptz not null default now(),
            retry_at timestamptz not null default now()
        );
        create index dead_letters_parking on dead_letters (key) where status <> 'discarded';
        create table attempts (id uuid primary key, attempts bigint not null default 1);
        create table nodes (node text primary key, running boolean not null, at timestamptz not null default now());
        alter table outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
        alter table timers set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
    """)
