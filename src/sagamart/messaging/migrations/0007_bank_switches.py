"""Who switches a simulated bank's misbehaviour stands in the journal of operators' acts too."""

from alembic import op

revision = "0007_bank_switches"
down_revision = "0006_acts_on_orders"


def upgrade() -> None:
    """One more act, with what the bank was switched from and to; it needs a reason."""
    op.execute("""
        alter table operator_actions
            drop constraint operator_actions_action_check,
            add constraint operator_actions_action_check check (
                action in ('release', 'discard')
                    and num_nulls(letter_id, letter_type, letter_key) = 0 and subject is null
                or action in ('pause', 'resume')
                    and num_nonnulls(letter_id, letter_type, letter_key, subject) = 0
                or action in (
                    'cancel_order', 'change_order', 'move_order', 'pay_order', 'return_order', 'resolve_payment',
                    'switch_bank'
                ) and num_nonnulls(letter_id, letter_type, letter_key) = 0 and subject is not null
            );
    """)
