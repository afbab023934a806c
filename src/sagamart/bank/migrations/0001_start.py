"""The bank's tables."""

from alembic import op

from sagamart.platform.databases import append_only

revision = "0001_start"
down_revision = None

PAYMENTS = """
    create table merchants (
        merchant_id text primary key,
        name text not null,
        api_key_sha256 bytea not null unique,
        hosts text[] not null,
        webhook_url text,
        webhook_secrets text[] not null check (cardinality(webhook_secrets) <= 2),
        entries bigint not null default 0,
        entries_at timestamptz not null default '-infinity'
    );
    create table accounts (
        account text primary key,
        balance_minor bigint not null,
        held_minor bigint not null,
        constraint held_is_covered check (0 <= held_minor and held_minor <= balance_minor)
    );
    create table payments (
        payment_id text primary key,
        merchant_id text not null references merchants,
        key text not null,
        kind text not null check (kind in ('hold', 'charge')),
        status text not null check (status in
            ('needs_confirmation', 'held', 'captured', 'voided', 'expired', 'cancelled', 'declined')),
        amount_minor bigint not null check (amount_minor > 0),
        captured_minor bigint not null,
        refunded_minor bigint not null,
        currency text not null check (currency ~ '^[A-Z]{3}$'),
        reference text not null,
        description text not null,
        card text,
        refusal text,
        token text unique,
        confirm_by timestamptz,
        acts_at timestamptz,
        return_url text,
        hold_s integer not null,
        hold_expires_at timestamptz,
        created_at timestamptz not null,
        version bigint not null,
        unique (merchant_id, key),
        constraint captured_is_held check (0 <= captured_minor and captured_minor <= amount_minor),
        constraint refunded_is_captured check (0 <= refunded_minor and refunded_minor <= captured_minor),
        constraint captured_says_so check (captured_minor = 0 or status = 'captured'
            or (status = 'cancelled' and refunded_minor = captured_minor)),
        constraint held_on_a_card_until check
            (status <> 'held' or (card is not null and hold_expires_at is not null)),
        constraint declined_for_a_reason check ((status = 'declined') = (refusal is not null)),
        constraint confirmed_by_a_link check
            (status <> 'needs_confirmation' or (token is not null and confirm_by is not null))
    );
    create index holds_by_end on payments (hold_expires_at) where status = 'held';
    create index confirmations_by_end on payments (least(confirm_by, acts_at)) where status = 'needs_confirmation';
"""

OPERATIONS = """
    create table operations (
        merchant_id text not null references merchants,
        key text not null,
        kind text not null check (kind in ('hold', 'charge', 'capture', 'void', 'refund', 'unknown')),
        status text not null check (status in ('pending', 'succeeded', 'refused', 'cancelled')),
        refusal text,
        amount_minor bigint not null check (amount_minor >= 0),
        currency text not null,
        at timestamptz not null,
        payment_id text,
        fingerprint bytea,
        answer bytea,
        primary key (merchant_id, key),
        constraint refused_for_a_reason check ((status = 'refused') = (refusal is not null)),
        constraint unknown_is_cancelled check (kind <> 'unknown' or status = 'cancelled')
    );
"""

POSTINGS = """
    create table postings (
        posting_id bigint generated always as identity primary key,
        movement_id text not null,
        kind text not null check (kind in ('opening', 'debit', 'refund', 'reversal')),
        account text not null,
        amount_minor bigint not null check (amount_minor <> 0),
        currency text not null,
        at timestamptz not null,
        merchant_id text references merchants,
        entry bigint,
        payment_id text,
        key text,
        reference text,
        constraint entry_of_a_merchant check
            ((merchant_id is null) = (entry is null) and (merchant_id is null) = (payment_id is null)),
        unique (merchant_id, entry)
    );
    create index postings_of_a_movement on postings (movement_id);
"""

EVENTS = """
    create table events (
        event_id text primary key,
        number bigint generated always as identity,
        merchant_id text not null references merchants,
        payment_id text not null,
        type text not null,
        body bytea not null,
        status text not null check (status in ('pending', 'delivered', 'failed')),
        attempts integer not null,
        answer integer,
        misbehaviour text,
        created_at timestamptz not null,
        next_attempt_at timestamptz not null
    );
    create index events_due on events (next_attempt_at) where status = 'pending';
    create index events_of_a_payment on events (payment_id, number);
    create unique index events_of_a_merchant on events (merchant_id, number);
"""

BALANCED = """
    create function movement_is_balanced() returns trigger language plpgsql as $$
    begin
        if (select sum(amount_minor) from postings where movement_id = new.movement_id) <> 0 then
            raise check_violation using message = 'movement ' || new.movement_id || ' does not sum to zero',
                constraint = 'movement_is_balanced';
        end if;
        return null;
    end $$;
    create constraint trigger movement_is_balanced after insert on postings
    deferrable initially deferred for each row execute function movement_is_balanced()
"""


def upgrade() -> None:
    """Merchants, accounts, payments, operations, the journal of postings, and events to be told."""
    for part in (PAYMENTS, OPERATIONS, POSTINGS, EVENTS, BALANCED):
        op.execute(part)
    op.execute(append_only("postings"))
