"""The program is killed with -9 in the middle of top-ups, and what the bank took is credited once, all of it."""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from bank_at_work import DEADLINE_S, SECRET, SHOP_KEY, BankAtWork, BankDatabase
from e2e.buyers import PASSWORD, REQUEST_S_MAX, token_of
from e2e.shop_program import ShopProgram, sagamart
from payments_street import PAYS, a_bank

SEED = 20261121
KILLS = 4
TOP_UPS = 6
AMOUNT_MINOR = 500
EXCHANGES_MAX = 25
"""A life ends after so many answers of shop and bank at most, as the seed has it."""


class Traveller:
    """Somebody with top-ups under way, who repeats what was not answered, under the same key."""

    def __init__(self, bank: BankAtWork) -> None:
        self.bank = bank
        self.places: dict[int, str] = {}
        self.paid: set[int] = set()
        self.credited: set[int] = set()
        self.answers = 0

    async def tops_up(self, http: httpx.AsyncClient, token: str, number: int) -> None:
        """One top-up, as far as it gets in this life of the shop."""
        while number not in self.credited:
            if number not in self.places:
                wish = {"amount_minor": AMOUNT_MINOR, "currency": "RUB"}
                headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"top-up-{number}"}
                answer = await http.post("/v1/wallet/top-ups", json=wish, headers=headers)
                assert answer.status_code == 202, answer.text
                self.places[number] = answer.headers["location"]
            seen = await self.looks(http, token, number)
            if "redirect_url" in seen and number not in self.paid:
                form = {"card": PAYS, "answer": "confirm"}
                assert (await self.bank.http.post(seen["redirect_url"], data=form)).status_code == 200
                self.paid.add(number)
            if seen.get("credited"):
                self.credited.add(number)
            self.answers += 1
            await asyncio.sleep(0.02)

    async def looks(self, http: httpx.AsyncClient, token: str, number: int) -> Any:
        answer = await http.get(self.places[number], headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        return answer.json()


# A kill cuts connections in the middle of a write; asyncio drops their transports, and says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_what_the_bank_took_is_credited_once_however_often_the_shop_is_killed(
    folder: Path, bank_database: BankDatabase
) -> None:
    random = Random(SEED)  # noqa: S311  a seed, not a secret
    async with a_bank(await bank_database()) as bank:
        settings = {
            "bank_url": str(bank.http.base_url).rstrip("/"),
            "bank_api_key": SHOP_KEY,
            "bank_webhook_secrets": SECRET,
            "http_rate_limit_per_s": "0",
        }
        traveller = Traveller(bank)
        for life in range(KILLS + 1):
            shop = await asyncio.to_thread(opened, folder, settings)
            last = life == KILLS
            dies_after = None if last else traveller.answers + random.randint(1, EXCHANGES_MAX)
            await lives(shop, traveller, dies_after)
            if last:
                assert await balance_minor(shop) == TOP_UPS * AMOUNT_MINOR
                assert await asyncio.to_thread(shop.stop) == 0
        assert traveller.credited == set(range(TOP_UPS))
        assert await bank.rows("select sum(captured_minor)::bigint from payments") == [(TOP_UPS * AMOUNT_MINOR,)]
    audited = await asyncio.to_thread(sagamart, "audit", "--data", str(folder))
    assert audited.returncode == 0, audited.stdout


def opened(folder: Path, settings: dict[str, str]) -> ShopProgram:
    """A shop that is open."""
    shop = ShopProgram(folder, **settings)
    shop.wait_until_open()
    return shop


async def lives(shop: ShopProgram, traveller: Traveller, dies_after: int | None) -> None:
    """Let the traveller go on until everything is credited, or the shop is killed after so many answers."""
    async with httpx.AsyncClient(base_url=shop.address, timeout=REQUEST_S_MAX, trust_env=False) as http:
        token = await logged_in(http)
        hook = {"url": f"{shop.address}/v1/bank-webhooks/bank", "secrets": [SECRET]}
        assert (await traveller.bank.call("PUT", "/v1/webhook", hook)).status_code == 200
        at_work = [asyncio.create_task(traveller.tops_up(http, token, number)) for number in range(TOP_UPS)]
        async with asyncio.timeout(3 * DEADLINE_S):
            if dies_after is None:
                await asyncio.gather(*at_work)
                return
            while traveller.answers < dies_after and not all(one.done() for one in at_work):  # noqa: ASYNC110  a count
                await asyncio.sleep(0.005)
        await asyncio.to_thread(shop.kill, everything=False)
        for one in at_work:
            one.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)


async def logged_in(http: httpx.AsyncClient) -> str:
    """The traveller's token; registered in the first life."""
    newcomer = {"email": "traveller@example.com", "password": PASSWORD, "name": "A Traveller"}
    registered = await http.post("/v1/users", json=newcomer)
    assert registered.status_code in (201, 409), registered.text
    return await token_of(http, newcomer["email"], PASSWORD)


async def balance_minor(shop: ShopProgram) -> int:
    """What is in the traveller's wallet."""
    async with httpx.AsyncClient(base_url=shop.address, timeout=REQUEST_S_MAX, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {await logged_in(http)}"}
        found: int = (await http.get("/v1/wallet", headers=headers)).json()["balance_minor"]
        return found
