"""Photos of products."""

from alembic import op

revision = "0003_photos"
down_revision = "0002_search"


def upgrade() -> None:
    """Photos under the digest of their bytes, and which one shows a product."""
    op.execute("""
        create table photos (
            version bigint not null,
            photo_id text primary key
                constraint photo_is_named_by_its_bytes check (photo_id ~ '^[0-9a-f]{64}[.](png|jpg|webp)$'),
            content bytea not null
                constraint photo_is_at_most_1_mib check (length(content) between 12 and 1048576)
                constraint photo_has_its_digest check (encode(sha256(content), 'hex') = split_part(photo_id, '.', 1))
        );
        alter table photos alter column content set storage external;
        alter table products
            add column photo text constraint product_shows_a_photo_that_is_there references photos;
        create index products_by_photo on products (photo) where photo is not null;
    """)
