"""Misbehaviour on demand: rules that say when the bank behaves as banks sometimes do, and counters of what fired.

Rules:
- A rule fires always, with a probability, or so many times; for one kind of request, one card, one key, or for all.
- A card's own misbehaviour fires at the first arrival of each key, so that asking again under it gets an answer.
- All of this lives in the process and is gone when it ends; chance is given from outside.
"""

import random
from collections import Counter, OrderedDict
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from sagamart.bank.cards import digits_of
from sagamart.platform.http import RequestBody

Name = Literal[
    "times_out",
    "answers_late",
    "lands_late",
    "refuses",
    "not_found",
    "answers_oversized",
    "answers_wrong_type",
    "answers_redirect",
    "down",
    "unreachable",
    "webhook_late",
    "webhook_twice",
    "webhook_out_of_order",
    "webhook_wrong_signature",
    "webhook_lost",
]
Subject = Literal["hold", "charge", "capture", "void", "refund", "cancellation", "query", "statement", "funds_check"]

NAMES: tuple[Name, ...] = get_args(Name)
WEBHOOK_NAMES: tuple[Name, ...] = tuple(name for name in NAMES if name.startswith("webhook_"))
DELAYS_MS: dict[Name, int] = {
    "answers_late": 3_000,
    "lands_late": 2_000,
    "webhook_late": 5_000,
    "webhook_out_of_order": 30_000,
}
DELAY_MS_MAX = 600_000
RULES_MAX = 100
KEYS_REMEMBERED_MAX = 100_000


class Rule(RequestBody, frozen=True):
    """When the bank misbehaves, and how."""

    misbehaviour: Name
    on: Annotated[Subject | None, Meta(description="Only for such requests; null: wherever it makes sense")] = None
    card: Annotated[str, Meta(pattern="^[0-9]{16}$")] | None = None
    key: Annotated[str, Meta(max_length=200)] | None = None
    next: Annotated[int, Meta(ge=0, le=1_000_000, description="Only so many times; null: always")] | None = None
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    delay_ms: Annotated[int, Meta(ge=0, le=DELAY_MS_MAX, description="null: as the README says")] | None = None

    @property
    def delay_s(self) -> float:
        """How long it takes, where it takes time."""
        delay_ms = DELAYS_MS.get(self.misbehaviour, 0) if self.delay_ms is None else self.delay_ms
        return delay_ms / 1000


class Asked(msgspec.Struct, frozen=True):
    """What a merchant asks for, as far as rules look at it."""

    on: Subject
    key: str | None = None
    card: str | None = None


CARD_RULES: dict[str, tuple[Rule, ...]] = {
    "0009": (Rule("times_out", on="hold"), Rule("times_out", on="charge")),
    "0010": (Rule("answers_late", on="hold"), Rule("answers_late", on="charge")),
    "0011": (Rule("lands_late", on="hold"), Rule("lands_late", on="charge")),
    "0012": (Rule("webhook_late"),),
    "0013": (Rule("webhook_twice"),),
    "0014": (Rule("webhook_out_of_order", on="hold", delay_ms=5_000),),
    "0015": (Rule("webhook_wrong_signature"),),
    "0016": (Rule("times_out", on="capture"),),
}
"""What cards do to answers and webhooks, beside what cards.py says."""


class Misbehaviours:
    """The rules in force, and how often each misbehaviour has fired."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._rules: list[Rule] = []
        self._met: OrderedDict[tuple[Name, str, str], None] = OrderedDict()
        self.fired: Counter[Name] = Counter(dict.fromkeys(NAMES, 0))

    @property
    def rules(self) -> list[Rule]:
        """The rules in force; `next` is what is left."""
        return list(self._rules)

    def replace(self, rules: list[Rule]) -> None:
        """Put these rules in place of all."""
        self._rules = list(rules)

    def fires(self, name: Name, asked: Asked) -> Rule | None:
        """The rule by which this misbehaviour happens now, counted; None where it does not."""
        rule = self._given(name, asked) or self._of_card(name, asked)
        if rule is not None:
            self.fired[name] += 1
        return rule

    def fires_any(self, names: tuple[Name, ...], asked: Asked) -> Rule | None:
        """The first of these that happens now."""
        return next((rule for name in names if (rule := self.fires(name, asked)) is not None), None)

    def _given(self, name: Name, asked: Asked) -> Rule | None:
        for place, rule in enumerate(self._rules):
            if rule.misbehaviour != name or not _matches(rule, asked) or rule.next == 0:
                continue
            if rule.probability < 1 and self._chance.random() >= rule.probability:
                continue
            if rule.next is not None:
                self._rules[place] = msgspec.structs.replace(rule, next=rule.next - 1)
            return rule
        return None

    def _of_card(self, name: Name, asked: Asked) -> Rule | None:
        rules = CARD_RULES.get(digits_of(asked.card or "") or "", ())
        rule = next((rule for rule in rules if rule.misbehaviour == name and _matches(rule, asked)), None)
        if rule is None or name in WEBHOOK_NAMES:
            return rule
        met = (name, asked.card or "", asked.key or "")
        if met in self._met:
            return None
        self._met[met] = None
        if len(self._met) > KEYS_REMEMBERED_MAX:
            self._met.popitem(last=False)
        return rule


def _matches(rule: Rule, asked: Asked) -> bool:
    return rule.on in (None, asked.on) and rule.card in (None, asked.card) and rule.key in (None, asked.key)
