"""What the bank took and gave back, and what orders refund."""

from alembic import op

revision = "0003_bank"
down_revision = "0002_payments"


def upgrade() -> None:
    """Movements that others name, booked once each; four more kinds of movement."""
    op.execute("""
        create table clearings (
            version bigint not null,
            clearing_id text primary key,
            amount_minor bigint not null check (amount_minor > 0),
            currency text not null
        );
        alter table postings drop constraint postings_kind_check;
        alter table postings add constraint postings_kind_check check (
            kind in ('deposit', 'withdrawal', 'capture', 'refund', 'top_up', 'bank_capture', 'bank_refund')
        ) not valid;
        alter table postings validate constraint postings_kind_check;
    """)
