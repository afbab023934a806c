"""The hand-written saga's orders: placing, and the three turns of an order's way.

Each hop is one read and one write, each a transaction of its own: the write compares the versions that were read, and
fails as a whole where one has changed.
"""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from limit_loop import Envelope, Station, now, parcel, reply_to, rows
from sagamart.messaging.requests import Request

BOOKING_S = 60


class Line(msgspec.Struct):
    """A line of an order."""

    sku: str
    title: str
    quantity: int
    price_minor: int


class Told(msgspec.Struct):
    """An order as the other services are told of it; `lines` is JSON as the database has it."""

    order_id: str
    version: int
    status: str
    customer_id: str
    attempt: int
    lines: msgspec.Raw
    total_minor: int
    currency: str


class ToldPayment(Told):
    """The same, about its one payment."""

    payment: int
    amount_minor: int


class Deadline(msgspec.Struct):
    """What an order's timer says."""

    order_id: str
    status: str


class Placed(msgspec.Struct):
    """A wish with its request, as the stations' messages carry it."""

    wish: Any
    request: Request


_SEND = """insert into outbox (lease_owner, lease_until, id, messages)
    select 'bench', now() + interval '30 s', id, messages from unnest($2::uuid[], $3::bytea[]) as o(id, messages)"""
_COMMON = f"""handled as (insert into inbox (id) select x::uuid from jsonb_array_elements_text($1::jsonb) x),
    sent as ({_SEND}),
    gone as (delete from outbox where id = any(array(select x::uuid from jsonb_array_elements_text($4::jsonb) x)))"""
_SURE = "select 1 / (case when (select count(*) from {}) = $5 then 1 else 0 end)"

_READ_PLACING = """with
    p as (select sku, title, price_minor, currency from product_copies
          where active and not sold_out and sku = any(array(select jsonb_array_elements_text($1::jsonb)))),
    s as (select u.customer_id, u.version, exists(
              select from jsonb_array_elements_text(u.order_ids) i join orders o on o.order_id = i
              where o.status not in ('completed', 'cancelled')) as unpaid
          from unpaid_orders u where u.customer_id = any(array(select jsonb_array_elements_text($2::jsonb))))
    select (select array_agg(sku) from p), (select array_agg(title) from p), (select array_agg(price_minor) from p),
        (select array_agg(customer_id) from s), (select array_agg(version) from s),
        (select bool_or(unpaid) from s)"""
_WRITE_PLACING = f"""with {_COMMON},
    answered as (insert into requests (key, fingerprint, message_id, status, body, location, refused)
        select r ->> 0, decode(r ->> 1, 'base64'), (r ->> 2)::uuid, 202, decode(r ->> 3, 'base64'), r ->> 4, false
        from jsonb_array_elements($6::jsonb) r),
    slots as (insert into unpaid_orders as u (version, customer_id, order_ids, orders_max)
        select (r ->> 0)::bigint, r ->> 1, r -> 2, 1 from jsonb_array_elements($7::jsonb) r
        on conflict (customer_id) do update set version = excluded.version, order_ids = excluded.order_ids
        where u.version = excluded.version - 1 returning 1),
    placed as (insert into orders (version, order_id, customer_id, status, lines, total_minor, currency, placed_at,
            changed_at, attempt, known, payments)
        select 1, r ->> 0, r ->> 1, 'booking_pending', r -> 2, (r ->> 3)::bigint, 'RUB', $10, $10, 1, '[]',
            jsonb_build_array(jsonb_build_array('wallet', r -> 3, $10::timestamptz, false, false, null, null))
        from jsonb_array_elements($8::jsonb) r),
    armed as (insert into timers (key, name, generation, due_at, message)
        select r ->> 0, 'deadline', (r ->> 4)::uuid, now() + interval '{BOOKING_S} s', message
        from rows from (jsonb_array_elements($8::jsonb), unnest($9::bytea[])) as t(r, message))
    {_SURE.format("slots")}"""


