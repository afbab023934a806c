"""The outbox: messages that were decided, written in the transaction that decided them.

Rules:
- A row lives until the transport has said that the message arrived for good.  There is no cursor to read past a late
  committer.
- The worker that wrote a row hands it over from memory right after the commit, under a lease of `LEASE_S`.
- A sweep, in whichever replica, takes rows whose lease ran out.  A node that starts again under its own name takes its
  rows back at once; the rows of living siblings stay theirs.
- Handing over never blocks: what a full consumer cannot take stays here and is offered again after `RETRY_S`.
"""

LEASE_S = 30
"""How long a message may be under way before another replica may send it again."""

RETRY_S = 0.5
"""When to offer again what a full consumer could not take.  Failed calls to the outside wait longer: `outside.py`."""

WRITE = (
    "insert into outbox (lease_owner, lease_until, id, type, key, cause, message)"
    f" select {{}}::text, now() + interval '{LEASE_S} s', (r ->> 0)::uuid, r ->> 1, r ->> 2, (r ->> 3)::uuid, message"
    " from rows from (jsonb_array_elements({}::jsonb), unnest({}::bytea[])) as o(r, message)"
)
ARRIVED = "delete from outbox where id = any({}::uuid[])"
DUE = f"""
    update outbox set lease_owner = $1, lease_until = now() + interval '{LEASE_S} s'
    where id = any(array(
        select id from outbox where lease_until <= now() order by lease_until, id limit $2 for update skip locked
    ))
    returning message
"""
TAKE_BACK = "update outbox set lease_until = now() where lease_owner = $1"
POSTPONE = (
    "update outbox o set lease_until = now() + make_interval(secs => p.after_s)"
    " from unnest($1::uuid[], $2::float8[]) as p(id, after_s) where o.id = p.id"
)
HASTEN = "update outbox set lease_until = now() where cause = any($1::uuid[])"
