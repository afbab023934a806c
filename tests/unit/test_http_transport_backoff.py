"""Posting to a service that is away, in virtual time."""

import asyncio

from listeners import Listener
from sagamart.messaging.transport.http import HttpTransport, NotPostedError
from simulation.virtual_loop import run_virtually
from unit.boxes import Put, said

AWAY_S = 2 * 60 * 60
PUT = said(Put("a"), 1)


def test_a_consumer_that_was_away_for_hours_is_told_when_it_is_back() -> None:
    async def run() -> None:
        is_back = asyncio.Event()

        async def post(_producer: str, _consumer: str, _lane: int, _messages: bytes) -> bytes:
            if not is_back.is_set():
                raise NotPostedError("nobody listens")
            return b"[]"

        producer = Listener("test")
        async with HttpTransport({"Put": ["two"]}, post) as transport:
            transport.connect(producer)
            transport.hand_over("test", [PUT])
            await asyncio.sleep(AWAY_S)
            is_back.set()
            await asyncio.sleep(60)

        assert producer.gone == [PUT.id]

    run_virtually(run())
