"""A reconciliation from its beginning to its end, for the command: begin it, wait for it, say what does not fit."""

import asyncio
import os
from typing import Any

from sagamart.messaging.message import Message, new_id
from sagamart.messaging.requests import request_of
from sagamart.messaging.worker import Node, Worker
from sagamart.shop.payments.messages import Reconcile

LASTS_S_MAX = 600
LOOK_S = 0.1
SHOWN_MAX = 1000


async def reconcile(worker: Worker, queries: Any, node: Node) -> list[str]:
    """What does not fit after everything that can be mended was.  Raises TimeoutError where the bank does not tell."""
    now = node.clock()
    message_id = new_id(now, os.urandom(10))
    body = Reconcile()
    message = Message(
        id=message_id,
        type="Reconcile",
        key=body.key,
        source="cli",
        at=now,
        correlation=message_id,
        body=body,
        node=node.name,
    )
    await worker.ask(message, request_of("cli", "reconcile", message_id, {}))
    async with asyncio.timeout(LASTS_S_MAX):
        while (await queries.reconciliation())["running"] or await queries.questions_left():  # noqa: ASYNC110  in a database
            await asyncio.sleep(LOOK_S)
    return await differences(queries)


async def differences(queries: Any) -> list[str]:
    """What a person has to look at, a line each."""
    return [
        *(
            f"the bank's entry {row['difference_id']}: {row['kind']} of {row['amount_minor']} {row['currency']}"
            f" under {row['bank_key']} is of no payment of ours ({row['found']})"
            for row in await queries.differences(limit=SHOWN_MAX)
        ),
        *(
            f"{row['payment_id']} is {row['status']} with {row['known_minor']}, the bank's statement says"
            f" {row['statement_minor']}"
            for row in await queries.payments_that_differ(limit=SHOWN_MAX)
        ),
        *(
            f"{row['payment_id']} brought {row['known_minor']}, which the wallet has not confirmed"
            for row in await queries.top_ups_without_credit(limit=SHOWN_MAX)
        ),
    ]
