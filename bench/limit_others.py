"""The hand-written saga's stock, wallet and notifications."""

from typing import Any

import msgspec

from limit_loop import Envelope, Saga, Station, now, parcel, reply_to, rows
from limit_orders import Line, booked, captured, held, place
from sagamart.contracts.orders import payment_id

_lines = msgspec.json.Decoder(list[Line])

_COMMON = """handled as (insert into inbox (id) select x::uuid from jsonb_array_elements_text($1::jsonb) x),
    gone as (delete from outbox where id = any(array(select x::uuid from jsonb_array_elements_text($2::jsonb) x)))"""
_SENT = """sent as (insert into outbox (lease_owner, lease_until, id, messages)
    select 'bench', now() + interval '30 s', id, messages from unnest($3::uuid[], $4::bytea[]) as o(id, messages))"""
_SURE = "select 1 / (case when (select count(*) from changed) = $5 then 1 else 0 end)"


class Booked(msgspec.Struct):
    """Stock's answer."""

    order_id: str
    attempt: int


class Money(msgspec.Struct):
    """The wallet's answer."""

    order_id: str
    attempt: int
    amount_minor: int
    currency: str


_READ_SKUS = """select array_agg(sku), array_agg(version), array_agg(on_hand), array_agg(reserved)
    from skus where sku = any(array(select jsonb_array_elements_text($1::jsonb)))"""
_CHANGED_SKUS = """changed as (update skus s
        set version = (r ->> 1)::bigint, on_hand = (r ->> 2)::bigint, reserved = (r ->> 3)::bigint
        from jsonb_array_elements($6::jsonb) r
        where s.sku = r ->> 0 and s.version = (r ->> 4)::bigint returning 1)"""
_WRITE_BOOK = f"""with {_COMMON}, {_SENT}, {_CHANGED_SKUS},
    reserved as (insert into reservations (version, reservation_id, order_id, attempt, status, lines, short)
        select 1, r ->> 0, r ->> 1, 1, 'booked', r -> 2, '[]' from jsonb_array_elements($7::jsonb) r)
    {_SURE}"""
_WRITE_COMMIT = f"""with {_COMMON}, {_CHANGED_SKUS},
    ended as (update reservations s set version = 2, status = 'committed' from jsonb_array_elements_text($3::jsonb) r
        where s.reservation_id = r and s.status = 'booked' returning 1),
    moved as (insert into movements (movement_id, sku, kind, quantity, reference, at)
        select r ->> 0, r ->> 1, 'committed', (r ->> 2)::bigint, r ->> 3, $7 from jsonb_array_elements($8::jsonb) r)
    select 1 / (case when (select count(*) from changed) = $5 and (select count(*) from ended) = $4 then 1 else 0 end)
    """


def _wanted(message: Envelope) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for line in _lines.decode(message.body.lines):
        wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
    return wanted


async def _skus(station: Station, wanted: list[dict[str, int]]) -> dict[str, list[Any]]:
    """Each sku as sku, next version, on hand, reserved, version read."""
    names = sorted({sku for lines in wanted for sku in lines})
    read = await station.connection.fetchrow(_READ_SKUS, rows(names))
    return {row[0]: [row[0], row[1], row[2], row[3], row[1]] for row in zip(*read, strict=True)}


async def book(station: Station, batch: list[Envelope]) -> list[Envelope]:
    """Reserve every line."""
    wanted = [_wanted(message) for message in batch]
    skus = await _skus(station, wanted)
    at = now()
    sent, reservations = [], []
    for message, lines in zip(batch, wanted, strict=True):
        for sku, quantity in lines.items():
            row = skus[sku]
            if row[2] - row[3] < quantity:
                raise RuntimeError(f"{sku} is sold out")
            row[3] += quantity
            row[1] += 1
        reserved = [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()]
        reservations.append((f"{message.key}/1", message.key, reserved))
        sent.append(reply_to(message, "stock", "StockBooked", at, Booked(message.key, 1)))
    await _write(station, _WRITE_BOOK, batch, sent, len(skus), rows(list(skus.values())), rows(reservations))
    return sent


async def commit(station: Station, batch: list[Envelope]) -> list[Envelope]:
    """The pieces leave the stock."""
    wanted = [_wanted(message) for message in batch]
    skus = await _skus(station, wanted)
    movements = []
    for message, lines in zip(batch, wanted, strict=True):
        for sku, quantity in lines.items():
            row = skus[sku]
            row[1] += 1
            row[2] -= quantity
            row[3] -= quantity
            movements.append((f"{message.key}/1/{sku}", sku, -quantity, message.key))
    await station.connection.fetchval(
        _WRITE_COMMIT,
        rows([message.id for message in batch]),
        station.take_arrived(),
        rows([f"{message.key}/1" for message in batch]),
        len(batch),
        len(skus),
        rows(list(skus.values())),
        now(),
        rows(movements),
    )
    return []


_READ_WALLETS = """select array_agg(customer_id), array_agg(version), array_agg(balance_minor), array_agg(held_minor)
    from wallets where customer_id = any(array(select jsonb_array_elements_text($1::jsonb)))"""
