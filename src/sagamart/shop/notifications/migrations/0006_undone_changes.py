"""Changes of an order that did not come about: other lines, another address."""

from alembic import op

revision = "0006_undone_changes"
down_revision = "0005_more_turns"


def upgrade() -> None:
    """More kinds of messages to people."""
    op.execute("""
        alter table notifications drop constraint notifications_kind_check;
        alter table notifications add constraint notifications_kind_check check (kind in (
            'order_placed', 'payment_awaited', 'payment_started', 'payment_window_expired', 'order_paid',
            'shipping_pending', 'order_shipped', 'order_completed', 'order_cancelled', 'order_returned',
            'order_refunded', 'order_capturing', 'order_revived', 'order_change_undone', 'address_not_changed',
            'wallet_opened', 'email_confirmation', 'password_reset', 'email_change', 'email_change_announced',
            'password_changed'));
    """)
