"""The audit: the shop's invariants, checked across the services' databases while the shop runs."""

from sagamart.audit.auditing import SETTLE_S, audit
from sagamart.audit.figures import figures_of, leave_figures
from sagamart.audit.findings import INVARIANTS, Finding

__all__ = ["AUDIT", "INVARIANTS", "SETTLE_S", "Finding", "audit", "figures_of", "leave_figures"]

AUDIT = "audit"
"""The name of the process that audits again and again, where the services are processes of their own."""
