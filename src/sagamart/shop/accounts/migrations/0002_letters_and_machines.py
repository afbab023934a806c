"""One-time tokens, addresses, machines, failed log-ins, and who changed whose roles."""

from alembic import op

from sagamart.platform.databases import append_only

revision = "0002_letters_and_machines"
down_revision = "0001_start"


def upgrade() -> None:
    """New columns have defaults, so that a program of the version before goes on writing."""
    _people()
    _machines()
    _roles()


def _people() -> None:
    op.execute("""
        alter table users
            add column epoch bigint not null default 0,
            add column email_confirmed_at timestamptz,
            add column letter_asked_at timestamptz,
            add column erased_at timestamptz,
            add constraint who_was_erased_has_no_name check (erased_at is null or name = '');
        alter table refresh_families add column epoch bigint not null default 0;
        create index refresh_families_by_expiry on refresh_families (expires_at);
        create index refresh_families_by_customer on refresh_families (customer_id);

        create table one_time_tokens (
            version bigint not null,
            token_id text primary key,
            customer_id text not null constraint token_has_a_user references users,
            purpose text not null constraint purpose_is_known check (purpose in ('confirmation', 'password_reset')),
            expires_at timestamptz not null,
            used_at timestamptz
        );
        create index one_time_tokens_by_expiry on one_time_tokens (expires_at);

        create table address_books (
            version bigint not null,
            customer_id text primary key constraint addresses_have_a_user references users,
            addresses jsonb not null constraint addresses_are_few check (
                jsonb_typeof(addresses) = 'array' and jsonb_array_length(addresses) <= 20
            )
        );

        create table failed_log_ins (
            version bigint not null,
            origin text primary key constraint origin_is_digested check (origin ~ '^[0-9a-f]{64}$'),
            forgiven_at timestamptz not null
        );
        create index failed_log_ins_by_expiry on failed_log_ins (forgiven_at);
    """)


def _machines() -> None:
    op.execute("""
        create table machines (
            version bigint not null,
            client_id text primary key,
            name text not null,
            secret_hash text not null constraint secret_is_digested check (secret_hash ~ '^[0-9a-f]{64}$'),
            roles jsonb not null constraint machines_administer_nothing check (
                jsonb_typeof(roles) = 'array' and roles <@ '["OPERATOR", "STOCK_OPERATOR", "SHIPPING_OPERATOR"]'
            ),
            made_by text not null,
            made_at timestamptz not null,
            revoked_at timestamptz
        );
    """)


def _roles() -> None:
    op.execute("""
        create table administrators (
            version bigint not null,
            name text primary key constraint there_is_one_list check (name = 'administrators'),
            ids jsonb not null constraint ids_are_a_list check (jsonb_typeof(ids) = 'array')
        );
        insert into administrators (version, name, ids)
        select 1, 'administrators', jsonb_agg(customer_id order by customer_id)
        from users where roles ? 'ADMIN' having count(*) > 0;

        create table role_changes (
            change_id text primary key,
            customer_id text not null,
            by text not null,
            before jsonb not null,
            after jsonb not null,
            at timestamptz not null
        );
        create index role_changes_by_customer on role_changes (customer_id, at);
    """)
    op.execute(append_only("role_changes"))
