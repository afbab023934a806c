"""What operators did is kept for good: nobody but the owner of the database changes or deletes it."""

from alembic import op

revision = "0005_audit"
down_revision = "0004_pauses"

KINDS = """
    alter table operator_actions
        add column subject text,
        alter id drop default,
        alter id type text using id::text,
        alter id set default gen_random_uuid()::text,
        drop constraint operator_actions_action_check,
        add constraint operator_actions_action_check check (
            action in ('release', 'discard')
                and num_nulls(letter_id, letter_type, letter_key) = 0 and subject is null
            or action in ('pause', 'resume')
                and num_nonnulls(letter_id, letter_type, letter_key, subject) = 0
            or action in ('cancel_order', 'resolve_payment')
                and num_nonnulls(letter_id, letter_type, letter_key) = 0 and subject is not null
        );
    create index operator_actions_by_time on operator_actions (at, id);
"""
APPEND_ONLY = """
    do $$
    declare
        grantee text;
    begin
        for grantee in
            select distinct case granted.grantee when 0 then 'public' else granted.grantee::regrole::text end
            from pg_class, aclexplode(relacl) as granted
            where pg_class.oid = 'operator_actions'::regclass and granted.grantee <> relowner
        loop
            execute format('revoke update, delete, truncate, trigger on operator_actions from %s', grantee);
        end loop;
    end $$
"""


def upgrade() -> None:
    """Acts on orders and payments are kept beside those on letters and consumers."""
    op.execute(KINDS)
    op.execute(APPEND_ONLY)
