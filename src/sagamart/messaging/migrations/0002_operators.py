"""What operators did, with who and why."""

from alembic import op

revision = "0002_operators"
down_revision = "0001_start"


def upgrade() -> None:
    """Operators' actions: one row each, never changed.  The letter itself may be gone by then."""
    op.execute("""
        create table operator_actions (
            id uuid primary key default gen_random_uuid(),
            action text not null check (action in ('release', 'discard')),
            letter_id uuid not null,
            letter_type text not null,
            letter_key text not null,
            by text not null,
            why text not null check (why <> ''),
            at timestamptz not null default now()
        );
        create index operator_actions_by_letter on operator_actions (letter_id);
    """)
