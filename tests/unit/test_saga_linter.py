"""The saga linter: the shop's own table holds every rule, and each rule bites where something is planted."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from sagamart.blueprints.saga import THE_SAGA, Saga, lint
from sagamart.blueprints.saga.rules import RULES
from sagamart.contracts.order_requests import HoldRequested, ShipmentStopRequested
from sagamart.contracts.orders import OrderCancelled, OrderReturned
from sagamart.contracts.stock import SkuSoldOut, StockBooked, StockRefused
from sagamart.contracts.wallet import MoneyHeld
from sagamart.messaging.message import Body
from sagamart.messaging.service import Handler, Service
from sagamart.shop.orders.decide import learn, stay
from sagamart.shop.orders.lifecycle import State, Transition, never, to
from sagamart.shop.orders.messages import CancelOrder, OrderDeadline

Cells = Mapping[type[Body], Transition]


def planted(status: Any, on: Cells | None = None, *, without: type[Body] | None = None, **fields: Any) -> Saga:
    """The shop's saga with this status changed."""
    state = THE_SAGA.lifecycle[status]
    cells = {kind: cell for kind, cell in {**state.on, **(on or {})}.items() if kind is not without}
    return replace(THE_SAGA, lifecycle={**THE_SAGA.lifecycle, status: replace(state, on=cells, **fields)})


def rebuilt(service: Service, handlers: list[Handler[Any]]) -> Service:
    outside = [service.registry.types[name] for name in service.outside]
    return Service(
        service.name, tables=service.tables, handlers=handlers, migrations=service.migrations, outside=outside
    )


def deaf(name: str, kind: type[Body]) -> Saga:
    """The shop's saga where this service does not handle this message any more."""

    def without(service: Service) -> Service:
        kept: list[Handler[Any]] = [one for one in service.handlers.values() if one.takes is not kind]
        return rebuilt(service, kept)

    return replace(THE_SAGA, services=[without(one) if one.name == name else one for one in THE_SAGA.services])


def mute(name: str, kind: type[Body]) -> Saga:
    """The shop's saga where this service does not say this message any more."""

    def without(service: Service) -> Service:
        kept: list[Handler[Any]] = [
            replace(one, emits=tuple(sent for sent in one.emits if sent is not kind))
            for one in service.handlers.values()
        ]
        return rebuilt(service, kept)

    return replace(THE_SAGA, services=[without(one) if one.name == name else one for one in THE_SAGA.services])


