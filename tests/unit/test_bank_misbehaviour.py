"""When a misbehaviour fires: always, so many times, by chance, for one card or key; and that it is counted."""

import random

from sagamart.bank.misbehaviour import NAMES, WEBHOOK_NAMES, Asked, Misbehaviours, Rule
from sagamart.shop.payments.switching import MISBEHAVIOURS

HOLD = Asked("hold", "key-1", "4000000000000001")
CHARGE = Asked("charge", "key-2", "4000000000000001")


def bank(*rules: Rule) -> Misbehaviours:
    misbehaviours = Misbehaviours(random.Random(7))  # noqa: S311  the chance of a test
    misbehaviours.replace(list(rules))
    return misbehaviours


def test_the_shop_has_a_switch_for_each_misbehaviour_of_the_bank() -> None:
    assert MISBEHAVIOURS == NAMES


def test_nothing_happens_without_a_rule_and_nothing_is_counted() -> None:
    calm = bank()

    assert calm.fires("times_out", HOLD) is None
    assert set(calm.fired.values()) == {0}


def test_a_rule_for_the_next_two_fires_twice_and_shows_what_is_left() -> None:
    moody = bank(Rule("times_out", next=2))

    assert [moody.fires("times_out", HOLD) is not None for _ in range(3)] == [True, True, False]
    assert moody.fired["times_out"] == 2
    assert moody.rules == [Rule("times_out", next=0)]


def test_a_rule_looks_at_kind_card_and_key() -> None:
    narrow = bank(Rule("down", on="charge"), Rule("refuses", key="key-1"), Rule("unreachable", card="4000000000000002"))

    assert narrow.fires("down", HOLD) is None
    assert narrow.fires("down", CHARGE) is not None
    assert narrow.fires("refuses", HOLD) is not None
    assert narrow.fires("refuses", CHARGE) is None
    assert narrow.fires("unreachable", HOLD) is None


def test_chance_is_as_often_as_it_says_and_the_same_by_the_same_seed() -> None:
    def run() -> list[bool]:
        moody = bank(Rule("down", probability=0.3))
        return [moody.fires("down", HOLD) is not None for _ in range(1000)]

    assert run() == run()
    assert 250 < sum(run()) < 350


def test_a_card_breaks_the_first_answer_of_each_key_only() -> None:
    calm = bank()
    card = "4000000000000009"

    assert calm.fires("times_out", Asked("hold", "key-1", card)) is not None
    assert calm.fires("times_out", Asked("hold", "key-1", card)) is None
    assert calm.fires("times_out", Asked("hold", "key-2", card)) is not None
    assert calm.fires("times_out", Asked("capture", "key-3", card)) is None


def test_a_cards_webhooks_misbehave_each_time() -> None:
    calm = bank()
    asked = Asked("hold", "key-1", "4000000000000013")

    assert [rule.misbehaviour for _ in range(2) if (rule := calm.fires_any(WEBHOOK_NAMES, asked))] == [
        "webhook_twice",
        "webhook_twice",
    ]


def test_a_delay_is_what_the_rule_says_or_the_readme() -> None:
    assert Rule("answers_late").delay_s == 3.0
    assert Rule("answers_late", delay_ms=250).delay_s == 0.25
    assert Rule("times_out").delay_s == 0.0
