"""What a storm came to, as a document."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from storm_seen import SPIKE, Seen

RIGHT = (
    "While a process is dead its service answers 502 or 503 with `Retry-After`, and the customer asks again under the"
    " same key; 409 is a rule of the shop (one unpaid order at a time; too late to cancel)."
)


class Fault(msgspec.Struct):
    """A process that was killed: when (seconds from the start), and how long until another one was ready."""

    node: str
    at_s: float
    pid: int
    back_after_s: float = 0.0


class Storm(msgspec.Struct):
    """Everything about one run."""

    phases: Mapping[str, float]
    faults: Sequence[Fault]
    seen: Seen
    audit: str = ""
    sound: bool = False


def report(storm: Storm) -> str:
    """The document."""
    seen = storm.seen
    asked = sum(len(times) for names in seen.latencies_ms.values() for times in names.values())
    verdict = "Every answer was right." if not seen.wrong else f"WRONG answers: {sum(seen.wrong.values())}."
    parts = [
        "# The shop under load while its processes die",
        _setting(storm.phases, asked),
        f"{verdict} The audit afterwards: {'every invariant holds' if storm.sound else 'FINDINGS'}.",
        "## Latencies",
        *(_latencies(phase, names) for phase, names in seen.latencies_ms.items()),
        "## Orders",
        _counts("order", seen.orders),
        "## Refusals that are right",
        RIGHT,
        _counts("refusal", seen.refusals),
        "## Wrong answers",
        _counts("answer", seen.wrong),
        "## What happened meanwhile",
        _faults(storm.faults),
        "## Audit",
        f"```\n{storm.audit.strip()}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _setting(phases: Mapping[str, float], asked: int) -> str:
    users, ramp_s, spike_s, soak_s = (phases[f"LOAD_{name}"] for name in ("USERS", "RAMP_S", "SPIKE_S", "SOAK_S"))
    return (
        f"Written by `make load` on {datetime.now(UTC):%Y-%m-%d} ({os.cpu_count()} processors, {platform.system()},"
        f" Python {platform.python_version()}): {asked:,} requests of {users:.0f} customers at once"
        f" ({users * SPIKE:.0f} in the spike), who browse, register, log in, order, look at their orders and sometimes"
        f" cancel, through the front door of a `sagamart cluster`. Ramp {ramp_s:.0f} s, spike {spike_s:.0f} s, soak"
        f" {soak_s:.0f} s. The figures are those of a machine that runs the customers too."
    )


def _latencies(phase: str, names: Mapping[str, Sequence[float]]) -> str:
    lines = [f"### {phase.capitalize()}\n", "| request | answers | p50, ms | p95, ms | p99, ms | slowest, ms |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for name, times in sorted(names.items()):
        p50, p95, p99 = quantiles(times)
        lines.append(f"| {name} | {len(times):,} | {p50:.0f} | {p95:.0f} | {p99:.0f} | {max(times):.0f} |")
    return "\n".join(lines)


def quantiles(times: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95, p99."""
    if len(times) == 1:
        return times[0], times[0], times[0]
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]


def _counts(what: str, counts: Mapping[str, int]) -> str:
    if not counts:
        return "None."
    rows = [f"| {name} | {count:,} |" for name, count in sorted(counts.items())]
    return "\n".join([f"| {what} | times |", "|---|---:|", *rows])


def _faults(faults: Sequence[Fault]) -> str:
    if not faults:
        return "Nothing died."
    rows = [f"| {one.at_s:.0f} | `kill -9` of {one.node} | {one.back_after_s:.1f} |" for one in faults]
    return "\n".join(["| after, s | fault | back after, s |", "|---:|---|---:|", *rows])
