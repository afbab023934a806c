"""What staff did to orders stands in the one journal of operators' acts."""

from alembic import op

revision = "0005_one_journal"
down_revision = "0004_delivery_by_weight"


def upgrade() -> None:
    """Carry the acts over.  Calling an order off was written into both journals under one id: it stays one act.

    The journal of before stays, for processes of the version before that are still being replaced; whoever drops it
    carries over first what they wrote, by the same statement.
    """
    op.execute("""
        update operator_actions done set status_before = act.status_before, status_after = act.status_after
        from staff_acts act where act.act_id = done.id;
        insert into operator_actions (id, action, subject, by, why, at, status_before, status_after)
        select act_id, act || '_order', order_id, by, why, at, status_before, status_after
        from staff_acts act
        where not exists (select from operator_actions done where done.id = act.act_id);
    """)
