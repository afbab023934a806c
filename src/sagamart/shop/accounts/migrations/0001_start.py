"""The tables of accounts."""

from alembic import op

revision = "0001_start"
down_revision = None


def upgrade() -> None:
    """Users, and the refresh families of their log-ins."""
    op.execute("""
        create table users (
            version bigint not null,
            customer_id text primary key,
            email text not null constraint email_has_one_user unique,
            password_hash text not null
                constraint only_argon2id_is_kept check (password_hash like '$argon2id$%'),
            name text not null,
            language text not null constraint language_is_spoken check (language in ('en', 'ru')),
            roles jsonb not null constraint roles_are_known check (
                jsonb_typeof(roles) = 'array' and
                roles <@ '["CUSTOMER", "OPERATOR", "STOCK_OPERATOR", "SHIPPING_OPERATOR", "ADMIN"]'
            ),
            registered_at timestamptz not null,
            constraint email_is_lower_case check (email = lower(email))
        );
        create table refresh_families (
            version bigint not null,
            family_id text primary key,
            customer_id text not null constraint family_has_a_user references users,
            family_hash text not null constraint family_secret_is_digested check (family_hash ~ '^[0-9a-f]{64}$'),
            token_hash text not null constraint token_secret_is_digested check (token_hash ~ '^[0-9a-f]{64}$'),
            generation bigint not null constraint generations_count_from_one check (generation >= 1),
            expires_at timestamptz not null,
            revoked_for text constraint reason_is_known check (revoked_for in ('logged_out', 'token_reused'))
        );
    """)
