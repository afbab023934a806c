"""The rules about Python source hold here, and each bites where a violation is planted."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from architecture.conftest import Plant
from architecture.source_rules import (
    empty_names,
    fractional_money,
    impure_deciders,
    long_files,
    long_functions,
    unexplained_silences,
)

type_ignore = "# type: " + "ignore[misc]"
noqa = "# no" + "qa: S311"


@pytest.mark.parametrize(
    "rule", [long_files, long_functions, empty_names, impure_deciders, fractional_money, unexplained_silences]
)
def test_the_house_keeps_the_rule(rule: Callable[[Sequence[Path]], list[str]], house: list[Path]) -> None:
    assert rule(house) == []


def test_a_file_of_401_lines_is_too_long(plant: Plant) -> None:
    assert long_files(plant("shop/orders/decide.py", "x = 1\n" * 400)) == []

    (finding,) = long_files(plant("shop/orders/decide.py", "x = 1\n" * 401))

    assert "401 lines" in finding


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_function_of_51_lines_is_too_long(kind: str, plant: Plant) -> None:
    assert long_functions(plant("place.py", f"{kind} place():\n" + "    x = 1\n" * 49)) == []

    (finding,) = long_functions(plant("place.py", f"{kind} place():\n" + "    x = 1\n" * 50))

    assert "place has 51 lines" in finding


@pytest.mark.parametrize("name", ["utils.py", "shop/common.py", "helpers/money.py", "manager/__init__.py", "base.py"])
def test_a_name_that_says_nothing_is_refused(name: str, plant: Plant) -> None:
    assert len(empty_names(plant(name, ""))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "import asyncpg",
        "import time",
        "import os.path",
        "import random as chance",
        "from secrets import token_hex",
        "from uuid import uuid4",
        "from uuid import UUID, uuid4",
        "from litestar.exceptions import HTTPException",
        "from sagamart import platform",
        "from sagamart.platform.settings import load",
        "def decide(): import asyncio",
        "placed_at = datetime.now(UTC)",
        "placed_at = datetime.datetime.utcnow()",
        "placed_on = date.today()",
    ],
)
def test_a_decider_that_reaches_outside_is_refused(line: str, plant: Plant) -> None:
    (finding,) = impure_deciders(orders_that_decide_with(line, plant))

    assert "shop/orders/prices.py:1" in finding


@pytest.mark.parametrize(
    "line",
    [
        "from uuid import UUID",
        "from datetime import datetime, timedelta",
        "from sagamart.messaging.decision import Decision",
        "from .records import Order",
        "deadline = message.time + timedelta(minutes=5)",
    ],
)
def test_a_decider_may_name_types_and_reckon_with_time(line: str, plant: Plant) -> None:
    assert impure_deciders(orders_that_decide_with(line, plant)) == []


def test_only_what_decides_must_be_pure(plant: Plant) -> None:
    beside = plant("src/sagamart/shop/orders/outside.py", "import asyncio")
    assert impure_deciders(orders_that_decide_with("", plant) + beside) == []


def orders_that_decide_with(line: str, plant: Plant) -> list[Path]:
    """A slice whose wiring names a rule, which looks something up in a module of its own."""
    return [
        *plant("src/sagamart/shop/orders/service.py", "from sagamart.shop.orders import placing"),
        *plant("src/sagamart/shop/orders/placing.py", "from sagamart.shop.orders.prices import price"),
        *plant("src/sagamart/shop/orders/prices.py", line),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "class Price(Struct): amount_minor: float",
        "class Price(Struct): total_minor: Annotated[Decimal, Meta(ge=0)] | None = None",
        "def refund(amount_minor: float) -> int: ...",
    ],
)
def test_money_that_is_no_whole_number_is_refused(line: str, plant: Plant) -> None:
    (finding,) = fractional_money(plant("src/sagamart/contracts/prices.py", line))

    assert "_minor is no whole number" in finding


def test_money_in_minor_units_is_accepted(plant: Plant) -> None:
    line = "class Price(Struct): amount_minor: Annotated[int, Meta(ge=0)] | None = None; rate: float = 1.0"
    assert fractional_money(plant("src/sagamart/contracts/prices.py", line)) == []


@pytest.mark.parametrize(
    "silence", [noqa, type_ignore, f"{type_ignore}  {noqa}", "# no" + "qa", "# pragma: " + "no cover"]
)
def test_a_silenced_check_without_a_reason_is_refused(silence: str, plant: Plant) -> None:
    assert len(unexplained_silences(plant("dice.py", f"x = 1  {silence}\n"))) == 1


@pytest.mark.parametrize(
    "silence", [f"{noqa} - a game", f"{noqa}  immutable", f"{type_ignore}  # the driver has no types"]
)
def test_a_silenced_check_with_a_reason_is_accepted(silence: str, plant: Plant) -> None:
    assert unexplained_silences(plant("dice.py", f"x = 1  {silence}\n")) == []


def test_a_text_about_silencing_is_no_silence(plant: Plant) -> None:
    assert unexplained_silences(plant("dice.py", f'x = "{noqa}"\n')) == []
