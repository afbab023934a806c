"""What a call to the bank carries besides what is asked."""

import asyncio
from typing import Any

import pytest

from sagamart.messaging.outside import calling
from sagamart.shop.payments.http_bank import HttpBank
from sagamart.shop.payments.outside import BankSilentError

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize(("trace", "told"), [(TRACE, [f"traceparent: {TRACE}"]), (None, [])])
async def test_the_bank_is_told_the_trace_that_a_call_belongs_to(trace: str | None, told: list[str]) -> None:
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(NOT_FOUND)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        bank = HttpBank(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "key")
        before = calling.set(trace)
        with pytest.raises(BankSilentError):
            await bank.state("pay_1")
        calling.reset(before)
        await bank.close()

    assert [line for line in heads[0].splitlines() if line.startswith("traceparent")] == told


class BankWithoutAMemory(HttpBank):
    async def _call(self, *_asked: Any, **_more: Any) -> tuple[int, bytes]:
        return 404, b"{}"


async def test_a_bank_that_does_not_find_a_payment_has_not_answered() -> None:
    bank = BankWithoutAMemory("http://127.0.0.1:1", "key")
    with pytest.raises(BankSilentError):
        await bank.state("pay_1")
    await bank.close()
