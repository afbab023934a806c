"""The spans of a trace, and what must be true of each trace, however it was brought here."""

from collections.abc import Collection, Sequence

import msgspec


class SeenSpan(msgspec.Struct, frozen=True):
    """A span as a collector sees it, ids in hexadecimal."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str | None
    service: str = ""
    key: str = ""
    node: str = ""


def services_of(spans: Collection[SeenSpan]) -> set[str]:
    """The services of the shop that handled something."""
    return {span.service for span in spans if span.service}


def missing_parents(spans: Sequence[SeenSpan], *, root: str) -> list[SeenSpan]:
    """Spans whose parent is neither among these nor the `root`."""
    known = {span.span_id for span in spans} | {root}
    return [span for span in spans if span.parent_id not in known]


def is_one_tree(spans: Sequence[SeenSpan], *, root: str) -> bool:
    """Whether every span comes once, and leads to the `root`, which somebody else has."""
    parents = {span.span_id: span.parent_id for span in spans}
    if len(parents) != len(spans):
        return False
    for start in parents:
        at: str | None = start
        for _ in range(len(parents) + 1):
            at = parents.get(at) if at in parents else at
        if at != root:
            return False
    return True
