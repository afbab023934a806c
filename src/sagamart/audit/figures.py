"""What an audit found, as metrics."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from sagamart.audit.findings import INVARIANTS, Finding
from sagamart.platform import metric_families as known
from sagamart.platform.metrics import Reading, exposition_of


def figures_of(broken: Iterable[int], *, ended: datetime, seconds: float) -> list[Reading]:
    """The figures of an audit with these findings, each by the number of the invariant that it breaks."""
    found = Counter(broken)
    findings: list[Reading] = [(known.AUDIT_FINDINGS, (str(number),), found[number]) for number in INVARIANTS]
    return [*findings, (known.AUDIT_ENDED, (), ended.timestamp()), (known.AUDIT_TIME, (), seconds)]


def leave_figures(path: Path, findings: Sequence[Finding], *, ended: datetime, seconds: float) -> None:
    """Put a file there for the textfile collector, whole or not at all.  Raises OSError."""
    readings = figures_of((one.invariant for one in findings), ended=ended, seconds=seconds)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_bytes(exposition_of(readings))
    beside.replace(path)
