"""The audit finds what is wrong in a shop, names it, and is silent about a shop in which all is well.

The clean shop is a real one: its services ran, and three orders went their ways. Each corruption is planted in a copy
of one of its databases.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest

from postgres_fixtures import FreshDatabase
from sagamart.app import SLICES, Shop, ShopSettings
from sagamart.audit import audit
from sagamart.contracts.orders import payment_id
from sagamart.messaging.message import Body, Message, new_id
from sagamart.messaging.requests import StoredReply, request_of
from sagamart.messaging.worker import Node
from sagamart.platform.migrations import migrate
from sagamart.programs import histories
from sagamart.shop.accounts.messages import RegisterCustomer
from sagamart.shop.catalogue.messages import CreateProduct
from sagamart.shop.orders.messages import PlaceOrder, PlacingRules, WantedLine, order_id_of
from sagamart.shop.stock.messages import ReceiveStock
from sagamart.shop.wallet.messages import DepositMoney

ANN = "cus_00000000000000000000000000000001"
BOB = "cus_00000000000000000000000000000002"
STAFF = "cus_0000000000000000000000000000000f"

_numbers = itertools.count(1)


class CleanShop(NamedTuple):
    """A shop at rest: its databases, one order of each kind, and the payment of the completed one."""

    dsns: dict[str, str]
    orders: dict[str, str]


async def asked(shop: Shop, service: str, route: str, body: Callable[[str], Body]) -> StoredReply:
    now, number = datetime.now(UTC), next(_numbers)
    message_id = new_id(now, number.to_bytes(10))
    said = body(message_id)
    kind = type(said).__name__
    message = Message(
        id=message_id, type=kind, key=said.key, source="test", at=now, correlation=message_id, body=said
    )  # fmt: skip
    reply = await shop.services[service].worker.ask(message, request_of(STAFF, route, f"key-{number}", kind))
    assert not reply.refused, reply.body
    return reply


async def at_rest(dsns: dict[str, str]) -> None:
    for dsn in dsns.values():
        while await value(dsn, "select count(*) from outbox"):  # noqa: ASYNC110  another connection sees no event
            await asyncio.sleep(0.01)


async def value(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def name_of(dsn: str) -> str:
    return urlsplit(dsn).path[1:]


async def registered(shop: Shop, customer: str, email: str) -> None:
    someone = RegisterCustomer(customer, email, "$argon2id$nobody", "Ann", "en")
    await asked(shop, "accounts", "POST /v1/users", lambda _: someone)


async def stocked(shop: Shop, sku: str, price_minor: int, pieces: int) -> None:
    def product(_: str) -> CreateProduct:
        return CreateProduct(sku, STAFF, sku.title(), "", price_minor, "RUB", 0, None, None, None, 2000, active=True)

    await asked(shop, "catalogue", "POST /v1/products", product)
    await asked(shop, "stock", f"POST /v1/stock/{sku}/receipts", lambda _: ReceiveStock(sku, pieces, STAFF))


async def placed(shop: Shop, customer: str, *lines: WantedLine) -> str:
    rules = PlacingRules(custom_lines=True, unpaid_orders_max=1, currency="RUB")
    reply = await asked(
        shop, "orders", "POST /v1/orders", lambda one: PlaceOrder(order_id_of(one), customer, lines, rules)
    )
    order_id: str = msgspec.json.decode(reply.body)["id"]
    return order_id


@pytest.fixture(scope="module")
async def clean(fresh_database: FreshDatabase) -> CleanShop:
    dsns = {service: await fresh_database() for service in SLICES}
    for service, dsn in dsns.items():
        await migrate(dsn, histories(service))
    async with Shop(ShopSettings(), dsns, node=Node("test")) as shop:
        for customer, email in ((ANN, "ann@example.com"), (BOB, "bob@example.com")):
            await registered(shop, customer, email)
        await stocked(shop, "mug", 500, 10)
        await stocked(shop, "pen", 100, 3)
        await asked(shop, "wallet", "POST /v1/wallet/deposits", lambda _: DepositMoney(ANN, 5000, "RUB", STAFF))
        await at_rest(dsns)
        orders = {"completed": await placed(shop, ANN, WantedLine("mug", 2), WantedLine(None, 1, 50, "Gift wrap"))}
        await at_rest(dsns)
        orders["payment"] = payment_id(orders["completed"], 1)
        orders["short"] = await placed(shop, ANN, WantedLine("pen", 4))
        orders["poor"] = await placed(shop, BOB, WantedLine("mug", 1))
        await at_rest(dsns)
    return CleanShop(dsns, orders)


Corrupted = Callable[[str, str], Awaitable[dict[str, str]]]


@pytest.fixture
async def corrupted(clean: CleanShop, fresh_database: FreshDatabase) -> Corrupted:
    async def corrupt(service: str, sql: str) -> dict[str, str]:
        dsn = await fresh_database(template=name_of(clean.dsns[service]))
        await execute(dsn, sql.format(**clean.orders, ANN=ANN, BOB=BOB))
        return {**clean.dsns, service: dsn}

    return corrupt


async def execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def test_a_clean_shop_has_no_findings(clean: CleanShop) -> None:
    assert await audit(clean.dsns, settle_s=0) == []


async def test_the_orders_of_the_clean_shop_went_different_ways(clean: CleanShop) -> None:
    statuses = await value(
        clean.dsns["orders"], "select array_agg(coalesce(reason, status) order by order_id) from orders"
    )

    assert statuses == ["completed", "stock_refused", "money_refused"]


@pytest.mark.parametrize("service", SLICES)
async def test_one_service_can_be_audited_alone(clean: CleanShop, service: str) -> None:
    assert await audit({service: clean.dsns[service]}, settle_s=0) == []


NEW_ID = "gen_random_uuid()"
OLD_ID = "'019a0000-0000-7000-8000-000000000001'"
YOUNG_ID = "'ffff0000-0000-7000-8000-000000000001'"
A_HOLD = "'pay_unknown-1', 'ord_unknown', 1, '{ANN}', 5, 'RUB', 'released', null, 0"
PAID_BY_CARD = (
    "1, '{payment}', 'order', '{completed}', 1, 1, '{ANN}', 50, 'RUB', 'captured', now(), 'bank_1', 'captured', 2,"
    " null, null, false, '', 50, 0, null, false, '[]', now(), 0"
)
OUTBOX = (
    "insert into outbox (id, messages, lease_owner, lease_until)"
    " select {}, json_build_object('type', 'OrderPaid', 'key', '{{completed}}')::text::bytea,"
    " 'gone', now() + interval '{}'"
)
MOVING = "update orders set status = 'pay_pending', changed_at = now() - interval '{}' where order_id = '{{completed}}'"


class Corruption(NamedTuple):
    """What is done to a service's database, and what the audit has to find there and name."""

    invariant: int
    subject: str
    service: str
    sql: str


