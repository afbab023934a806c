"""Timers: messages to oneself, later.

Rules:
- A timer is one row per (key, name); the key is that of what it will say.  Arming it again gives a new generation,
  whose id is the firing's message id.
- The transaction that handles a firing deletes that generation; a firing that finds nothing to delete has no effect.
- That id carries the moment when the timer is due, so that a long wait does not make what follows look old.
- Any replica may fire.  A firing is offered again every `REFIRE_S` until it is handled.
"""

import msgspec

REFIRE_S = 10


class ArmedTimer(msgspec.Struct, frozen=True):
    """Fires `message` (encoded; its id is the generation) after `after_s` seconds of the database's clock."""

    key: str
    name: str
    generation: str
    after_s: float
    message: bytes


STILL_ARMED = (
    "select generation::text as generation from timers"
    " where key = any({}::text[]) and generation = any({}::uuid[]) order by key, name for update"
)
ARM = (
    "insert into timers (key, name, generation, due_at, message)"
    " select r ->> 0, r ->> 1, (r ->> 2)::uuid, now() + make_interval(secs => (r ->> 3)::float8),"
    " substring({}::bytea from (r ->> 4)::int for (r ->> 5)::int) from jsonb_array_elements({}::jsonb) r"
    " on conflict (key, name) do update"
    " set generation = excluded.generation, due_at = excluded.due_at, message = excluded.message"
)
DISARM = (
    "delete from timers where ctid = any(array("
    "select t.ctid from jsonb_array_elements({}::jsonb) r"
    " cross join lateral (select ctid from timers i where i.key = r ->> 0 and i.name = r ->> 1 limit 1) t))"
)
"""By place, each looked up: a table that was vacuumed while it was empty is planned as one row, and read whole.

A timer that moves at this moment is left standing; its firing finds nothing to do.
"""
DUE = f"""
    update timers set due_at = now() + interval '{REFIRE_S} s'
    where ctid = any(array(
        select ctid from timers where due_at <= now() order by due_at limit $1 for update skip locked
    ))
    returning name, message
"""
