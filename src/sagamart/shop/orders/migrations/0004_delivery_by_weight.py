"""What delivery costs by weight."""

from alembic import op

revision = "0004_delivery_by_weight"
down_revision = "0003_staff_acts"


def upgrade() -> None:
    """Two columns of copies."""
    op.execute("""
        alter table product_copies add column charged_g bigint not null default 0;
        alter table delivery_copies add column per_kg_minor bigint not null default 0;
    """)
