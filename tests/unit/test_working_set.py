"""What a batch knows of its records, and what a decision may do with them."""

import pytest

from sagamart.messaging.records import Record, Records, Table, UnaskedError, WorkingSet, need, need_by


class Parcel(Record, frozen=True):
    parcel_id: str
    label: str


PARCELS = Table(Parcel, "parcels", key="parcel_id", unique=("label",))
RED = Parcel(3, "p1", "red")


def loaded(*records: Parcel) -> WorkingSet:
    """A batch that asked for p1, p2 and the label red."""
    working = WorkingSet([PARCELS])
    working.load([need(Parcel, "p1", "p2"), need_by(Parcel, "label", "red")], {Parcel: list(records)})
    return working


def test_a_need_for_nothing_is_always_met() -> None:
    assert WorkingSet([PARCELS]).knows(need(Parcel))


def test_what_was_asked_for_and_not_found_is_known_to_be_absent() -> None:
    working = loaded(RED)

    assert working.knows(need(Parcel, "p2"))
    assert Records(working, [need(Parcel, "p2")]).find(Parcel, "p2") is None
    assert not working.knows(need(Parcel, "p3"))


def test_a_decision_sees_only_what_its_own_message_asked_for() -> None:
    records = Records(loaded(RED), [need(Parcel, "p2")])

    with pytest.raises(UnaskedError, match="p1"):
        records.find(Parcel, "p1")


def test_a_decision_saves_only_what_its_own_message_asked_for() -> None:
    working = loaded(RED)

    with pytest.raises(UnaskedError, match="p1"):
        working.check([Parcel(4, "p1", "blue")], Records(working, [need(Parcel, "p2")]))


@pytest.mark.parametrize("version", [3, 5])
def test_a_version_rises_by_one_a_decision(version: int) -> None:
    working = loaded(RED)

    with pytest.raises(AssertionError, match="4 is next"):
        working.check([Parcel(version, "p1", "blue")], Records(working, [need(Parcel, "p1")]))


def test_many_decisions_on_a_record_are_one_change_from_the_version_that_was_loaded() -> None:
    working = loaded(RED)
    for version, label in ((4, "blue"), (5, "green"), (6, "white")):
        working.save([Parcel(version, "p1", label)])

    assert working.changes() == ({}, {Parcel: [(Parcel(6, "p1", "white"), 3)]})


def test_what_changes_seldom_is_written_only_where_it_changed() -> None:
    class Crate(Record, frozen=True):
        crate_id: str
        status: str
        label: str

    crates = Table(Crate, "crates", key="crate_id").changing_seldom("label")
    first, second = Crate(1, "c1", "full", "red"), Crate(1, "c2", "full", "red")
    working = WorkingSet([crates])
    working.load([need(Crate, "c1", "c2")], {Crate: [first, second]})

    working.save([Crate(2, "c1", "empty", "red")])
    assert not working.changed_seldom(Crate, working.changes()[1][Crate])

    working.save([Crate(2, "c2", "empty", "blue")])
    assert working.changed_seldom(Crate, working.changes()[1][Crate])
    assert [column.name for column in crates.often] == ["version", "crate_id", "status"]


def test_a_table_changes_seldom_only_in_columns_that_it_has() -> None:
    with pytest.raises(TypeError, match="no column weight"):
        Table(Parcel, "parcels", key="parcel_id").changing_seldom("weight")


def test_new_rows_are_written_sorted_by_key_so_that_locks_are_taken_in_one_order() -> None:
    working = loaded()
    working.save([Parcel(1, "p2", "blue")])
    working.save([Parcel(1, "p1", "red")])

    assert working.changes() == ({Parcel: [Parcel(1, "p1", "red"), Parcel(1, "p2", "blue")]}, {})


def test_a_record_made_in_the_batch_is_found_by_its_unique_column() -> None:
    working = loaded()
    working.save([Parcel(1, "p1", "red")])

    records = Records(working, [need(Parcel, "p1"), need_by(Parcel, "label", "red")])

    assert records.find_by(Parcel, "label", "red") == Parcel(1, "p1", "red")


def test_a_record_that_lost_its_label_in_the_batch_is_not_found_by_it() -> None:
    working = loaded(RED)
    working.save([Parcel(4, "p1", "blue")])

    records = Records(working, [need(Parcel, "p1"), need_by(Parcel, "label", "red")])

    assert records.find_by(Parcel, "label", "red") is None