async def place(station: Station, batch: list[Envelope]) -> list[Envelope]:
    """Wishes become orders."""
    wishes = [message.body.wish.body for message in batch]
    skus = {line.sku for wish in wishes for line in wish.lines}
    row = await station.connection.fetchrow(
        _READ_PLACING, rows(list(skus)), rows([wish.customer_id for wish in wishes])
    )
    if row[5]:
        raise RuntimeError("a customer has an unpaid order")
    products = dict(zip(row[0], zip(row[1], row[2], strict=True), strict=True))
    versions = dict(zip(row[3] or (), row[4] or (), strict=True))
    at = now()
    sent, requests, slots, orders, timers = [], [], [], [], []
    for message, wish in zip(batch, wishes, strict=True):
        lines = [Line(w.sku, products[w.sku][0], w.quantity, products[w.sku][1]) for w in wish.lines]
        total = sum(line.quantity * line.price_minor for line in lines)
        order_id, who, request = wish.order_id, wish.customer_id, message.body.request
        raw = msgspec.Raw(msgspec.json.encode(lines))
        told = Told(order_id, 1, "booking_pending", who, 1, raw, total, "RUB")
        sent.append(reply_to(message, "orders", "BookingRequested", at, told))
        timer = reply_to(message, "orders", "OrderDeadline", at, Deadline(order_id, "booking_pending"))
        timers.append(msgspec.json.encode(timer))
        requests.append(
            (request.key, request.fingerprint, message.id, _reply(told, lines, at), f"/v1/orders/{order_id}")
        )
        slots.append((versions.get(who, 0) + 1, who, (order_id,)))
        orders.append((order_id, who, raw, total, timer.id))
    await station.connection.fetchval(
        _WRITE_PLACING,
        rows([message.id for message in batch]),
        *parcel(sent),
        station.take_arrived(),
        len(slots),
        rows(requests),
        rows(slots),
        rows(orders),
        timers,
        at,
    )
    return sent


def _reply(told: Told, lines: list[Line], at: datetime) -> bytes:
    return msgspec.json.encode(
        {
            "id": told.order_id,
            "status": told.status,
            "stage": {"code": "accepted", "text": "accepted"},
            "state": {"code": "created", "text": "created"},
            "customer_id": told.customer_id,
            "lines": [
                {**msgspec.structs.asdict(line), "amount_minor": line.quantity * line.price_minor} for line in lines
            ],
            "total_minor": told.total_minor,
            "currency": told.currency,
            "reason": None,
            "placed_at": at,
            "changed_at": at,
            "version": 1,
        }
    )


_READ_ORDERS = """select array_agg(order_id), array_agg(version), array_agg(status), array_agg(customer_id),
        array_agg(lines::text), array_agg(total_minor), array_agg(currency), array_agg(known::text)
    from orders where order_id = any(array(select jsonb_array_elements_text($1::jsonb)))"""
_TURNED = """turned as (update orders o
        set version = o.version + 1, status = $6, known = (r ->> 2)::jsonb, changed_at = $7
        from jsonb_array_elements($8::jsonb) r
        where o.order_id = r ->> 0 and o.version = (r ->> 1)::bigint returning 1)"""
_WRITE_TURN = f"""with {_COMMON}, {_TURNED} {_SURE.format("turned")}"""
_WRITE_END = f"""with {_COMMON}, {_TURNED},
    disarmed as (delete from timers t using jsonb_array_elements($8::jsonb) r
        where t.key = r ->> 0 and t.name = 'deadline')
    {_SURE.format("turned")}"""


class Turn(NamedTuple):
    """What a fact does to an order, and what it asks for then."""

    fact: str
    before: str
    after: str
    asks: tuple[str, ...]
    ends: bool = False


async def _turn(station: Station, batch: list[Envelope], turn: Turn) -> list[Envelope]:
    """An order learns a fact and asks for what is next."""
    read = await station.connection.fetchrow(_READ_ORDERS, rows([message.key for message in batch]))
    orders = {row[0]: row for row in zip(*read, strict=True)}
    at = now()
    sent, turned = [], []
    for message in batch:
        order_id, version, before, who, lines, total, currency, known = orders[message.key]
        if before != turn.before:
            raise RuntimeError(f"{order_id} is {before}, not {turn.before}")
        raw = msgspec.Raw(lines.encode())
        for kind in turn.asks:
            said = "paid" if kind == "OrderPaid" else turn.after
            about = (order_id, version + 1, said, who, 1, raw, total, currency)
            told = ToldPayment(*about, 1, total) if turn.ends is False else Told(*about)
            sent.append(reply_to(message, "orders", kind, at, told))
        turned.append((order_id, version, f'{known[:-1]}{", " if known != "[]" else ""}[1, "{turn.fact}"]]'))
    common = (
        rows([message.id for message in batch]),
        *parcel(sent),
        station.take_arrived(),
        len(turned),
        turn.after,
        at,
        rows(turned),
    )
    await station.connection.fetchval(_WRITE_END if turn.ends else _WRITE_TURN, *common)
    return sent


async def booked(station: Station, batch: list[Envelope]) -> list[Envelope]:
    """The goods are reserved: ask for the money."""
    return await _turn(station, batch, Turn("booked", "booking_pending", "pay_pending", ("HoldRequested",)))


async def held(station: Station, batch: list[Envelope]) -> list[Envelope]:
    """The money is held: take it."""
    return await _turn(station, batch, Turn("held", "pay_pending", "capturing", ("CaptureRequested",)))


async def captured(station: Station, batch: list[Envelope]) -> list[Envelope]:
    """The money is taken: the order is complete."""
    return await _turn(
        station, batch, Turn("captured", "capturing", "completed", ("OrderPaid", "OrderCompleted"), ends=True)
    )
