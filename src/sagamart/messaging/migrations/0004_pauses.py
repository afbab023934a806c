"""Consumers that operators have paused."""

from alembic import op

revision = "0004_pauses"
down_revision = "0003_parcels"


def upgrade() -> None:
    """One row a service, once somebody has paused it.  Who paused and resumed it is among the operators' actions."""
    op.execute("""
        create table pauses (
            service text primary key,
            paused boolean not null,
            by text not null,
            why text not null check (why <> ''),
            at timestamptz not null default now()
        );
        alter table operator_actions drop constraint operator_actions_action_check;
        alter table operator_actions alter letter_id drop not null;
        alter table operator_actions alter letter_type drop not null;
        alter table operator_actions alter letter_key drop not null;
        alter table operator_actions add constraint operator_actions_action_check check (
            action in ('release', 'discard') and num_nulls(letter_id, letter_type, letter_key) = 0
            or action in ('pause', 'resume') and num_nonnulls(letter_id, letter_type, letter_key) = 0
        );
    """)
