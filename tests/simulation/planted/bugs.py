"""The list of well-known bugs of such systems, and of each the plants by which this suite shows that it would find it.

A plant changes the running code; what is named beside it has to find something then, and nothing without it.  It is the
cheapest layer that can see the bug: a rule's own test before what holds for twin and PostgreSQL before the simulation.
The list is written down in `docs/reference/planted-bugs.md`.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest

from architecture import test_source_rules as source_rules
from conformance import test_batches as batches
from conformance import test_sweeps as sweeps
from conformance.sides import TwinSide
from sagamart.messaging.database import UnavailableError
from simulation import test_a_payment_in_any_sequence
from simulation.planted import deciding, delivering, shopping
from simulation.planted.finding import Finder, Guard, Itself, Seeds
from unit import (
    test_bank_calls,
    test_fold,
    test_kafka_inbound,
    test_kafka_offsets,
    test_order_numbers,
    test_payments_signatures,
    test_saga_linter,
    test_wallet_rules,
    test_worker,
)

RARE = Seeds(70)
"""For what needs many things to come together."""

ANY = Seeds()


class Planted(NamedTuple):
    """How a bug is put in (None: its finder does that), and what finds it."""

    plant: Callable[[pytest.MonkeyPatch], None] | None
    found_by: Finder

    @property
    def told(self) -> str:
        """How it is put in, for readers."""
        return (self.plant.__doc__ or "") if self.plant is not None else "A file with it is shown to the rule."


WELL_KNOWN: Mapping[str, tuple[Planted, ...]] = {
    "outbox read by `id > last`": (
        Planted(
            delivering.outbox_read_by_a_cursor,
            Guard(sweeps.test_a_parcel_that_is_committed_late_is_leased_after_younger_ones, side=TwinSide),
        ),
    ),
    "offsets committed before the database": (
        Planted(
            delivering.offsets_before_the_database,
            Guard(test_kafka_inbound.test_an_offset_may_be_committed_when_the_database_has_its_message_and_not_before),
        ),
    ),
    "dedup by offset": (
        Planted(
            delivering.dedup_by_offset,
            Guard(test_kafka_inbound.test_a_message_that_lies_twice_in_the_log_is_one_message),
        ),
    ),
    "dedup outside the transaction": (Planted(deciding.inbox_outside_the_transaction, ANY),),
    "inbox pruned too early": (
        Planted(
            deciding.inbox_pruned_early,
            Guard(test_worker.test_a_message_that_comes_again_after_the_inbox_was_pruned_counts_once),
        ),
    ),
    "no version check": (
        Planted(
            deciding.no_version_check,
            Guard(batches.test_a_record_is_saved_only_over_the_version_that_was_loaded, side=TwinSide),
        ),
    ),
    "rows locked in arrival order": (
        Planted(
            deciding.locks_in_order_of_arrival,
            Guard(test_fold.test_a_batch_asks_for_its_records_in_the_order_of_their_keys_whatever_came_first),
        ),
    ),
    "decide reading the clock": (Planted(None, Itself(source_rules.test_a_decider_that_reaches_outside_is_refused)),),
    "reply before commit": (Planted(deciding.reply_before_the_commit, ANY),),
    "timer not disarmed or not transactional": (
        Planted(delivering.timer_not_disarmed, Guard(test_fold.test_a_firing_is_handled_once_and_its_timer_goes)),
        Planted(
            delivering.timer_outside_the_transaction,
            Guard(sweeps.test_a_timer_fires_when_it_is_due_and_again_until_it_is_handled, side=TwinSide),
        ),
    ),
    "late payment dropped": (
        Planted(shopping.late_money_dropped, Guard(test_saga_linter.test_the_shops_saga_holds_every_rule)),
    ),
    "hold released twice": (
        Planted(
            shopping.hold_released_twice,
            Guard(
                test_wallet_rules.test_any_order_and_doubling_of_a_hold_and_its_release_ends_the_same,
                heard=lambda: ("hold", "hold", "release", "release"),
            ),
        ),
        Planted(shopping.reservation_released_twice, ANY),
    ),
    "capture before stock booked": (Planted(shopping.capture_before_the_booking, ANY),),
    "the same id twice in one batch": (
        Planted(deciding.same_id_twice_in_a_batch, Guard(test_fold.test_the_same_id_twice_in_one_batch_counts_once)),
    ),
    "derived ids without the service's name": (
        Planted(
            deciding.ids_without_the_service, Guard(test_fold.test_two_services_that_answer_one_fact_do_not_collide)
        ),
    ),
    "release without tombstone": (Planted(shopping.release_without_a_tombstone, ANY),),
    "save only when version = old + 1 of a folded row": (
        Planted(deciding.only_the_next_version, Guard(batches.test_a_folded_record_may_skip_versions, side=TwinSide)),
    ),
    "inbox rows inserted unsorted": (
        Planted(
            deciding.inbox_unsorted,
            Guard(test_fold.test_a_batch_notes_what_it_handled_in_the_order_of_ids_whatever_came_first),
        ),
    ),
    "offsets of the last finished batch instead of the contiguous prefix": (
        Planted(
            delivering.offsets_of_the_last_finished,
            Guard(test_kafka_offsets.test_an_unfinished_record_holds_back_all_that_follow_it),
        ),
    ),
    "all outbox rows resent at start": (
        Planted(
            delivering.outbox_sent_again_at_every_start,
            Guard(sweeps.test_a_node_that_begins_again_takes_back_its_own_leases_only, side=TwinSide),
        ),
    ),
    "“not found” taken for “failed”": (
        Planted(
            shopping.not_found_taken_for_failed,
            Guard(test_bank_calls.test_a_bank_that_does_not_find_a_payment_has_not_answered),
        ),
    ),
    "refund of the gross instead of what was paid": (Planted(shopping.refund_of_the_gross, ANY),),
    "partial payments summed without the ones in flight": (Planted(shopping.parts_without_those_in_flight, ANY),),
    "idempotency key without content check": (
        Planted(
            deciding.key_without_its_content,
            Guard(test_fold.test_the_same_key_gets_the_stored_answer_and_other_content_a_refusal),
        ),
    ),
    "key shared between customers": (
        Planted(
            deciding.key_shared_between_callers,
            Guard(test_worker.test_the_same_key_of_two_customers_or_for_two_wishes_is_not_the_same_request),
        ),
    ),
    "refusal swallowed": (
        Planted(shopping.refusal_swallowed, Guard(test_saga_linter.test_the_shops_saga_holds_every_rule)),
    ),
    "poison skipped silently": (
        Planted(
            deciding.poison_skipped,
            Guard(test_fold.test_a_handler_that_raises_poisons_its_message_and_parks_its_key_only),
        ),
    ),
    "key not parked": (
        Planted(
            deciding.key_not_parked,
            Guard(test_fold.test_a_handler_that_raises_poisons_its_message_and_parks_its_key_only),
        ),
    ),
    "retry without backoff": (
        Planted(
            delivering.retry_without_backoff,
            Guard(
                test_worker.test_a_database_in_trouble_is_left_some_time,
                error=lambda: UnavailableError("gone"),
            ),
        ),
    ),
    "unbounded queue": (
        Planted(delivering.queue_without_bound, Guard(test_worker.test_messages_are_taken_as_far_as_there_is_room)),
    ),
    "webhook signature over re-serialised JSON": (
        Planted(
            shopping.signature_over_other_bytes,
            Guard(test_payments_signatures.test_the_bytes_that_came_are_what_was_signed_not_what_they_mean),
        ),
    ),
    "webhook without replay window": (
        Planted(
            shopping.webhook_of_any_age,
            Guard(
                test_payments_signatures.test_what_was_caught_once_cannot_be_used_later,
                off_s=lambda: 301,
                counts=lambda: False,
            ),
        ),
    ),
    "bank retry under a new key": (Planted(shopping.bank_asked_under_another_key, ANY),),
    "float money": (Planted(None, Itself(source_rules.test_money_that_is_no_whole_number_is_refused)),),
    "currency ignored": (
        Planted(
            shopping.currency_ignored,
            Guard(
                test_wallet_rules.test_money_of_another_currency_is_refused,
                command=lambda: test_wallet_rules.deposit(100, "EUR"),
            ),
        ),
    ),
    "promo given back twice": (Planted(shopping.promo_given_back_twice, ANY),),
    "reservation restored for the wrong quantity": (Planted(shopping.goods_back_in_the_wrong_quantity, ANY),),
    "order number reused": (
        Planted(shopping.order_number_reused, Guard(test_order_numbers.test_no_two_orders_have_one_number)),
    ),
}
"""The bugs that everybody who builds such a system has met, or will."""

OURS: Mapping[str, tuple[Planted, ...]] = {
    "inbox not looked at": (Planted(deciding.no_inbox, ANY),),
    "outbox never sent again": (Planted(delivering.outbox_never_sent_again, ANY),),
    "parcel leaves after it was stopped": (Planted(shopping.parcel_leaves_after_it_was_stopped, RARE),),
    "deadline not armed again": (Planted(shopping.deadline_not_armed_again, ANY),),
    "charge believed while it is let go": (
        Planted(
            shopping.charge_believed_while_it_is_let_go,
            Guard(test_a_payment_in_any_sequence.test_shop_and_bank_have_the_same_money_in_the_end),
        ),
    ),
}
"""More of them."""
