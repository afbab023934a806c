"""The audit: the shop's invariants, checked across the services' databases while the shop runs."""

from sagamart.audit.auditing import SETTLE_S, audit
from sagamart.audit.figures import leave_figures
from sagamart.audit.findings import INVARIANTS, Finding

__all__ = ["INVARIANTS", "SETTLE_S", "Finding", "audit", "leave_figures"]