PLANTED = [
    (
        planted("pay_pending", without=MoneyHeld),
        "pay_pending x MoneyHeld: every_pair_is_decided: nobody has decided what it means; give it a rule",
    ),
    (
        planted("capturing", {StockRefused: never("")}),
        "capturing x StockRefused: every_pair_is_decided: it cannot come, and nobody says why",
    ),
    (
        planted("cancelled", {CancelOrder: to(stay, "cancelled")}),
        "cancelled x CancelOrder: what_changes_nothing_says_why: it is passed over without a reason",
    ),
    (
        planted("cancelled", {MoneyHeld: to(stay, "cancelled", because="it is too late")}),
        "cancelled x MoneyHeld: no_fact_is_ignored: a fact about money or goods is ignored; note it with `learn`",
    ),
    (planted("pay_pending", deadline=None), "pay_pending: every_wait_has_a_deadline: it may wait for ever"),
    (
        planted("pay_pending", without=OrderDeadline),
        "pay_pending: every_wait_has_a_deadline: no timer of the order wakes it",
    ),
    (
        planted("pay_pending", {OrderDeadline: to(stay, "pay_pending", because="let us wait")}),
        "pay_pending x OrderDeadline: every_wait_has_a_deadline: it wakes the order for nothing",
    ),
    (
        planted("capturing", awaits=(StockBooked,)),
        "capturing x StockBooked: every_end_of_a_wait_leads_on: it is awaited and leads nowhere",
    ),
    (
        planted("booking_pending", undo=None),
        "booking_pending: every_step_can_be_undone: it may be undone, but nothing undoes it",
    ),
    (
        planted("completed", {CancelOrder: to(learn, "cancelled")}),
        "completed: every_step_can_be_undone: it may be undone, but nothing undoes it",
    ),
    (
        planted("completed", undo=OrderCancelled),
        "completed x OrderCancelled: every_step_can_be_undone: nothing ever sends what undoes it",
    ),
    (
        deaf("stock", OrderCancelled),
        "pay_pending x OrderCancelled: every_step_can_be_undone: stock was asked, and does not hear it",
    ),
    (
        deaf("shipping", ShipmentStopRequested),
        "paid x OrderCancelled: every_step_can_be_undone: shipping was asked, and does not hear it",
    ),
    (
        deaf("wallet", HoldRequested),
        "HoldRequested: every_message_has_an_ear: nobody hears it; handle it in a service, or say in PUBLIC for whom",
    ),
    (
        mute("stock", SkuSoldOut),
        "SkuSoldOut: every_message_has_an_ear: catalogue, orders waits for it, and nobody says it",
    ),
    (
        replace(THE_SAGA, public={**THE_SAGA.public, "HoldRequested": "webhooks"}),
        "HoldRequested: every_message_has_an_ear: it needs no declaration",
    ),
    (
        replace(THE_SAGA, lifecycle={**THE_SAGA.lifecycle, "lost": State(on={}, final=True)}),
        "lost: every_status_is_reached_and_left: no order ever gets there",
    ),
    (
        planted("capturing", {kind: to(learn, "capturing") for kind in THE_SAGA.messages.values()}),
        "capturing: every_status_is_reached_and_left: no way leads from it to an end",
    ),
    (
        planted("completed", deadline=60),
        "completed: every_status_is_reached_and_left: it is an end, and waits for something",
    ),
    (
        planted("capturing", {StockBooked: Transition(learn, ("heaven",))}),  # type: ignore[arg-type]  # no status at all
        "capturing x StockBooked: every_status_is_reached_and_left: it leads to heaven, which is no status",
    ),
]


def test_the_shops_saga_holds_every_rule() -> None:
    assert [str(finding) for finding in lint(THE_SAGA)] == []


@pytest.mark.parametrize(("saga", "found"), PLANTED, ids=[found.partition(";")[0] for _, found in PLANTED])
def test_a_planted_violation_is_named_with_what_to_do(saga: Saga, found: str) -> None:
    assert [line for line in map(str, lint(saga)) if line.startswith(found)]


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule.__name__ for rule in RULES} == {found.split(": ")[1] for _, found in PLANTED}


def test_a_fact_for_whoever_listens_needs_no_service_that_hears_it() -> None:
    saga = deaf("notifications", OrderReturned)
    assert [finding for finding in lint(saga) if finding.message == "OrderReturned"] == []
    quiet = deaf("wallet", HoldRequested)
    assert [
        one
        for one in lint(replace(quiet, public={**THE_SAGA.public, "HoldRequested": "for webhooks"}))
        if "hears" in one.found
    ] == []


def test_what_is_asked_of_the_world_outside_needs_no_service_that_hears_it() -> None:
    def outside(service: Service) -> Service:
        handlers = list(service.handlers.values())
        outside: list[type[Body]] = [HoldRequested, *(service.registry.types[name] for name in service.outside)]
        return Service(service.name, tables=service.tables, handlers=handlers, migrations="", outside=outside)

    quiet = deaf("wallet", HoldRequested)
    saga = replace(quiet, services=[outside(one) if one.name == "orders" else one for one in quiet.services])
    assert [one for one in lint(saga) if "hears" in one.found] == []


def test_the_command_says_that_the_saga_holds() -> None:
    command = [sys.executable, "-c", "from sagamart.cli import main; main()", "lint-saga"]
    told = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  fixed words
    assert told.returncode == 0, told.stdout + told.stderr
    assert "statuses" in told.stderr
