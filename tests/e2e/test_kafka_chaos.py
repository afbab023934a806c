"""Two processes of each service over Kafka: what may die or stand still does, and nothing acknowledged is lost.

Each test proves that its fault has happened by what others saw of it: the cluster, the brokers, PostgreSQL.
"""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest_asyncio

from bank_at_work import BankDatabase
from e2e.company import LOOK_S, WITHIN_S, Company, go_on, is_stopped, stop, until
from e2e.scenario import scenario
from e2e.shop_program import Tell, sagamart
from e2e.ways import every_way
from kafka_broker import Broker
from payments_street import a_bank
from sagamart.platform.embedded_server import pid_file

KILLED = ("orders-1", "stock-2", "notifications-1")
ANSWERS = 10
"""So many orders are acknowledged in a phase of a test."""


@pytest_asyncio.fixture(scope="module")
async def company(started_broker: Broker, lasting_bank_database: BankDatabase) -> AsyncIterator[Company]:
    folder = Path(tempfile.mkdtemp(prefix="sagamart-test-"))
    try:
        async with a_bank(await lasting_bank_database()) as bank, Company(started_broker, bank, folder) as opened:
            yield opened
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def test_the_scenario_comes_true_over_kafka(company: Company, tell: Tell) -> None:
    tell(await scenario(company.shop.address))


async def test_each_way_that_an_order_can_go_is_gone_over_kafka(company: Company) -> None:
    await every_way(await company.market())


async def test_killed_processes_lose_no_order(company: Company) -> None:
    async with company.ordering() as flow:
        await flow.more(ANSWERS)
        before = {node: company.pid(node) for node in KILLED}
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        await until(lambda: all(company.has_ended(node, "SIGKILL") for node in KILLED))
        await company.all_ready()
        await flow.more(ANSWERS)

    assert all(company.pid(node) != pid for node, pid in before.items())
    await company.reckon(flow.buyers)


async def test_replicas_that_stand_still_are_replaced_by_their_siblings(company: Company) -> None:
    pids = {node: company.pid(f"{node}-1") for node in ("orders", "stock")}
    async with company.ordering() as flow:
        await flow.more(ANSWERS)
        await until(lambda: [company.members_of(service) for service in pids] == [2, 2])
        for pid in pids.values():
            stop(pid)
        try:
            await until(lambda: [company.members_of(service) for service in pids] == [1, 1])
            await flow.more(ANSWERS)
            assert all(is_stopped(pid) for pid in pids.values())
        finally:
            for pid in pids.values():
                go_on(pid)
        await until(lambda: [company.members_of(service) for service in pids] == [2, 2])

    assert pids == {node: company.pid(f"{node}-1") for node in pids}, "nobody was started anew"
    await company.reckon(flow.buyers)


async def test_a_process_that_stands_still_in_a_transaction_holds_nobody_up_for_long(company: Company) -> None:
    pid = company.pid("wallet-1")
    async with company.ordering() as flow:
        await flow.more(ANSWERS)
        session = await stopped_in_a_transaction(company, "wallet-1")
        try:
            async with asyncio.timeout(WITHIN_S):
                while await sessions(company, "wallet-1", f"pid = {session}"):  # noqa: ASYNC110  PostgreSQL's own
                    await asyncio.sleep(LOOK_S)
            assert is_stopped(pid)
        finally:
            go_on(pid)
        await flow.more(ANSWERS)

    assert "idle-in-transaction timeout" in (company.folder / "postgres.log").read_text()
    await company.reckon(flow.buyers)
    assert company.pid("wallet-1") == pid, "it was not started anew"
    assert "database trouble, trying again" in company.log_of("wallet-1")


async def stopped_in_a_transaction(company: Company, node: str) -> int:
    """Stop a process while PostgreSQL keeps its transaction open; the session's process id.

    It is caught as it waits for wallets that are locked here; when they are let go, the transaction has them, and
    nobody who would end it.
    """
    async with asyncio.timeout(WITHIN_S):
        while True:
            wallets = await asyncpg.connect(company.dsn("wallet"))
            async with wallets.transaction():
                await wallets.execute("select from wallets for update")
                session = await first(company, node, "wait_event_type = 'Lock' and query like '%for update%'")
                stop(company.pid(node))
            await wallets.close()
            await first(company, node, f"state <> 'active' and pid = {session}")
            if await sessions(company, node, f"state = 'idle in transaction' and pid = {session}"):
                return session
            go_on(company.pid(node))  # it had waited too long, and been told so, just before it was stopped


async def sessions(company: Company, node: str, which: str) -> list[int]:
    """The server's processes that serve a node and are so."""
    found = await company.rows(
        "wallet", f"select pid from pg_stat_activity where application_name = $1 and {which}", f"sagamart {node}"
    )
    return [row["pid"] for row in found]


async def first(company: Company, node: str, which: str) -> int:
    """A session that is so, once there is one."""
    while not (found := await sessions(company, node, which)):  # noqa: ASYNC110  as above
        await asyncio.sleep(LOOK_S)
    return found[0]


async def test_orders_are_taken_while_the_broker_is_dead_and_go_their_way_afterwards(company: Company) -> None:
    broker = company.broker
    async with company.ordering() as flow:
        await flow.more(ANSWERS)
        broker.kill()
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", broker.port)) != 0
        await flow.more(ANSWERS)
        waiting = await company.rows("orders", "select count(*) from outbox")
        await until(lambda: company.states["orders-1"][0] == "not ready")
        await asyncio.to_thread(broker.start)
        await flow.more(ANSWERS)

    assert waiting[0][0] > 0, "what cannot be sent stays in the outbox"
    await company.reckon(flow.buyers)


async def test_a_killed_postgresql_loses_no_order(company: Company) -> None:
    data = company.folder / "postgres" / "data"
    async with company.ordering() as flow:
        await flow.more(ANSWERS)
        before = pid_file(data)[0]
        os.kill(int(before), signal.SIGKILL)
        await until(lambda: "not properly shut down" in (company.folder / "postgres.log").read_text())
        await flow.more(ANSWERS)

    assert pid_file(data)[0] != before
    await company.reckon(flow.buyers)


def test_after_all_that_the_audit_finds_nothing(company: Company) -> None:
    found = sagamart("audit", "--data", str(company.folder))
    assert found.returncode == 0, found.stdout + found.stderr
