"""A parcel is sent until each of its messages has arrived, and what has arrived is not sent again."""

from sagamart.messaging.outbox import PARCEL_MESSAGES_MAX, PARCELS_BACK_MAX, InFlight, Parcel, lines, packed, stored
from unit.boxes import WasPut, said

FIRST, SECOND, THIRD = (said(WasPut("a", number), number) for number in (1, 2, 3))
PARCEL = Parcel(FIRST.id, [FIRST, SECOND])


def test_messages_of_a_batch_share_a_parcel_named_after_the_first() -> None:
    assert packed([FIRST, SECOND]) == [PARCEL]


def test_a_message_for_the_world_outside_lies_alone() -> None:
    assert packed([FIRST, SECOND], alone={"WasPut"}) == [Parcel(FIRST.id, [FIRST]), Parcel(SECOND.id, [SECOND])]


def test_a_batch_that_sends_a_lot_fills_several_parcels() -> None:
    many = [said(WasPut("a", 1), number) for number in range(PARCEL_MESSAGES_MAX + 1)]
    assert [len(parcel.messages) for parcel in packed(many)] == [PARCEL_MESSAGES_MAX, 1]


def test_a_batch_that_sends_nothing_has_no_parcel() -> None:
    assert packed([]) == []


def test_a_line_break_in_a_message_does_not_break_the_parcel() -> None:
    torn = said(WasPut("a\nb", 1), 1)
    assert len(lines(stored(Parcel(torn.id, [torn, SECOND])))) == 2


def test_a_parcel_has_arrived_when_the_last_of_its_messages_has() -> None:
    in_flight = InFlight()
    assert in_flight.begin(PARCEL) == [FIRST, SECOND]
    assert in_flight.arrived([SECOND.id]) == []
    assert in_flight.arrived([FIRST.id]) == [PARCEL.id]
    assert len(in_flight) == 0


def test_of_a_parcel_that_came_back_in_part_only_that_part_is_sent_again() -> None:
    in_flight = InFlight()
    in_flight.begin(PARCEL)
    in_flight.arrived([FIRST.id])
    assert in_flight.returned([SECOND.id]) == {PARCEL.id}
    assert in_flight.begin(PARCEL) == [SECOND]
    assert in_flight.arrived([SECOND.id]) == [PARCEL.id]


def test_what_is_under_way_is_not_sent_twice() -> None:
    in_flight = InFlight()
    in_flight.begin(PARCEL)
    assert in_flight.begin(PARCEL) == []


def test_a_report_about_what_nobody_sent_means_nothing() -> None:
    in_flight = InFlight()
    in_flight.begin(PARCEL)
    assert in_flight.arrived([THIRD.id]) == []
    assert in_flight.returned([THIRD.id]) == set()


def test_a_parcel_with_a_message_that_cannot_be_read_stays() -> None:
    in_flight = InFlight()
    in_flight.begin(PARCEL, unread=1)
    assert in_flight.arrived([FIRST.id, SECOND.id]) == []


def test_a_parcel_that_another_replica_finished_is_forgotten() -> None:
    in_flight = InFlight()
    in_flight.begin(PARCEL)
    in_flight.returned([FIRST.id, SECOND.id])
    in_flight.forget([PARCEL.id])
    assert in_flight.begin(PARCEL) == [FIRST, SECOND]


def test_of_so_many_parcels_that_came_back_the_oldest_is_sent_again_whole() -> None:
    in_flight = InFlight()
    in_flight.begin(PARCEL)
    in_flight.arrived([FIRST.id])
    others = [said(WasPut("b", 1), number) for number in range(10, 10 + PARCELS_BACK_MAX)]
    for one in others:
        in_flight.begin(Parcel(one.id, [one]))
    in_flight.returned([SECOND.id])
    assert in_flight.begin(PARCEL) == [SECOND], "as long as it is known"

    in_flight.returned([SECOND.id])
    in_flight.returned([one.id for one in others])
    assert in_flight.begin(PARCEL) == [FIRST, SECOND]
    assert in_flight.arrived([FIRST.id, SECOND.id]) == [PARCEL.id]


def test_a_parcel_of_which_something_is_under_way_is_not_forgotten() -> None:
    in_flight = InFlight()
    in_flight.begin(PARCEL)
    in_flight.returned([FIRST.id])
    for number in range(10, 11 + PARCELS_BACK_MAX):
        one = said(WasPut("b", 1), number)
        in_flight.begin(Parcel(one.id, [one]))
        in_flight.returned([one.id])

    assert in_flight.begin(PARCEL) == [FIRST]
