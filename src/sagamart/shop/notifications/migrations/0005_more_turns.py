"""More turns of an order: the bank is asked for the money, late money revives it."""

from alembic import op

revision = "0005_more_turns"
down_revision = "0004_account_letters"


def upgrade() -> None:
    """More kinds of messages to people."""
    op.execute("""
        alter table notifications drop constraint notifications_kind_check;
        alter table notifications add constraint notifications_kind_check check (kind in (
            'order_placed', 'payment_awaited', 'payment_started', 'payment_window_expired', 'order_paid',
            'shipping_pending', 'order_shipped', 'order_completed', 'order_cancelled', 'order_returned',
            'order_refunded', 'order_capturing', 'order_revived', 'wallet_opened', 'email_confirmation',
            'password_reset', 'email_change', 'email_change_announced', 'password_changed'));
    """)
