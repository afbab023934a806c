"""The audit finds what is wrong in a shop, names it, and is silent about a shop in which all is well.

The clean shop is a real one: its services ran, and orders went every way. Each corruption is planted in a copy of one
of its databases.
"""

import asyncio

import pytest

from audit_corruptions import CORRUPTIONS, OUTBOX, YOUNG_ID, Corruption
from audited_shop import ANN, BOB, CleanShop, Corrupted, execute, value
from sagamart.audit import INVARIANTS, audit
from sagamart.slices import SLICES


async def test_a_clean_shop_has_no_findings(clean: CleanShop) -> None:
    assert await audit(clean.dsns, settle_s=0) == []


async def test_the_orders_of_the_clean_shop_went_different_ways(clean: CleanShop) -> None:
    statuses = await value(
        clean.dsns["orders"], "select array_agg(coalesce(reason, status) order by order_id) from orders"
    )

    assert statuses == [
        "completed",
        "stock_refused",
        "money_refused",
        "completed",
        "cancelled_by_customer",
        "cancelled_by_customer",
        "stock_revoked",
    ]


@pytest.mark.parametrize("service", SLICES)
async def test_one_service_can_be_audited_alone(clean: CleanShop, service: str) -> None:
    assert await audit({service: clean.dsns[service]}, settle_s=0) == []


def test_each_invariant_has_a_corruption() -> None:
    assert {planted.invariant for planted in CORRUPTIONS} == set(INVARIANTS) == set(range(1, 17))


@pytest.mark.parametrize("planted", CORRUPTIONS, ids=lambda one: f"{one.invariant} {one.sql[:60]}")
async def test_what_is_corrupted_is_found_and_named(
    planted: Corruption, clean: CleanShop, corrupted: Corrupted
) -> None:
    dsns = await corrupted(planted.service, planted.sql)

    found = await audit(dsns, settle_s=0)

    named = planted.subject.format(**clean.orders, ANN=ANN, BOB=BOB)
    assert (planted.invariant, named) in {(finding.invariant, finding.subject) for finding in found}


@pytest.mark.parametrize(("service", "kind"), [("wallet", "deposit"), ("stock", "received")])
async def test_a_movement_that_was_acknowledged_and_is_gone_is_found(
    service: str, kind: str, clean: CleanShop, corrupted: Corrupted
) -> None:
    table = {"wallet": "postings", "stock": "movements"}[service]
    gone = await value(clean.dsns[service], f"select min(movement_id) from {table} where kind = '{kind}'")
    dsns = await corrupted(service, f"delete from {table} where kind = '{kind}'")

    found = await audit(dsns, settle_s=0)

    assert (14, gone) in {(finding.invariant, finding.subject) for finding in found}


async def test_a_finding_says_what_is_wrong_in_words(clean: CleanShop, corrupted: Corrupted) -> None:
    untold = "delete from notifications where notification_id = '{completed}/order_completed'"
    dsns = await corrupted("notifications", untold)

    (finding,) = await audit(dsns, settle_s=0)

    order = clean.orders["completed"]
    assert str(finding) == f"10. every message has its effect: {order}: completed, but nobody was told"


async def test_dead_letters_are_counted_by_type_with_what_they_are_about(corrupted: Corrupted) -> None:
    bury = "insert into dead_letters select gen_random_uuid(), 'ord_{}', 'OrderPaid', 'dead', 'KeyError: mug', ''"
    dsns = await corrupted("stock", f"{bury.format('a')}; {bury.format('b')}")

    (finding,) = await audit(dsns, settle_s=0)

    assert finding.seen == "stock: 2 messages of OrderPaid, about ord_a, ord_b: KeyError: mug"


@pytest.mark.parametrize(
    "mend",
    [
        'update orders set known = \'[[1, "booked"], [1, "captured"], [1, "held"]]\' where order_id = \'{completed}\'',
        "update orders set version = version + 1 where order_id = '{completed}'",
        OUTBOX.format(YOUNG_ID, "20 s"),
    ],
    ids=["mended", "moved on", "a message about it is under way"],
)
async def test_what_does_not_last_is_no_finding(mend: str, clean: CleanShop, corrupted: Corrupted) -> None:
    dsns = await corrupted("orders", "update orders set known = '[[1, \"booked\"], [1, \"held\"]]', version = 3"
                                     " where order_id = '{completed}'")  # fmt: skip
    lasting = await audit(dsns, settle_s=0)
    assert {finding.subject for finding in lasting} == {clean.orders["completed"]}
    assert 10 in {finding.invariant for finding in lasting}

    waiting = asyncio.Event()

    async def mend_while_it_waits() -> None:
        await waiting.wait()
        await execute(dsns["orders"], mend.format(**clean.orders))

    found, _ = await asyncio.gather(
        audit(dsns, settle_s=2, progress=lambda text: waiting.set() if "again" in text else None),
        mend_while_it_waits(),
    )

    assert not any(finding.invariant == 10 for finding in found)
