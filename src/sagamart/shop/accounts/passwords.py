"""Passwords: hashed and checked away from the event loop, a few at a time.

Rules:
- argon2id with 64 MiB, 3 passes, 4 lanes: four times what RFC 9106 asks of a machine with little memory.
- Each hash costs 64 MiB while it is made, so at most `HASHING_THREADS_MAX` are made at a time, and at most
  `HASHINGS_ADMITTED_MAX` are wanted; one more is refused at once rather than queued for longer than anybody waits.
- An unknown user costs as much time as a wrong password.
- Passwords are normalised (NFKC), so that they do not depend on how a keyboard composes letters (NIST SP 800-63B).
"""

import asyncio
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

from sagamart.messaging.requests import Overloaded
from sagamart.shop.accounts.records import NOBODYS_HASH

HASHING_THREADS_MAX = 4
HASHINGS_ADMITTED_MAX = 32
PASSWORD_CHARACTERS_MIN = 8
PASSWORD_CHARACTERS_MAX = 128

T = TypeVar("T")

_argon2 = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=32, salt_len=16, type=Type.ID)

COMMON = frozenset((files("sagamart.shop.accounts") / "common_passwords.txt").read_text("utf-8").split())


def is_guessable(password: str, email: str) -> bool:
    """Whether the password is among those that are tried first: the well-known ones, and the user's own address."""
    folded = normalised(password).casefold()
    return folded in COMMON or folded in (email.casefold(), email.casefold().partition("@")[0])


def normalised(password: str) -> str:
    """The password in one form of Unicode."""
    return unicodedata.normalize("NFKC", password)


class Passwords:
    """The pool of threads in which passwords are hashed and checked."""

    def __init__(self, admitted_max: int = HASHINGS_ADMITTED_MAX) -> None:
        self._threads = ThreadPoolExecutor(HASHING_THREADS_MAX, thread_name_prefix="passwords")
        self._admitted = threading.BoundedSemaphore(admitted_max)

    async def hash(self, password: str) -> str:
        """The password's argon2id hash in its encoded form.  Raises Overloaded."""
        return await self._in_thread(lambda: _argon2.hash(normalised(password)))

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether this is the password; None stands for a user who does not exist.  Raises Overloaded."""
        return await self._in_thread(lambda: _matches(password, password_hash or NOBODYS_HASH))

    def close(self) -> None:
        """Let the threads go, once the hashes that are being made are done."""
        self._threads.shutdown(cancel_futures=True)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if not self._admitted.acquire(blocking=False):
            raise Overloaded
        running = self._threads.submit(work)
        running.add_done_callback(lambda _: self._admitted.release())
        return await asyncio.wrap_future(running)


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _argon2.verify(password_hash, normalised(password))
    except VerifyMismatchError:
        return False


PASSWORDS = Passwords()
"""The pool of this process: its threads start when they are needed."""
