"""The metrics as a document, made from the families."""

from collections.abc import Mapping

from sagamart.platform.metric_families import FAMILIES, Family, Source

_HEAD = """\
# Metrics

Written by `make docs` from the code; a test compares it with what a running shop exposes, both ways. Each process
answers `GET /metrics` in the text format of Prometheus, and on a port of its own where `SAGAMART_METRICS_PORT` says so.
A histogram `NAME` is found as `NAME_bucket`, `NAME_sum` and `NAME_count`. What to look at first:
[observing a shop](../how-to/observe.md).
"""

_PARTS: Mapping[Source, tuple[str, str]] = {
    "process": ("Of the process", "Counted as it happens, once a batch or once a request."),
    "database": (
        "Read off the databases",
        (
            "Read when somebody asks for the metrics, every 10 s at most, with a bound of 2 s. Every replica of"
            " a service shows the same: take `max by (service)`."
        ),
    ),
    "door": (
        "Of the front door",
        (
            "Of `sagamart door`, for what it hands on to a service; `service` is `all` where it asks every service and"
            " makes one list. What it answers by itself is among the requests above, as are the pages of"
            " `sagamart serve web`. Both show their figures at `SAGAMART_METRICS_PORT`."
        ),
    ),
    "audit": (
        "Of the audit",
        (
            "Of the process that audits (`sagamart serve audit`, or `sagamart up` once somebody has it audit); or"
            " written by `sagamart audit --metrics FILE` for the textfile collector of Prometheus's node exporter. An"
            " audit that could not be finished leaves the figures as they were."
        ),
    ),
}

_OWN = """\
## Of the operating system

`process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_virtual_memory_bytes`,
`process_start_time_seconds`, `process_open_fds` and `process_max_fds`, as each client library of Prometheus has them.
"""


def metrics_document() -> str:
    """The document, in Markdown."""
    parts = [_HEAD]
    for source, (title, about) in _PARTS.items():
        rows = ["| metric | type | labels | unit | meaning |", "|---|---|---|---|---|"]
        rows += [_row(family) for family in FAMILIES if family.source == source]
        parts.append(f"## {title}\n\n{about}\n\n" + "\n".join(rows) + "\n")
    return "\n".join([*parts, _OWN])


def _row(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return f"| `{family.shown}` | {family.kind} | {labels} | {family.unit} | {family.meaning} |"
