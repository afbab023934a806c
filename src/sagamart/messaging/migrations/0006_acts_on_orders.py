"""All acts of staff are kept in one journal, with what they led from and to."""

from alembic import op

revision = "0006_acts_on_orders"
down_revision = "0005_audit"


def upgrade() -> None:
    """Acts on orders of every kind; some need no reason.  Acts are found by what they were done to."""
    op.execute("""
        alter table operator_actions
            add column status_before text,
            add column status_after text,
            drop constraint operator_actions_action_check,
            drop constraint operator_actions_why_check,
            add constraint operator_actions_action_check check (
                action in ('release', 'discard')
                    and num_nulls(letter_id, letter_type, letter_key) = 0 and subject is null
                or action in ('pause', 'resume')
                    and num_nonnulls(letter_id, letter_type, letter_key, subject) = 0
                or action in (
                    'cancel_order', 'change_order', 'move_order', 'pay_order', 'return_order', 'resolve_payment'
                ) and num_nonnulls(letter_id, letter_type, letter_key) = 0 and subject is not null
            ),
            add constraint operator_actions_why_check check (
                why <> '' or action in ('cancel_order', 'change_order', 'pay_order', 'return_order')
            );
        create index operator_actions_by_subject on operator_actions (subject, at, id);
    """)
