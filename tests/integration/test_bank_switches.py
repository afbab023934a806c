"""Operators switch the simulated bank's misbehaviour over the shop's API, and every switch has a name and a reason."""

from typing import Any

from bank_at_work import ADMIN_KEY
from payments_street import Street
from sagamart.platform.http import Caller
from sagamart.shop.payments.api import routes
from sagamart.shop.payments.service import PAYMENTS_SERVICE
from sagamart.shop.payments.switching import BankSwitches
from shop_fixtures import RunningService, Started

OLGA = Caller("usr_olga", frozenset({"OPERATOR"}))
SWITCHES = "/v1/operations/bank/misbehaviour"


async def switched(payments: RunningService, why: str, **switches: str) -> Any:
    answer = await payments.send("PUT", SWITCHES, {"switches": switches, "why": why}, caller=OLGA)
    return answer.json()


async def acts(payments: RunningService) -> list[tuple[Any, ...]]:
    """What stands in the journal, the newest first."""
    listed = (await payments.get("/v1/operations/actions", caller=OLGA)).json()["items"]
    return [tuple(one[name] for name in ("action", "by", "why", "status_before", "status_after")) for one in listed]


async def test_who_switched_what_and_why_is_in_the_journal(street: Street) -> None:
    first = await switched(street.payments, "to see a retry", webhook_twice="sometimes", refuses="once", down="never")
    second = await switched(street.payments, "seen")

    rules = (await street.bank.call("GET", "/admin/misbehaviour", api_key=ADMIN_KEY)).json()["rules"]
    on = {name: extent for name, extent in first["switches"].items() if extent != "never"}
    assert on == {"refuses": "once", "webhook_twice": "sometimes"}
    assert (set(second["switches"].values()), rules) == ({"never"}, [])
    assert await acts(street.payments) == [
        ("switch_bank", OLGA.id, "seen", "refuses=once, webhook_twice=sometimes", None),
        ("switch_bank", OLGA.id, "to see a retry", None, "refuses=once, webhook_twice=sometimes"),
    ]


async def test_what_the_bank_did_once_and_has_done_is_off_and_counted(street: Street) -> None:
    await switched(street.payments, "one failure", down="once")
    await street.opened(1)

    now = (await street.payments.get(SWITCHES, caller=OLGA)).json()

    assert (now["switches"]["down"], now["fired"]) == ("never", {"down": 1})


async def test_a_switch_without_a_reason_is_refused(street: Street) -> None:
    assert (await switched(street.payments, "", down="always"))["code"] == "malformed"
    assert await acts(street.payments) == []


async def test_a_bank_that_does_not_tell_is_not_switched(started: Started) -> None:
    nobody = BankSwitches("http://127.0.0.1:1", ADMIN_KEY)
    payments = await started(PAYMENTS_SERVICE, routes([], switches=nobody))

    assert (await switched(payments, "to see", down="once"))["code"] == "bank_silent"
    assert await acts(payments) == []