_CHANGED_WALLETS = """changed as (update wallets w
        set version = (r ->> 1)::bigint, balance_minor = (r ->> 2)::bigint, held_minor = (r ->> 3)::bigint
        from jsonb_array_elements($6::jsonb) r
        where w.customer_id = r ->> 0 and w.version = (r ->> 4)::bigint returning 1)"""
_WRITE_HOLD = f"""with {_COMMON}, {_SENT}, {_CHANGED_WALLETS},
    held as (insert into holds (version, hold_id, order_id, payment, customer_id, amount_minor, currency, status,
            available_minor)
        select 1, r ->> 0, r ->> 1, 1, r ->> 2, (r ->> 3)::bigint, r ->> 4, 'held', 0
        from jsonb_array_elements($7::jsonb) r)
    {_SURE}"""
_WRITE_CAPTURE = f"""with {_COMMON}, {_SENT}, {_CHANGED_WALLETS},
    ended as (update holds h set version = 2, status = 'captured' from jsonb_array_elements($7::jsonb) r
        where h.hold_id = r ->> 0 and h.status = 'held' returning 1),
    posted as (insert into postings (posting_id, movement_id, kind, account, amount_minor, currency, reference, at)
        select (r ->> 0) || side, r ->> 0, 'capture', account, amount, r ->> 3, r ->> 1, $8
        from jsonb_array_elements($7::jsonb) r,
            lateral (values ('/from', 'customer:' || (r ->> 4), -(r ->> 2)::bigint),
                ('/to', 'house:revenue', (r ->> 2)::bigint)) as sides(side, account, amount))
    {_SURE}"""


async def _wallets(station: Station, batch: list[Envelope]) -> dict[str, list[Any]]:
    names = sorted({message.body.customer_id for message in batch})
    read = await station.connection.fetchrow(_READ_WALLETS, rows(names))
    return {row[0]: [row[0], row[1], row[2], row[3], row[1]] for row in zip(*read, strict=True)}


async def hold(station: Station, batch: list[Envelope]) -> list[Envelope]:
    """Hold the totals."""
    wallets = await _wallets(station, batch)
    at = now()
    sent, holds = [], []
    for message in batch:
        told = message.body
        row = wallets[told.customer_id]
        if row[2] - row[3] < told.total_minor:
            raise RuntimeError(f"{told.customer_id} cannot pay")
        row[1] += 1
        row[3] += told.total_minor
        holds.append((payment_id(told.order_id, 1), told.order_id, told.customer_id, told.total_minor, told.currency))
        body = Money(told.order_id, 1, told.total_minor, told.currency)
        sent.append(reply_to(message, "wallet", "MoneyHeld", at, body))
    await _write(station, _WRITE_HOLD, batch, sent, len(wallets), rows(list(wallets.values())), rows(holds))
    return sent


async def capture(station: Station, batch: list[Envelope]) -> list[Envelope]:
    """The held money becomes the shop's."""
    wallets = await _wallets(station, batch)
    at = now()
    sent, holds = [], []
    for message in batch:
        told = message.body
        row = wallets[told.customer_id]
        row[1] += 1
        row[2] -= told.total_minor
        row[3] -= told.total_minor
        holds.append((payment_id(told.order_id, 1), told.order_id, told.total_minor, told.currency, told.customer_id))
        body = Money(told.order_id, 1, told.total_minor, told.currency)
        sent.append(reply_to(message, "wallet", "MoneyCaptured", at, body))
    await _write(station, _WRITE_CAPTURE, batch, sent, len(wallets), rows(list(wallets.values())), rows(holds), at)
    return sent


async def _write(station: Station, sql: str, batch: list[Envelope], sent: list[Envelope], *arguments: Any) -> None:
    await station.connection.fetchval(
        sql,
        rows([message.id for message in batch]),
        station.take_arrived(),
        *parcel(sent),
        *arguments,
    )


_WRITE_TOLD = f"""with {_COMMON}
    insert into notifications (version, notification_id, customer_id, kind, facts, at)
        select 1, (r ->> 0) || '/order_completed', r ->> 1, 'order_completed',
            jsonb_build_object('order_id', r -> 0, 'amount_minor', r -> 2, 'currency', r -> 3), $3
        from jsonb_array_elements($4::jsonb) r"""


async def tell(station: Station, batch: list[Envelope]) -> list[Envelope]:
    """Good news for the customer."""
    told = [message.body for message in batch]
    await station.connection.execute(
        _WRITE_TOLD,
        rows([message.id for message in batch]),
        station.take_arrived(),
        now(),
        rows([(one.order_id, one.customer_id, one.total_minor, one.currency) for one in told]),
    )
    return []


def saga() -> Saga:
    """All four stations."""
    return Saga(
        {
            "orders": {"PlaceOrder": place, "StockBooked": booked, "MoneyHeld": held, "MoneyCaptured": captured},
            "stock": {"BookingRequested": book, "OrderPaid": commit},
            "wallet": {"HoldRequested": hold, "CaptureRequested": capture},
            "notifications": {"OrderCompleted": tell},
        },
        last="OrderCompleted",
    )
