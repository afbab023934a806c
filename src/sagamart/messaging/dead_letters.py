"""Dead letters: messages that cannot be handled, kept with their error, and the keys that they park.

Rules:
- One poisoned message goes here; all others of its batch go on.
- While a message of a key is dead, later messages of that key wait here too (`waiting`), in order.  Requests pass.
- An operator releases or discards.  A released message is tried again; once no message of the key is dead, the waiting
  ones follow.  A message leaves this table in the transaction that handles it.
- What this version cannot read is kept as it came.  Released, it is read again, perhaps by a later version that can;
  if not, it is dead again.
- A bad deployment must not drain the topic into the bin: `DEAD_IN_A_ROW_MAX` dead letters in a row stop the worker.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from sagamart.messaging.message import Body, Message, names_of_trace, span_id

DEAD_IN_A_ROW_MAX = 50
ATTEMPTS_MAX = 3
"""How often a message may be under way when the process dies before it counts as poison."""

RETRY_LETTER_S = 10

LetterStatus = Literal["dead", "waiting", "released", "discarded"]


class PoisonError(Exception):
    """This one message is poison: the database refused what was decided for it, or it keeps killing the process."""


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that could not be handled, and why."""

    message: Message[Body]
    error: str
    status: LetterStatus = "dead"


def told_of(letter: DeadLetter, service: str) -> Mapping[str, str | None]:
    """What the log of this service says of a letter."""
    message = letter.message
    named = {name: getattr(message, name) for name in ("type", "key", "correlation")}
    named |= {"service": service, "message_id": message.id, "span.id": span_id(message.id, service)}
    return {"error": letter.error, **named, **names_of_trace(message.trace)}


class UnreadableLetter(msgspec.Struct, frozen=True):
    """What came and cannot be read: `message` is JSON with at least the three fields before it, and all that came."""

    id: str
    key: str
    type: str
    error: str
    message: bytes


class _Label(msgspec.Struct):
    id: str
    key: str
    type: str


_label = msgspec.json.Decoder(_Label)


def unreadable(stored: bytes, error: Exception) -> UnreadableLetter:
    """A stored letter that still cannot be read.  Raises msgspec.MsgspecError where not even its label can."""
    label = _label.decode(stored)
    return UnreadableLetter(label.id, label.key, label.type, f"{type(error).__name__}: {error}", stored)


PARKED = "select array_agg(distinct key) from dead_letters where key = any({}::text[]) and status <> 'discarded'"
BURY = (
    "insert into dead_letters (id, key, type, status, error, message)"
    " select * from unnest({}::uuid[], {}::text[], {}::text[], {}::text[], {}::text[], {}::bytea[])"
    " on conflict (id) do update set status = excluded.status, error = excluded.error"
    " where excluded.status = 'dead'"
)
BURY_UNREADABLE = """
    insert into dead_letters (id, key, type, status, error, message)
    select l.id, l.key, l.type, 'dead', l.error, l.message
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[]) as l (id, key, type, error, message)
    where not exists (select from inbox where inbox.id = l.id)
    on conflict (id) do update set status = 'dead', error = excluded.error where dead_letters.status <> 'discarded'
"""
REVIVED = "delete from dead_letters where id = any({}::uuid[])"
DUE = f"""
    update dead_letters set retry_at = now() + interval '{RETRY_LETTER_S} s'
    where id = any(array(
        select id from dead_letters l
        where retry_at <= now() and (status = 'released' or (status = 'waiting' and not exists (
            select from dead_letters d where d.key = l.key and d.status = 'dead')))
        order by id limit $1 for update skip locked
    ))
    returning message
"""
ATTEMPTS = """
    insert into attempts (id) select unnest($1::uuid[])
    on conflict (id) do update set attempts = attempts.attempts + 1 returning id::text, attempts
"""
ATTEMPTS_OVER = "delete from attempts where id = any({}::uuid[])"