CORRUPTIONS = [
    Corruption(1, "RUB", "wallet", "update postings set amount_minor = 1051 where posting_id = '{payment}/to'"),
    Corruption(1, "{payment}", "wallet", "update postings set amount_minor = 1051 where posting_id = '{payment}/to'"),
    Corruption(
        1,
        "{payment}",
        "wallet",
        "update postings set currency = 'EUR' where movement_id = '{payment}' and amount_minor > 0",
    ),
    Corruption(
        2, "{ANN}", "wallet", "update wallets set balance_minor = balance_minor + 1 where customer_id = '{ANN}'"
    ),
    Corruption(2, "{ANN}", "wallet", "update wallets set held_minor = 1 where customer_id = '{ANN}'"),
    Corruption(2, "{ANN}", "wallet", "delete from wallets where customer_id = '{ANN}'"),
    Corruption(
        2,
        "{BOB}",
        "wallet",
        "update wallets set currency = 'EUR';"
        " insert into holds select 1, hold_id || '0', order_id, 2, customer_id, 5, 'RUB', 'held',"
        " null, 0 from holds where order_id = '{poor}'",
    ),
    Corruption(3, "{completed}", "payments", f"insert into payments select {PAID_BY_CARD}"),
    Corruption(
        3,
        "{ANN}",
        "wallet",
        "update postings set kind = 'top_up' where kind = 'deposit'",
    ),
    Corruption(4, "{payment}", "wallet", "delete from postings where movement_id = '{payment}'"),
    Corruption(4, "{payment}", "wallet", "delete from holds where hold_id = '{payment}'"),
    Corruption(
        4, "{payment}", "wallet", "update postings set account = 'house:clearing' where account = 'house:revenue'"
    ),
    Corruption(4, "{completed}", "wallet", "update holds set status = 'held', version = 1 where hold_id = '{payment}'"),
    Corruption(5, "mug", "stock", "update skus set on_hand = on_hand + 1 where sku = 'mug'"),
    Corruption(5, "mug", "stock", "update skus set reserved = 1 where sku = 'mug'"),
    Corruption(5, "mug", "stock", "delete from skus where sku = 'mug'"),
    Corruption(6, "{completed}/1/mug", "stock", "delete from movements where kind = 'committed'"),
    Corruption(6, "{completed}/1/mug", "stock", "update movements set quantity = -1 where kind = 'committed'"),
    Corruption(6, "{completed}/1/mug", "stock", "delete from reservations where order_id = '{completed}'"),
    Corruption(6, "{completed}", "stock", "update reservations set status = 'booked' where order_id = '{completed}'"),
    Corruption(7, "{completed}", "orders", MOVING.format("1 day")),
    Corruption(7, "{completed}", "orders", MOVING.format("1 s")),
    Corruption(
        7,
        "{completed}/deadline",
        "orders",
        "insert into timers select '{completed}', 'deadline', gen_random_uuid(), now() - interval '1 hour', ''",
    ),
    Corruption(8, "{completed}", "wallet", "delete from holds where hold_id = '{payment}'"),
    Corruption(8, "{completed}", "stock", "delete from reservations where order_id = '{completed}'"),
    Corruption(
        8,
        "{completed}",
        "orders",
        "update orders set status = 'cancelled', reason = 'cancelled_by_staff' where order_id = '{completed}'",
    ),
    Corruption(
        8, "{short}", "orders", "update orders set status = 'completed', reason = null where order_id = '{short}'"
    ),
    Corruption(10, "{completed}", "notifications", "delete from notifications where kind = 'order_completed'"),
    Corruption(
        10, "{short}", "notifications", "delete from notifications where notification_id = '{short}/order_cancelled'"
    ),
    Corruption(
        10,
        "{completed}",
        "orders",
        "update orders set known = '[[1, \"booked\"], [1, \"held\"]]' where order_id = '{completed}'",
    ),
    Corruption(10, "{short}", "orders", "update orders set known = '[]' where order_id = '{short}'"),
    Corruption(10, "{BOB}", "wallet", "delete from wallets where customer_id = '{BOB}'"),
    Corruption(10, "{BOB}", "notifications", "delete from notifications where notification_id = '{BOB}/wallet_opened'"),
    Corruption(10, YOUNG_ID.strip("'"), "orders", OUTBOX.format(YOUNG_ID, "-2 min")),
    Corruption(10, OLD_ID.strip("'"), "orders", OUTBOX.format(OLD_ID, "20 s")),
    Corruption(11, "ord_unknown", "wallet", f"insert into holds select 1, {A_HOLD}"),
    Corruption(
        11,
        "ord_unknown",
        "stock",
        "insert into reservations select 1, 'ord_unknown/1', 'ord_unknown', 1, 'released', '[]', '[]'",
    ),
    Corruption(
        11,
        "ord_unknown",
        "notifications",
        "insert into notifications select 1, 'ord_unknown/order_completed', '{ANN}', 'order_completed', '{{}}', now()",
    ),
    Corruption(
        11,
        "{short}",
        "notifications",
        "insert into notifications select 1, '{short}/order_completed', '{ANN}', 'order_completed', '{{}}', now()",
    ),
    Corruption(
        11,
        "{completed}",
        "notifications",
        "update notifications set customer_id = '{BOB}' where kind = 'order_completed'",
    ),
    Corruption(11, "{completed}", "wallet", "update holds set amount_minor = 5 where hold_id = '{payment}'"),
    Corruption(
        11,
        "{completed}",
        "stock",
        'update reservations set lines = \'[{{"sku": "mug", "quantity": 3}}]\' where order_id = \'{completed}\'',
    ),
    Corruption(11, "{poor}", "stock", "delete from reservations where order_id = '{poor}'"),
    Corruption(11, "{BOB}", "wallet", "delete from wallets where customer_id = '{BOB}'"),
    Corruption(11, "pen", "catalogue", "delete from prices; delete from products where sku = 'pen'"),
    Corruption(11, "pen", "stock", "delete from skus where sku = 'pen'"),
    Corruption(13, "{completed}", "orders", "update orders set version = version + 1 where order_id = '{completed}'"),
    Corruption(13, "{ANN}", "wallet", "update wallets set version = version + 2 where customer_id = '{ANN}'"),
    Corruption(13, "{payment}", "wallet", "update holds set version = 3 where hold_id = '{payment}'"),
    Corruption(13, "mug", "stock", "update skus set version = version + 1 where sku = 'mug'"),
    Corruption(13, "{completed}/1", "stock", "update reservations set version = 3 where order_id = '{completed}'"),
    Corruption(14, "{completed}", "orders", "delete from orders where order_id = '{completed}'"),
    Corruption(15, "mug", "orders", "update product_copies set price_minor = 499 where sku = 'mug'"),
    Corruption(15, "mug", "orders", "update product_copies set catalogue_version = 0 where sku = 'mug'"),
    Corruption(15, "mug", "catalogue", "update products set version = 2 where sku = 'mug'"),
    Corruption(15, "mug", "orders", "delete from product_copies where sku = 'mug'"),
    Corruption(15, "mug", "orders", "update product_copies set sold_out = true where sku = 'mug'"),
    Corruption(15, "mug", "orders", "update product_copies set stock_version = 0 where sku = 'mug'"),
    Corruption(15, "{completed}", "orders", MOVING.format("1 s")),
    Corruption(
        15,
        "ord_unknown",
        "orders",
        "update unpaid_orders set order_ids = '[\"ord_unknown\"]' where customer_id = '{ANN}'",
    ),
    Corruption(
        15, "{poor}", "orders", "update unpaid_orders set order_ids = '[\"{poor}\"]' where customer_id = '{ANN}'"
    ),
    Corruption(
        16,
        "OrderPaid dead",
        "stock",
        "insert into dead_letters select gen_random_uuid(), '{completed}', 'OrderPaid', 'dead', 'KeyError: mug', ''",
    ),
]


