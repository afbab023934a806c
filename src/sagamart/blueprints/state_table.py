"""Which message leads from which status to which, as a table under the picture, and the legend of its letters."""

from collections.abc import Mapping, Sequence
from typing import Any

from sagamart.blueprints.drawing.svg import LINE_PX, Sheet, width_of
from sagamart.messaging.message import Body
from sagamart.shop.orders.facts import OF_GOODS, OF_MONEY, OF_PARCEL, OF_PROMO, OF_RETURNS
from sagamart.shop.orders.lifecycle import State
from sagamart.shop.orders.messages import OrderDeadline

LETTERS: Sequence[tuple[str, str, frozenset[type[Body]]]] = (
    ("P", "promo code", frozenset(OF_PROMO)),
    ("G", "goods", frozenset(OF_GOODS)),
    ("M", "money", frozenset(OF_MONEY)),
    ("D", "parcel", frozenset(OF_PARCEL)),
    ("R", "returns", frozenset(OF_RETURNS)),
    ("T", "time", frozenset({OrderDeadline})),
)
"""The groups of facts.  What is in none of them is a wish (W), or moves no order."""

GROUPED = frozenset[type[Body]]().union(*(members for _, _, members in LETTERS))

COLUMN_PX = 58
ROW_PX = 22
LINE_NAMES_MAX = 7

Ways = Mapping[tuple[str, str], Sequence[type[Body]]]


def draw_table(sheet: Sheet, lifecycle: Mapping[Any, State], ways: Ways, left: float, top: float) -> None:
    """Draw it below and to the right of this place."""
    sheet.text(left, top, "Every way: from a status (row) to another (column), by its number", "bold")
    names = max(width_of(status, "quiet") for status in lifecycle) + 44
    for number in range(1, len(lifecycle) + 1):
        sheet.text(left + names + (number - 0.5) * COLUMN_PX, top + ROW_PX, str(number), "bold", anchor="middle")
    for row, start in enumerate(lifecycle, 1):
        y = top + (row + 1) * ROW_PX
        sheet.line([(left, y - 15), (left + names + len(lifecycle) * COLUMN_PX, y - 15)], "life")
        sheet.text(left + 20, y, str(row), "bold", anchor="end")
        sheet.text(left + 30, y, start, "quiet")
        for column, end in enumerate(lifecycle):
            letters = _letters(ways.get((start, end), ()))
            sheet.text(left + names + (column + 0.5) * COLUMN_PX, y, letters, "quiet", anchor="middle")
    _legend(sheet, lifecycle, ways, left, top + (len(lifecycle) + 3) * ROW_PX)


def _letters(kinds: Sequence[type[Body]]) -> str:
    found = [letter for letter, _, members in LETTERS if not members.isdisjoint(kinds)]
    return " ".join([*found, *(["W"] if set(kinds) - GROUPED else [])])


def _legend(sheet: Sheet, lifecycle: Mapping[Any, State], ways: Ways, left: float, top: float) -> None:
    said = list(dict.fromkeys(kind for state in lifecycle.values() for kind in state.on))
    moving = {kind for kinds in ways.values() for kind in kinds}
    rows = [(letter, name, [kind for kind in said if kind in members]) for letter, name, members in LETTERS]
    rows.append(("W", "wishes", [kind for kind in said if kind not in GROUPED and kind in moving]))
    rows.append(
        ("", "learned, and moves nothing", [kind for kind in said if kind not in GROUPED and kind not in moving])
    )
    y = top
    for letter, name, kinds in rows:
        names = [kind.__name__ for kind in kinds]
        sheet.text(left + 20, y, letter, "bold", anchor="end")
        sheet.text(left + 30, y, name, "quiet")
        for at in range(0, len(names), LINE_NAMES_MAX):
            sheet.text(left + 200, y, ", ".join(names[at : at + LINE_NAMES_MAX]), "quiet")
            y += LINE_PX
        y += 4
