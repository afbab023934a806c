"""The internal listener lets in services with messages of their own, and nobody and nothing else."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import httpx
import msgspec
import pytest

from http_shop import ADMIN, open_shop
from http_shop import TOKENS as PEOPLE
from listeners import EMITS, TOKENS, Listener
from sagamart.messaging.dead_letters import UnreadableLetter
from sagamart.messaging.message import Body, Message, encode
from sagamart.messaging.transport.http import NothingTakenError
from sagamart.platform.internal.listener import BODY_BYTES_MAX, MESSAGES_MAX, InternalListener
from unit.boxes import Break, Put, WasPut, said

PUT = encode(said(Put("a"), 1))
ONE = "/internal/messages/one"


class Inbox:
    """Takes what comes."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.taken: list[Message[Body]] = []
        self.buried: list[UnreadableLetter] = []

    async def receive(self, _consumer: str, messages: Sequence[Message[Body]]) -> list[str]:
        if self.full:
            raise NothingTakenError
        self.taken += messages
        return []

    async def bury(self, _consumer: str, letters: Sequence[UnreadableLetter]) -> None:
        self.buried += letters


def listener(inbox: Inbox) -> httpx.AsyncClient:
    app = InternalListener(inbox, {"one": Listener("one", Put, WasPut).service}, EMITS, TOKENS)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=cast("Any", app)), base_url="http://one")


def as_test() -> dict[str, str]:
    """What the service `test` shows to the service `one`; it is valid for a minute only."""
    return {"Authorization": f"Bearer {TOKENS.sign('test', 'one')}"}


def posted(*raws: bytes) -> bytes:
    return b"[%s]" % b",".join(raws)


async def test_messages_of_a_service_are_taken() -> None:
    inbox = Inbox()
    answer = await listener(inbox).post(ONE, content=posted(PUT), headers=as_test())
    assert (answer.status_code, answer.json(), inbox.taken) == (200, [], [said(Put("a"), 1)])


@pytest.mark.parametrize(
    "shown",
    [
        dict,
        lambda: {"Authorization": "Basic dGVzdDp0ZXN0"},
        lambda: {"Authorization": f"Bearer {PEOPLE.sign(ADMIN)}"},
        lambda: {"Authorization": f"Bearer {TOKENS.sign('test', 'two')}"},
        lambda: {"Authorization": "Bearer x"},
    ],
    ids=["nobody", "password", "an administrator", "a token for another service", "rubbish"],
)
async def test_nobody_but_a_service_that_calls_this_one_is_let_in(shown: Callable[[], dict[str, str]]) -> None:
    inbox = Inbox()
    answer = await listener(inbox).post(ONE, content=posted(PUT), headers=shown())
    assert (answer.status_code, answer.json()["code"], inbox.taken) == (401, "unauthenticated", [])


@pytest.mark.parametrize(
    "message",
    [
        said(Break("a")),
        msgspec.structs.replace(said(Put("a")), source="two"),
    ],
    ids=["a type that it never sends", "a message of another service"],
)
async def test_a_service_says_only_what_it_may_say(message: Message[Any]) -> None:
    inbox = Inbox()
    answer = await listener(inbox).post(ONE, content=posted(PUT, encode(message)), headers=as_test())
    assert (answer.status_code, answer.json()["code"], inbox.taken) == (403, "forbidden", [])


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", ONE, b"", 405),
        ("POST", "/internal/messages/two", posted(PUT), 404),
        ("POST", "/v1/orders", b"", 404),
        ("POST", ONE, b"{}", 400),
        ("POST", ONE, b"[{}]", 400),
        ("POST", ONE, b"\xff", 400),
        ("POST", ONE, b" " * (BODY_BYTES_MAX + 1), 413),
        ("POST", ONE, posted(*[PUT] * (MESSAGES_MAX + 1)), 413),
    ],
)
async def test_what_is_no_post_of_messages_is_refused(method: str, path: str, content: bytes, status: int) -> None:
    inbox = Inbox()
    answer = await listener(inbox).request(method, path, content=content, headers=as_test())
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert inbox.taken == []


async def test_a_service_that_takes_nothing_says_when_to_come_again() -> None:
    answer = await listener(Inbox(full=True)).post(ONE, content=posted(PUT), headers=as_test())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_message_that_this_version_cannot_read_is_kept_for_an_operator() -> None:
    inbox = Inbox()
    newer = msgspec.structs.replace(said(WasPut("a", 1), 2), schema=9)
    answer = await listener(inbox).post(ONE, content=posted(PUT, encode(newer)), headers=as_test())
    assert (answer.json(), inbox.taken) == ([], [said(Put("a"), 1)])
    assert [letter.id for letter in inbox.buried] == [newer.id]


def test_the_public_listener_takes_no_messages_from_other_services() -> None:
    with open_shop() as client:
        assert client.post("/internal/messages/orders", content=posted(PUT), headers=as_test()).status_code == 404
