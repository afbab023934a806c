"""The drawings of the styles show what is said: each is compared with a run of the shop.

KEEP_RUNS=1 writes the runs down instead; `make docs` draws them.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sagamart.blueprints.runs import LANES, RUNS, Run, Saying
from sagamart.messaging.fold import Arrival, Batch
from sagamart.messaging.requests import StoredReply
from sagamart.styles import Style
from styles_street import OpenStreet, Street

TOP = Path(__file__).parents[2]
CONFIRMATION = "EmailConfirmationRequested"
"""Said when somebody registers, in every style alike, and at no moment of its own: it is not drawn."""
TITLES: dict[Style, tuple[str, str]] = {
    "facts": ("Event collaboration: facts only", "a message by the transport, handled after the sender's commit"),
    "http-events": ("HTTP, and thin events for notifications", "an event over the broker"),
    "http": ("HTTP only", "a message posted over HTTP, answered once it is committed"),
}


class Recorder:
    """Hears what is said on a street."""

    def __init__(self, street: Street) -> None:
        self.heard: list[Saying] = []
        self._known: set[tuple[str, str]] = set()
        for door in street.doors.values():
            for name, running in door.shop.services.items():
                if name in LANES:
                    running.worker.on_batch.append(self._listener(name))
        calls = street.doors["front"].shop.calls
        if calls is not None:
            self._overhear_reads(calls)

    def part(self, answer: Saying) -> tuple[Saying, ...]:
        """What was said since the last part, and the answer to the customer, which nothing waits for."""
        heard, self.heard = self.heard, []
        self._known.clear()
        replies = [place for place, one in enumerate(heard) if one.how == "reply" and one.receiver == answer.sender]
        at = replies[-1] + 1 if replies and answer.sender == "orders" else 1
        return (*heard[:at], answer, *_steady(heard[at:]))

    def _is_new(self, service: str, said: str) -> bool:
        """Whether a service has not heard this before: whatever is slow here may come twice."""
        place = (service, said)
        is_new = place not in self._known
        self._known.add(place)
        return is_new

    def _listener(self, service: str) -> Any:
        def listen(batch: Batch, _seconds: float) -> None:
            for arrival in batch.arrivals:
                if self._is_new(service, arrival.message.id):
                    self.heard += _sayings(service, arrival, batch.replies.get(arrival.message.id))

        return listen

    def _overhear_reads(self, calls: Any) -> None:
        read = calls.read

        async def overheard(service: str, key: str) -> bytes:
            found: bytes = await read(service, key)
            if not self._is_new(service, key):
                return found
            what = {"orders": "GET the order", "accounts": "GET the customer"}[service]
            self.heard.append(Saying("notifications", service, what, "read"))
            return found

        calls.read = overheard


def _sayings(service: str, arrival: Arrival, reply: StoredReply | None) -> list[Saying]:
    message, request = arrival.message, arrival.request
    if request is None:
        # An outcome was said in the response already.
        if message.source == service or message.type == CONFIRMATION:
            return []
        return [Saying(message.source, service, message.type, "message")]
    if request.answers is None:
        _, method, path, _ = request.key.split(" ", 3)
        return [Saying("customer", service, f"{method} {path}", "request")]
    assert reply is not None
    answers = ", ".join(one["type"] for one in msgspec.json.decode(reply.body)) or "200"
    return [
        Saying(message.source, service, message.type, "call"),
        Saying(service, message.source, answers, "reply"),
    ]


def _steady(heard: Sequence[Saying]) -> list[Saying]:
    """Reads that are made at the same time, in one order."""
    reads = sorted((one for one in heard if one.how == "read"), key=lambda one: one.receiver, reverse=True)
    turns = iter(reads)
    return [next(turns) if one.how == "read" else one for one in heard]


@pytest.mark.parametrize("style", TITLES)
async def test_a_run_says_what_its_drawing_shows(open_street: OpenStreet, style: Style) -> None:
    street = await open_street(style)
    recorder = Recorder(street)
    ann = await street.registered("ann")
    await street.until_told(ann, "wallet_opened")
    registered = recorder.part(Saying("accounts", "customer", "201 registered", "answer"))
    await street.deposit(ann, 500)
    recorder.heard.clear()

    paid = await street.orders(ann)
    await street.until_told(ann, "wallet_opened", "order_completed")
    bought = recorder.part(Saying("orders", "customer", _answer(paid.status_code, paid.json()), "answer"))
    unpaid = await street.orders(ann, "key-2")
    await street.until_told(ann, "wallet_opened", "order_completed", "order_cancelled")
    refused = recorder.part(Saying("orders", "customer", _answer(unpaid.status_code, unpaid.json()), "answer"))

    title, messages = TITLES[style]
    parts = {"Somebody registers": registered, "An order is paid": bought, "There is too little money": refused}
    run = Run(title, messages, parts)
    place = TOP / RUNS / f"{style}.json"
    if os.environ.get("KEEP_RUNS"):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(msgspec.json.format(msgspec.json.encode(run)) + b"\n")
    assert msgspec.json.decode(place.read_bytes(), type=Run) == run


def _answer(status: int, body: Any) -> str:
    return f"{status} {body.get('code') or body['status']}"
