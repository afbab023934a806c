"""Letters with one-time links, channels that messages go out by, and what people prefer."""

from alembic import op

revision = "0002_channels"
down_revision = "0001_start"


def upgrade() -> None:
    """A dispatch is a notification on its way by one channel."""
    op.execute("""
        alter table notifications drop constraint notifications_kind_check;
        alter table notifications add constraint notifications_kind_check check (kind in (
            'order_placed', 'payment_awaited', 'payment_started', 'payment_window_expired', 'order_paid',
            'shipping_pending', 'order_shipped', 'order_completed', 'order_cancelled', 'order_returned',
            'order_refunded', 'wallet_opened', 'email_confirmation', 'password_reset'));

        create table dispatches (
            version bigint not null,
            dispatch_id text primary key,
            notification_id text not null,
            customer_id text not null,
            channel text not null check (channel in ('email', 'sms')),
            status text not null check (status in ('pending', 'sent', 'failed', 'unknown')),
            at timestamptz not null,
            unknown_outcomes bigint not null check (unknown_outcomes >= 0),
            reason text,
            ended_at timestamptz,
            check (right(dispatch_id, char_length(channel) + 1) = '/' || channel),
            check ((status = 'pending') = (ended_at is null))
        );
        create index dispatches_of_a_notification on dispatches (notification_id);

        create table preferences (
            version bigint not null,
            customer_id text primary key,
            email boolean not null,
            sms boolean not null,
            phone text check (char_length(phone) <= 16),
            erased boolean not null,
            check (phone is not null or not sms),
            check (not erased or (phone is null and not email and not sms))
        );
    """)
