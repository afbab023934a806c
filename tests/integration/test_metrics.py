"""The reference of metrics says what a running shop exposes, no more and no less."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from open_shop import OPERATOR, Opened, OpenShop
from sagamart.audit import INVARIANTS, Finding, leave_figures
from sagamart.platform.metric_families import FAMILIES
from sagamart.platform.metrics_document import metrics_document

WITHIN_S = 60.0
ONLY_OVER_KAFKA = {"sagamart_consumer_lag_messages", "sagamart_consumer_partitions"}
ROW = re.compile(r"^\| `(?P<name>sagamart_\w+)` \| (?P<kind>\w+) \| (?P<labels>.*?) \|", re.MULTILINE)


def documented(*parts: str) -> dict[str, tuple[str, set[str]]]:
    """Type and labels of each metric in these parts of the reference."""
    sections = {text.partition("\n")[0]: text for text in metrics_document().split("\n## ")}
    rows = [row for part in parts for row in ROW.finditer(sections[part])]
    return {row["name"]: (row["kind"], set(re.findall(r"`(\w+)`", row["labels"]))) for row in rows}


def exposed(text: str) -> dict[str, Metric]:
    """What stands in an exposition, under the names of the reference."""
    families = text_string_to_metric_families(text)
    return {f"{one.name}_total" if one.type == "counter" else one.name: one for one in families}


def told(family: Metric) -> tuple[str, set[str]]:
    return family.type, {label for sample in family.samples for label in sample.labels} - {"le"}


async def shop_with_a_paid_order(open_shop: Opened) -> OpenShop:
    shop = await open_shop()
    await shop.sells("MUG", 100, pieces=5)
    ann = await shop.customer(1, 10_000)
    completed = shop.batch_of(
        "orders", lambda batch: any(getattr(row, "status", "") == "completed" for row in batch.saved)
    )
    placed = await shop.post("/v1/orders", {"lines": [{"sku": "MUG", "quantity": 1}]}, caller=ann)
    assert placed.status_code == 202, placed.text
    await completed
    return shop


async def test_the_reference_names_what_a_running_shop_exposes_both_ways(open_shop: Opened) -> None:
    shop = await shop_with_a_paid_order(open_shop)

    families = exposed((await shop.get("/metrics")).text)

    own = {name: family for name, family in families.items() if name.startswith("sagamart_")}
    expected = documented("Of the process", "Read off the databases")
    assert set(own) == set(expected) - ONLY_OVER_KAFKA
    sampled = {name: told(family) for name, family in own.items() if family.samples}
    assert sampled == {name: expected[name] for name in sampled}
    assert set(own) - set(sampled) == {"sagamart_outside_call_seconds"}, "nobody was called"
    assert set(families) - set(own) == set(re.findall(r"`(process_\w+)`", metrics_document()))


async def test_what_lies_in_the_databases_can_be_read_off_the_metrics(open_shop: Opened) -> None:
    shop = await open_shop()
    await shop.shop.services["orders"].readers.execute("""
        insert into dead_letters (id, key, type, status, error, message)
        values (gen_random_uuid(), 'ord_1', 'MoneyHeld', 'dead', 'a bug', ''),
            (gen_random_uuid(), 'ord_1', 'MoneyCaptured', 'waiting', '', '')
    """)
    await shop.shop.services["stock"].readers.execute("""
        insert into outbox (id, messages, lease_owner, lease_until)
        values ('01234567-89ab-8000-8000-000000000000', '', 'somebody', now() + interval '1 day')
    """)

    text = (await shop.get("/metrics")).text

    assert 'sagamart_dead_letters{service="orders",status="dead"} 1.0' in text
    assert 'sagamart_dead_letters{service="orders",status="waiting"} 1.0' in text
    assert 'sagamart_parked_keys{service="orders"} 1.0' in text
    assert 'sagamart_outbox_parcels{service="stock"} 1.0' in text
    began = datetime.fromtimestamp(0x0123456789AB / 1000, tz=UTC)
    (age,) = re.findall(r'sagamart_outbox_oldest_seconds\{service="stock"\} (\S+)', text)
    assert abs(float(age) - (datetime.now(UTC) - began).total_seconds()) < 3600
    assert 'sagamart_database_up{service="stock"} 1.0' in text


async def test_an_order_that_has_outstayed_its_status_is_counted_as_overdue(open_shop: Opened) -> None:
    shop = await shop_with_a_paid_order(open_shop)
    await shop.shop.services["orders"].readers.execute(
        "update orders set status = 'capturing', changed_at = now() - interval '1 day'"
    )
    shop.shop.depths.forget()

    text = (await shop.get("/metrics")).text

    assert 'sagamart_orders_open{status="capturing"} 1.0' in text
    assert 'sagamart_orders_overdue{status="capturing"} 1.0' in text
    assert 'sagamart_orders_open{status="booking_pending"} 0.0' in text


async def test_a_database_that_does_not_answer_shows_and_its_old_figures_do_not(open_shop: Opened) -> None:
    shop = await open_shop()
    assert 'sagamart_database_up{service="wallet"} 1.0' in (await shop.get("/metrics")).text
    pool = shop.shop.services["wallet"].readers
    owner = await asyncpg.connect(shop.shop.services["wallet"].database.dsn)
    await owner.close()
    await pool.close()
    shop.shop.depths.forget()

    text = (await shop.get("/metrics")).text

    assert 'sagamart_database_up{service="wallet"} 0.0' in text
    assert 'sagamart_outbox_parcels{service="wallet"}' not in text
    assert 'sagamart_outbox_parcels{service="stock"}' in text


def test_an_audit_leaves_its_result_as_the_reference_says(tmp_path: Path) -> None:
    file = tmp_path / "sagamart_audit.prom"
    ended = datetime(2026, 11, 21, 4, tzinfo=UTC)

    leave_figures(file, [Finding(5, "MUG", "two pieces too many")], ended=ended, seconds=12.5)

    families = exposed(file.read_text())
    expected = documented("Of the audit")
    assert {name: told(family) for name, family in families.items()} == expected
    found = {sample.labels["invariant"]: sample.value for sample in families["sagamart_audit_findings"].samples}
    assert found == {str(number): float(number == 5) for number in INVARIANTS}
    assert families["sagamart_audit_finished_seconds"].samples[0].value == ended.timestamp()
    assert list(tmp_path.iterdir()) == [file]


async def test_a_process_that_has_audited_shows_what_it_found(open_shop: Opened) -> None:
    shop = await open_shop()
    before = exposed((await shop.get("/metrics")).text)
    await shop.post("/v1/operations/audit", None, caller=OPERATOR)
    async with asyncio.timeout(WITHIN_S):
        while True:
            families = exposed((await shop.get("/metrics")).text)
            if "sagamart_audit_duration_seconds" in families:
                break
            await asyncio.sleep(0.05)

    expected = documented("Of the audit")
    assert expected.keys() & before.keys() == set()
    assert {name: told(families[name]) for name in expected} == expected


def test_every_metric_has_a_meaning_and_a_name_of_its_own() -> None:
    assert [family.name for family in FAMILIES if not family.meaning] == []
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