@pytest.mark.parametrize("planted", CORRUPTIONS, ids=lambda one: f"{one.invariant} {one.sql[:60]}")
async def test_what_is_corrupted_is_found_and_named(
    planted: Corruption, clean: CleanShop, corrupted: Corrupted
) -> None:
    dsns = await corrupted(planted.service, planted.sql)

    found = await audit(dsns, settle_s=0)

    named = planted.subject.format(**clean.orders, ANN=ANN, BOB=BOB)
    assert (planted.invariant, named) in {(finding.invariant, finding.subject) for finding in found}


@pytest.mark.parametrize(("service", "kind"), [("wallet", "deposit"), ("stock", "received")])
async def test_a_movement_that_was_acknowledged_and_is_gone_is_found(
    service: str, kind: str, clean: CleanShop, corrupted: Corrupted
) -> None:
    table = {"wallet": "postings", "stock": "movements"}[service]
    gone = await value(clean.dsns[service], f"select min(movement_id) from {table} where kind = '{kind}'")
    dsns = await corrupted(service, f"delete from {table} where kind = '{kind}'")

    found = await audit(dsns, settle_s=0)

    assert (14, gone) in {(finding.invariant, finding.subject) for finding in found}


async def test_a_finding_says_what_is_wrong_in_words(clean: CleanShop, corrupted: Corrupted) -> None:
    dsns = await corrupted("notifications", "delete from notifications where kind = 'order_completed'")

    (finding,) = await audit(dsns, settle_s=0)

    order = clean.orders["completed"]
    assert str(finding) == f"10. every message has its effect: {order}: completed, but nobody was told"


