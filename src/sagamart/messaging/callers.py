"""Callers who wait for the answers to their requests.

Rules:
- The same request again, while it is being handled, waits for the same answer.
- A caller who gets no answer gets the reason (`Overloaded`, `Contended`) and may ask again under the same key.
"""

import asyncio

from sagamart.messaging.requests import Overloaded, Request, StoredReply


class Callers:
    """Those of one worker."""

    def __init__(self) -> None:
        self._answers: dict[str, asyncio.Future[StoredReply]] = {}
        self._joined: dict[str, tuple[bytes, asyncio.Future[StoredReply]]] = {}

    def same(self, request: Request) -> "asyncio.Future[StoredReply] | None":
        """The answer that the same request waits for already; whoever awaits it shields it."""
        joined = self._joined.get(request.key)
        return joined[1] if joined is not None and joined[0] == request.fingerprint else None

    async def wait(self, message_id: str, request: Request) -> StoredReply:
        """Wait for the answer to this message.  Raises what it is declined with."""
        answer: asyncio.Future[StoredReply] = asyncio.get_running_loop().create_future()
        self._answers[message_id] = answer
        self._joined[request.key] = (request.fingerprint, answer)
        try:
            return await asyncio.shield(answer)
        finally:
            self._joined.pop(request.key, None)

    def answer(self, message_id: str, reply: StoredReply) -> None:
        """This is the answer to it."""
        answer = self._answers.pop(message_id, None)
        if answer is not None and not answer.done():
            answer.set_result(reply)

    def decline(self, message_id: str, why: Overloaded) -> None:
        """It has no answer now."""
        answer = self._answers.pop(message_id, None)
        if answer is not None and not answer.done():
            answer.set_exception(why)
            answer.exception()  # its caller may have gone

    def decline_all(self) -> None:
        """Nothing is answered any more."""
        for message_id in list(self._answers):
            self.decline(message_id, Overloaded())
