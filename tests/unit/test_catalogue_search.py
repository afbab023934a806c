"""How near two words are, and which is taken for a mistyped one."""

import pytest

from sagamart.shop.catalogue.search import edits, nearest_of


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("plate", "plate", 0),
        ("plate", "plates", 1),
        ("plate", "late", 1),
        ("plate", "slate", 1),
        ("plaet", "plate", 1),
        ("лапма", "лампа", 1),
        ("kitten", "sitting", 3),
        ("", "mug", 3),
    ],
)
def test_letters_put_in_taken_out_exchanged_and_swapped_count_one_each(one: str, other: str, count: int) -> None:
    assert (edits(one, other), edits(other, one)) == (count, count)


def test_a_short_word_may_be_off_by_one_letter_and_a_longer_one_by_two() -> None:
    assert nearest_of("lapm", ["lump", "lamp"]) == "lamp"
    assert nearest_of("lpam", ["plum"]) is None
    assert nearest_of("kermiac", ["keramic"]) == "keramic"
    assert nearest_of("kramiec", ["keramika"]) is None


def test_of_words_that_are_equally_near_the_first_is_taken() -> None:
    assert nearest_of("cups", ["caps", "cops"]) == "caps"


def test_where_nothing_is_near_nothing_is_taken() -> None:
    assert nearest_of("lamp", []) is None
