"""The catalogue's tables, and how products are searched."""

from alembic import op

from sagamart.platform.databases import append_only

revision = "0001_start"
down_revision = None


def upgrade() -> None:
    """Products, the journal of prices, and the two halves of a search: a product's words and a question's."""
    op.execute("""
        create table products (
            version bigint not null,
            sku text primary key constraint sku_is_plain check (sku ~ '^[A-Za-z0-9._-]{1,64}$'),
            title text not null,
            description text not null,
            price_minor bigint not null constraint price_is_not_negative check (price_minor >= 0),
            currency text not null constraint currency_is_iso_4217 check (currency ~ '^[A-Z]{3}$'),
            weight_g bigint not null constraint weight_is_not_negative check (weight_g >= 0),
            length_mm bigint constraint length_is_positive check (length_mm > 0),
            width_mm bigint constraint width_is_positive check (width_mm > 0),
            height_mm bigint constraint height_is_positive check (height_mm > 0),
            tax_rate_bp bigint not null constraint tax_is_a_share check (tax_rate_bp between 0 and 10000),
            active boolean not null
        );
        create table prices (
            price_id text primary key,
            sku text not null constraint price_has_a_product references products,
            price_minor bigint not null constraint old_price_is_not_negative check (price_minor >= 0),
            currency text not null,
            since timestamptz not null,
            by text not null
        );
        create index prices_by_sku on prices (sku, since);
    """)
    op.execute(append_only("prices"))
    # English and Russian stems find "shoes" by "shoe"; the words as they stand find "sho" while somebody types.
    op.execute("""
        create function product_words(title text, description text) returns tsvector
            language sql immutable parallel safe
            return to_tsvector('simple', title)
                || to_tsvector('english', title || ' ' || description)
                || to_tsvector('russian', title || ' ' || description);
        create function question_words(question text) returns tsquery
            language sql immutable parallel safe
            return plainto_tsquery('english', question)
                || plainto_tsquery('russian', question)
                || coalesce((nullif(plainto_tsquery('simple', question)::text, '') || ':*')::tsquery, ''::tsquery);
        create index products_by_words on products using gin (product_words(title, description));
    """)
