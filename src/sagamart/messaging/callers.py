"""Callers who wait for the answers to their requests.

Rules:
- The same request again, while it is being handled, waits for the same answer.
- A caller who gets no answer gets the reason (`Overloaded`, `Contended`) and may ask again under the same key.
- A caller who goes away takes nothing from others who wait for the same answer: each has a future of its own.
"""

import asyncio
from typing import NamedTuple

from sagamart.messaging.requests import Overloaded, Request, StoredReply


class Asked(NamedTuple):
    """A request that is being handled, and whoever waits for its answer."""

    request: Request
    waiting: "list[asyncio.Future[StoredReply]]"


class Callers:
    """Those of one worker."""

    def __init__(self) -> None:
        self._asked: dict[str, Asked] = {}
        self._by_key: dict[str, Asked] = {}

    def join(self, request: Request) -> "asyncio.Future[StoredReply] | None":
        """The answer that the same request gets, where that is being handled already; None where it is not."""
        asked = self._by_key.get(request.key)
        if asked is None or asked.request.fingerprint != request.fingerprint:
            return None
        return _one_more(asked)

    def begin(self, message_id: str, request: Request) -> "asyncio.Future[StoredReply]":
        """The answer to this message.  It raises what it is declined with."""
        asked = self._asked[message_id] = self._by_key[request.key] = Asked(request, [])
        return _one_more(asked)

    def answer(self, message_id: str, reply: StoredReply) -> None:
        """This is the answer to it."""
        for answer in self._done(message_id):
            answer.set_result(reply)

    def decline(self, message_id: str, why: Overloaded) -> None:
        """It has no answer now."""
        for answer in self._done(message_id):
            answer.set_exception(why)

    def decline_all(self) -> None:
        """Nothing is answered any more."""
        for message_id in list(self._asked):
            self.decline(message_id, Overloaded())

    def _done(self, message_id: str) -> "list[asyncio.Future[StoredReply]]":
        """Those who still wait for this answer; nobody can join them any more."""
        asked = self._asked.pop(message_id, None)
        if asked is None:
            return []
        if self._by_key.get(asked.request.key) is asked:
            del self._by_key[asked.request.key]
        return [answer for answer in asked.waiting if not answer.done()]


def _one_more(asked: Asked) -> "asyncio.Future[StoredReply]":
    answer: asyncio.Future[StoredReply] = asyncio.get_running_loop().create_future()
    asked.waiting.append(answer)
    return answer
