"""The catalogue knows what is sold out, by what stock tells."""

from alembic import op

revision = "0004_availability"
down_revision = "0003_photos"


def upgrade() -> None:
    """A copy of stock's facts.  Products of before count as available until stock tells their next turn."""
    op.execute("""
        create table availabilities (
            version bigint not null,
            sku text primary key,
            stock_version bigint not null check (stock_version >= 0),
            available boolean not null
        );
        insert into availabilities (version, sku, stock_version, available) select 1, sku, 0, true from products;
    """)
