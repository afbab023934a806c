"""The outbox: messages that were decided, written in the transaction that decided them.

Rules:
- A batch's messages lie in one row, a *parcel*: a row a message was a third of what a batch cost the database.  What is
  for the world outside lies alone, since each call takes its own time.
- A parcel lives until the transport has said that each of its messages arrived for good.  There is no cursor to read
  past a late committer.
- The worker that wrote a parcel hands it over from memory right after the commit, under a lease of `LEASE_S`.
- A sweep, in whichever replica, takes parcels whose lease ran out.  A node that starts again under its own name takes
  its own back at once; those of living siblings stay theirs.
- Handing over never blocks: what a full consumer cannot take stays here and is offered again after `RETRY_S`.
- Who knows that a part of a parcel has arrived sends only the rest again; after a crash nobody knows, nor where too
  many came back, and all of it is sent: the consumers' inboxes see to that.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from sagamart.messaging.message import Body, Message, encode

LEASE_S = 30
"""How long a message may be under way before another replica may send it again."""

RETRY_S = 0.5
"""When to offer again what a full consumer could not take.  Failed calls to the outside wait longer: `outside.py`."""

PARCELS_BACK_MAX = 1000
"""Of so many parcels that came back in part it is known which part; others are sent again whole."""

PARCEL_MESSAGES_MAX = 250
"""A batch that sends more fills several parcels, so that no row grows without bound."""

WRITE = (
    "insert into outbox (lease_owner, lease_until, id, messages)"
    f" select {{}}::text, now() + interval '{LEASE_S} s', id, messages from unnest({{}}::uuid[], {{}}::bytea[])"
    " as o(id, messages)"
)
ARRIVED = "delete from outbox where id = any({}::uuid[])"
DUE = f"""
    update outbox set lease_owner = $1, lease_until = now() + interval '{LEASE_S} s'
    where id = any(array(
        select id from outbox where lease_until <= now() order by lease_until, id limit $2 for update skip locked
    ))
    returning id::text, messages
"""
TAKE_BACK = "update outbox set lease_until = now() where lease_owner = $1"
POSTPONE = (
    "update outbox o set lease_until = now() + make_interval(secs => p.after_s)"
    " from unnest($1::uuid[], $2::float8[]) as p(id, after_s) where o.id = p.id returning o.id::text"
)


class Parcel(msgspec.Struct, frozen=True):
    """Messages of one transaction that share a row; `id` is the first one's."""

    id: str
    messages: Sequence[Message[Body]]


def packed(messages: Sequence[Message[Body]], *, alone: Collection[str] = ()) -> list[Parcel]:
    """The parcels of a batch; each message of a type in `alone` has its own."""
    apart = [Parcel(one.id, [one]) for one in messages if one.type in alone] if alone else []
    shared = [one for one in messages if one.type not in alone] if alone else messages
    starts = range(0, len(shared), PARCEL_MESSAGES_MAX)
    return [Parcel(shared[at].id, shared[at : at + PARCEL_MESSAGES_MAX]) for at in starts] + apart


def stored(parcel: Parcel) -> bytes:
    """A parcel's messages as the row keeps them: a line each, since JSON has no line breaks of its own."""
    return b"\n".join(map(encode, parcel.messages))


def lines(messages: bytes) -> list[bytes]:
    """The messages of a row."""
    return messages.split(b"\n")


class InFlight:
    """What this process has sent and not heard of yet, parcel by parcel.

    Its memory is bounded by what the transport takes at once, and by `PARCELS_BACK_MAX` of those that it did not.
    """

    def __init__(self) -> None:
        self._left: dict[str, set[str]] = {}
        self._under_way: dict[str, str] = {}
        self._back: dict[str, None] = {}

    def __len__(self) -> int:
        """How many messages are under way."""
        return len(self._under_way)

    def begin(self, parcel: Parcel, unread: int = 0) -> Sequence[Message[Body]]:
        """Those messages of a parcel that must be sent now.

        `unread` counts the parcel's messages that this program cannot read: they keep the row.
        """
        left = self._left.get(parcel.id)
        if left is None:
            left = self._left[parcel.id] = {one.id for one in parcel.messages}
            left.update(f"unread {number}" for number in range(unread))
            fresh = parcel.messages
        else:
            self._back.pop(parcel.id, None)
            fresh = [one for one in parcel.messages if one.id in left and one.id not in self._under_way]
        for one in fresh:
            self._under_way[one.id] = parcel.id
        return fresh

    def arrived(self, message_ids: Iterable[str]) -> list[str]:
        """These messages have arrived; gives the parcels that have arrived wholly."""
        whole: list[str] = []
        for message_id in message_ids:
            parcel_id = self._under_way.pop(message_id, None)
            left = self._left.get(parcel_id) if parcel_id is not None else None
            if parcel_id is not None and left is not None:
                left.discard(message_id)
                if not left:
                    del self._left[parcel_id]
                    whole.append(parcel_id)
        return whole

    def returned(self, message_ids: Iterable[str]) -> set[str]:
        """These messages came back; gives their parcels."""
        found = [self._under_way.pop(message_id, None) for message_id in message_ids]
        parcels = {parcel_id: None for parcel_id in found if parcel_id is not None}
        for parcel_id in parcels:
            if self._under_way.keys().isdisjoint(self._left.get(parcel_id, ())):
                self._back[parcel_id] = None
        self.forget(list(self._back)[:-PARCELS_BACK_MAX])
        return set(parcels)

    def forget(self, parcel_ids: Iterable[str]) -> None:
        """These parcels are gone, since another replica saw them arrive; or have been back for too long."""
        for parcel_id in parcel_ids:
            self._left.pop(parcel_id, None)
            self._back.pop(parcel_id, None)
