"""Calls and reads between services: who is let in, and what comes back."""

from typing import Any, cast

import httpx
import msgspec
import pytest

from listeners import EMITS, TOKENS, Listener
from sagamart.messaging.message import Body, Message, encode
from sagamart.messaging.requests import Overloaded, StoredReply
from sagamart.platform.internal.listener import InternalListener
from unit.boxes import Hush, Put, said

CALL, READ = "/internal/calls/one", "/internal/reads/one/box-1"
PUT = encode(said(Put("a"), 1))


class Desk:
    """A service that is called: answers as `reply` says, and lets `test` read."""

    def __init__(self, reply: StoredReply | Overloaded = StoredReply(200, b"[]")) -> None:  # noqa: B008  immutable
        self.reply = reply
        self.asked: list[Message[Body]] = []

    async def answer(self, _service: str, message: Message[Body]) -> StoredReply:
        self.asked.append(message)
        if isinstance(self.reply, Overloaded):
            raise self.reply
        return self.reply

    def may_read(self, source: str, _service: str) -> bool:
        return source == "test"

    async def read(self, _service: str, key: str) -> bytes:
        if key != "box-1":
            raise LookupError(key)
        return b'{"box":1}'


def as_service(name: str | None) -> dict[str, str]:
    """What a request of this service to `one` says.  Made for each test: a token lives for minutes only."""
    return {} if name is None else {"Authorization": f"Bearer {TOKENS.sign(name, 'one')}"}


def listener(desk: Desk | None) -> httpx.AsyncClient:
    app = InternalListener(None, {"one": Listener("one", Put).service}, EMITS, TOKENS, desk)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=cast("Any", app)), base_url="http://one")


async def test_a_call_is_answered_in_its_response() -> None:
    desk = Desk(StoredReply(200, b'[{"type":"WasPut"}]'))
    answer = await listener(desk).post(CALL, content=PUT, headers=as_service("test"))
    assert (answer.status_code, answer.json(), desk.asked) == (200, [{"type": "WasPut"}], [said(Put("a"), 1)])


@pytest.mark.parametrize(
    ("content", "caller", "status"),
    [
        (PUT, None, 401),
        (PUT, "two", 403),
        (PUT + b"," + PUT, "test", 400),
        (encode(said(Hush("a"), 1)), "test", 400),
        (b"{", "test", 400),
    ],
    ids=["no token", "in the name of another", "two messages", "not handled here", "no JSON"],
)
async def test_what_is_no_call_of_this_service_is_refused(content: bytes, caller: str | None, status: int) -> None:
    desk = Desk()
    answer = await listener(desk).post(CALL, content=content, headers=as_service(caller))
    assert (answer.status_code, desk.asked) == (status, [])


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (Overloaded(), 503, "overloaded"),
        (StoredReply(500, msgspec.json.encode({"message_id": "secret"}), refused=True), 500, "call_failed"),
    ],
    ids=["full", "a fault"],
)
async def test_a_call_that_cannot_be_answered_says_so(reply: StoredReply | Overloaded, status: int, code: str) -> None:
    answer = await listener(Desk(reply)).post(CALL, content=PUT, headers=as_service("test"))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("path", "caller", "status"),
    [
        (READ, "test", 200),
        (READ, "two", 403),
        (READ, None, 401),
        ("/internal/reads/one/box-2", "test", 404),
        ("/internal/reads/two/box-1", "test", 404),
        (CALL, "test", 405),
    ],
)
async def test_only_who_needs_it_reads(path: str, caller: str | None, status: int) -> None:
    answer = await listener(Desk()).get(path, headers=as_service(caller))
    assert answer.status_code == status
    assert status != 200 or answer.json() == {"box": 1}


async def test_where_nobody_calls_there_is_nothing_to_call() -> None:
    closed = listener(None)
    assert (await closed.post(CALL, content=PUT, headers=as_service("test"))).status_code == 404
    assert (await closed.post("/internal/messages/one", content=b"[]", headers=as_service("test"))).status_code == 404
