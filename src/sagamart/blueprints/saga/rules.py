"""The rules of the saga linter.  Each is a function from a saga to findings; no findings means that it holds.

A finding names the status, the message and the rule, and says what to do.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sagamart.blueprints.saga.reading import Saga
from sagamart.shop.orders.decide import stay


class Finding(NamedTuple):
    """What breaks a rule.  `status` or `message` is empty where the rule is not about one."""

    rule: str
    status: str
    message: str
    found: str
    todo: str

    def __str__(self) -> str:
        where = " x ".join(part for part in (self.status, self.message) if part)
        return f"{where}: {self.rule}: {self.found}; {self.todo}"


class Wrong(NamedTuple):
    """A finding without its rule's name."""

    status: str
    message: str
    found: str
    todo: str


def every_pair_is_decided(saga: Saga) -> Iterator[Wrong]:
    """In each status each message has its rule, or it is said why it cannot come."""
    for status, state in saga.lifecycle.items():
        for name, kind in saga.messages.items():
            cell = state.on.get(kind)
            if cell is None:
                yield Wrong(status, name, "nobody has decided what it means", "give it a rule, or say `never` and why")
            elif cell.rule is None and not cell.because:
                yield Wrong(status, name, "it cannot come, and nobody says why", "say why with `because`")


def what_changes_nothing_says_why(saga: Saga) -> Iterator[Wrong]:
    """A message that is passed over has a reason beside it."""
    for status, kind, cell in saga.cells():
        if cell.rule is stay and not cell.because:
            yield Wrong(status, kind.__name__, "it is passed over without a reason", "say why with `because`")


def no_fact_is_ignored(saga: Saga) -> Iterator[Wrong]:
    """Money or goods that have moved are noted, whenever that is told."""
    for status, kind, cell in saga.cells():
        if kind.__name__ in saga.facts and cell.rule is stay:
            yield Wrong(status, kind.__name__, "a fact about money or goods is ignored", "note it with `learn`")


def every_wait_has_a_deadline(saga: Saga) -> Iterator[Wrong]:
    """An order that is no end is woken by a timer, and that does something."""
    for status in saga.open:
        state = saga.lifecycle[status]
        if not state.deadline:
            yield Wrong(status, "", "it may wait for ever", "give it a `deadline`")
        woken = {kind.__name__: cell for kind, cell in state.on.items() if kind.__name__ in saga.timers}
        if not woken:
            yield Wrong(status, "", "no timer of the order wakes it", "list its deadline under `on`")
        for name, cell in woken.items():
            if not cell.again and not set(cell.to) - {status}:
                yield Wrong(status, name, "it wakes the order for nothing", "leave the status, or ask again")


def every_end_of_a_wait_leads_on(saga: Saga) -> Iterator[Wrong]:
    """What a status awaits takes the order out of it."""
    for status in saga.open:
        state = saga.lifecycle[status]
        for kind in state.awaits:
            if kind not in state.on or not set(state.on[kind].to) - {status}:
                yield Wrong(status, kind.__name__, "it is awaited and leads nowhere", "let it lead to another status")


def every_step_can_be_undone(saga: Saga) -> Iterator[Wrong]:
    """Before the point of no return everybody who was asked hears what undoes it; after it nothing is undone."""
    for status in [name for name in saga.lifecycle if name not in saga.undoing]:
        undo = saga.lifecycle[status].undo
        may_end_undone = bool(saga.reached_from([status]) & saga.undoing)
        if undo is None:
            if may_end_undone:
                yield Wrong(status, "", "it may be undone, but nothing undoes it", "name what is sent as `undo`")
            continue
        name = undo.__name__
        if not may_end_undone:
            yield Wrong(status, name, "nothing ever sends what undoes it", "let it lead to an end that does")
        lets_go = saga.asked_in(saga.undoing) | saga.consumers(undo)
        for service in sorted(_asked_until(saga, status) - lets_go):
            yield Wrong(status, name, f"{service} was asked, and does not hear it", f"let {service} handle it")


def _asked_until(saga: Saga, status: str) -> set[str]:
    """The services that an order in this status may have asked for something."""
    before = {name for name in saga.lifecycle if status in saga.reached_from([name])}
    return saga.asked_in({status} | before)


def every_message_has_an_ear(saga: Saga) -> Iterator[Wrong]:
    """What is said is heard by a service or declared public; what services tell one another, one of them says."""
    for name, told in saga.told.items():
        if told.way == "sent" and not told.consumers and not saga.public.get(name):
            yield Wrong("", name, "nobody hears it", "handle it in a service, or say in PUBLIC for whom it is")
        if told.consumers and not told.producers and told.kind.__module__.startswith("sagamart.contracts"):
            yield Wrong(
                "", name, f"{', '.join(told.consumers)} waits for it, and nobody says it", "emit it, or delete it"
            )
    for name in saga.public:
        if name not in saga.told or saga.told[name].consumers:
            yield Wrong("", name, "it needs no declaration", "take it out of PUBLIC")


def every_status_is_reached_and_left(saga: Saga) -> Iterator[Wrong]:
    """Each status has a way to it, each that is no end a way to an end."""
    reached = saga.reached_from([saga.begins])
    for status, state in saga.lifecycle.items():
        if status not in reached and status != saga.begins:
            yield Wrong(status, "", "no order ever gets there", "let something lead to it, or delete it")
        if not state.final and not any(saga.lifecycle[end].final for end in saga.reached_from([status])):
            yield Wrong(status, "", "no way leads from it to an end", "let something lead on")
        if state.final and (state.deadline or state.awaits):
            yield Wrong(status, "", "it is an end, and waits for something", "let it wait for nothing")
    for status, kind, transition in saga.cells():
        for target in set(transition.to) - set(saga.lifecycle):
            yield Wrong(
                status, kind.__name__, f"it leads to {target}, which is no status of the table", "name one that is"
            )


RULES: tuple[Callable[[Saga], Iterator[Wrong]], ...] = (
    every_pair_is_decided,
    what_changes_nothing_says_why,
    no_fact_is_ignored,
    every_wait_has_a_deadline,
    every_end_of_a_wait_leads_on,
    every_step_can_be_undone,
    every_message_has_an_ear,
    every_status_is_reached_and_left,
)


def lint(saga: Saga) -> list[Finding]:
    """All that breaks a rule."""
    return [Finding(rule.__name__, *wrong) for rule in RULES for wrong in rule(saga)]