async def test_dead_letters_are_counted_by_type_with_what_they_are_about(corrupted: Corrupted) -> None:
    bury = "insert into dead_letters select gen_random_uuid(), 'ord_{}', 'OrderPaid', 'dead', 'KeyError: mug', ''"
    dsns = await corrupted("stock", f"{bury.format('a')}; {bury.format('b')}")

    (finding,) = await audit(dsns, settle_s=0)

    assert finding.seen == "stock: 2 messages of OrderPaid, about ord_a, ord_b: KeyError: mug"


@pytest.mark.parametrize(
    "mend",
    [
        'update orders set known = \'[[1, "booked"], [1, "captured"], [1, "held"]]\' where order_id = \'{completed}\'',
        "update orders set version = version + 1 where order_id = '{completed}'",
        OUTBOX.format(YOUNG_ID, "20 s"),
    ],
    ids=["mended", "moved on", "a message about it is under way"],
)
async def test_what_does_not_last_is_no_finding(mend: str, clean: CleanShop, corrupted: Corrupted) -> None:
    dsns = await corrupted("orders", "update orders set known = '[[1, \"booked\"], [1, \"held\"]]', version = 3"
                                     " where order_id = '{completed}'")  # fmt: skip
    (lasting,) = await audit(dsns, settle_s=0)
    assert lasting.subject == clean.orders["completed"]

    waiting = asyncio.Event()

    async def mend_while_it_waits() -> None:
        await waiting.wait()
        await execute(dsns["orders"], mend.format(**clean.orders))

    found, _ = await asyncio.gather(
        audit(dsns, settle_s=2, progress=lambda text: waiting.set() if "again" in text else None),
        mend_while_it_waits(),
    )

    assert not any(finding.invariant == 10 for finding in found)
