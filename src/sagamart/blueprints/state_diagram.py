"""The order's lifecycle as a drawing of its statuses, made from the table."""

from collections.abc import Mapping
from typing import Any

from sagamart.blueprints.drawing.railway import Connection, Station, railway
from sagamart.messaging.message import Body
from sagamart.shop.orders.asking import LETTING_GO
from sagamart.shop.orders.lifecycle import Deadline, State

Lifecycle = Mapping[Any, State]
"""A table of statuses; the names of other statuses than today's may be in it."""

WORDS_A_LINE_MAX = 3


def state_diagram(lifecycle: Lifecycle) -> str:
    """The drawing, as SVG.  Brown is what undoes an order."""
    undoing = {state.undo for state in lifecycle.values()} - {None}
    stations = [_station(status, state) for status, state in lifecycle.items()]
    ways: dict[tuple[str, str], list[str]] = {}
    for status, state in lifecycle.items():
        for kind, transition in state.on.items():
            for target in transition.to:
                if target != status:
                    ways.setdefault((status, target), []).append(kind.__name__)
    connections = [
        Connection(start, end, tuple(_lines(words)), back=lifecycle[end].tells in undoing)
        for (start, end), words in ways.items()
    ]
    return railway("The way of an order", stations, connections).svg()


def _station(status: str, state: State) -> Station:
    says = [f"tells {state.tells.__name__}"] if state.tells else []
    asks = dict.fromkeys(kind.__name__ for asks in state.asks if asks is not LETTING_GO for kind in asks.kinds)
    says += [f"asks {line}" if not number else f"    {line}" for number, line in enumerate(_lines(list(asks)))]
    if state.awaits:
        says.append("awaits " + ", ".join(kind.__name__ for kind in state.awaits))
    if state.deadline is not None:
        says.append(f"for {_duration(state.deadline)} at most")
    says += [f"undone by {state.undo.__name__}"] if state.undo else []
    staying = [kind for kind, transition in state.on.items() if status in transition.to]
    says += [f"stays on {line}" if not number else f"    {line}" for number, line in enumerate(_lines(_names(staying)))]
    return Station(status, tuple(says), "end" if state.final else "core")


def _names(kinds: list[type[Body]]) -> list[str]:
    return [kind.__name__ for kind in kinds]


def _lines(words: list[str]) -> list[str]:
    """Words, so many a line."""
    lines = [", ".join(words[at : at + WORDS_A_LINE_MAX]) for at in range(0, len(words), WORDS_A_LINE_MAX)]
    return [f"{line}," for line in lines[:-1]] + lines[-1:]


def _duration(deadline: Deadline) -> str:
    if isinstance(deadline, str):
        return f"the {deadline}'s time"
    seconds = deadline
    minutes, left = divmod(seconds, 60)
    return f"{seconds:g} s" if left or not minutes else f"{minutes:g} min"
