"""Webhooks: subscriptions, the audience that they make, and deliveries."""

from alembic import op

revision = "0003_webhooks"
down_revision = "0002_channels"


def upgrade() -> None:
    """A delivery is one turn for one subscription."""
    op.execute("""
        create table subscriptions (
            version bigint not null,
            subscription_id text primary key,
            url text not null check (char_length(url) <= 2000),
            events jsonb not null check (jsonb_array_length(events) > 0),
            note text not null check (char_length(note) <= 200),
            status text not null check (status in ('active', 'paused', 'gone', 'deleted')),
            secret text not null,
            made_by text not null,
            made_at timestamptz not null,
            former_secret text,
            former_until timestamptz,
            constraint signed_unless_deleted check ((secret = '') = (status = 'deleted')),
            constraint former_secret_ends check ((former_secret is null) = (former_until is null))
        );

        create table audiences (
            version bigint not null,
            audience_id text primary key check (audience_id = 'webhooks'),
            listeners jsonb not null
        );

        create table deliveries (
            version bigint not null,
            delivery_id text primary key,
            subscription_id text not null,
            event text not null,
            type text not null,
            data jsonb not null,
            status text not null check (status in ('pending', 'delivered', 'failed')),
            at timestamptz not null,
            attempts bigint not null check (attempts between 0 and 12),
            replays bigint not null check (replays >= 0),
            answer bigint,
            reason text,
            next_at timestamptz,
            ended_at timestamptz,
            constraint ends_once check ((status = 'pending') = (ended_at is null)),
            constraint waits_or_ends check (status = 'pending' or next_at is null),
            constraint a_turn_once unique (subscription_id, event)
        );
        create index deliveries_of_a_webhook on deliveries (subscription_id, at desc, delivery_id desc);
        create index deliveries_by_their_end on deliveries (ended_at) where ended_at is not null;
    """)
