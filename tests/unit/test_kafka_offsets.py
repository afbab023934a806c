"""Only the finished beginning of a partition is committed, in whatever order its records are finished."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sagamart.messaging.transport.kafka_offsets import Progress


def taken(*offsets: int, start: int = 0) -> Progress:
    progress = Progress(start)
    for offset in offsets:
        assert progress.take(offset)
    return progress


def test_nothing_is_committed_before_it_is_finished() -> None:
    progress = taken(5, 6, 7, start=5)
    assert (progress.position, progress.unfinished) == (5, 3)


def test_an_unfinished_record_holds_back_all_that_follow_it() -> None:
    progress = taken(0, 1, 2, 3)
    progress.finish(1)
    progress.finish(3)
    assert (progress.position, progress.unfinished) == (0, 2)

    progress.finish(0)
    assert progress.position == 2

    progress.finish(2)
    assert (progress.position, progress.unfinished) == (4, 0)


def test_what_is_nowhere_in_the_log_is_not_waited_for() -> None:
    progress = taken(0, 4, 9)
    for offset in (9, 0, 4):
        progress.finish(offset)
    assert progress.position == 10


def test_a_record_that_comes_again_is_not_taken_twice() -> None:
    progress = taken(3, 4, start=3)
    assert not progress.take(3)
    assert not progress.take(4)
    assert not progress.take(2)
    assert progress.take(5)


def test_finishing_twice_changes_nothing() -> None:
    progress = taken(0, 1, 2)
    for offset in (1, 1, 0, 0, 1):
        progress.finish(offset)
    assert (progress.position, progress.unfinished) == (2, 1)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.data())
def test_the_position_never_passes_an_unfinished_record(steps: list[int], data: st.DataObject) -> None:
    offsets = list(itertools.accumulate(steps))
    progress = taken(*offsets)
    open_ones = set(offsets)
    for offset in data.draw(st.permutations(offsets)):
        progress.finish(offset)
        open_ones.discard(offset)
        assert progress.position <= min(open_ones, default=offsets[-1] + 1)
        assert progress.unfinished == len(open_ones)
    assert progress.position == offsets[-1] + 1
