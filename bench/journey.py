"""The customers of `make load`, as Locust runs them: they browse, register, log in, order, look, and sometimes cancel.

Every answer is judged.  It is right, or a refusal that is right while services die and return (429, 502, 503, 504 with
Retry-After: asked again under the same key after that time; 409: a rule of the shop), or it is wrong.  An order that
was acknowledged has to be there ever after, and the same key has to lead to the same order.

The phases come from the environment: LOAD_USERS, LOAD_RAMP_S, LOAD_SPIKE_S, LOAD_SOAK_S; what was seen goes to the file
LOAD_SEEN as JSON.  The last phase goes on until LOAD_ORDERS orders are settled, within bounds: a slow machine must not
make a run of nothing.
"""

import os
import random
import time
import uuid
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import msgspec
from locust import HttpUser, LoadTestShape, between, events, task
from locust.env import Environment

from storm_seen import PASSWORD, PRODUCTS, SPIKE, Seen, sku

DEPOSIT_MINOR = 100_000_000
TRIES_MAX = 40
RETRY_S_MAX = 5.0
AGAIN = frozenset({429, 502, 503, 504})
RULE = 409
SETTLED = frozenset({"completed", "cancelled"})
LOOKS_AROUND_MAX = 6
LOOKS_MAX = 60
LOOK_S = 0.25
LONGER_S_MAX = 180.0
PHASES = ("ramp", "spike", "soak")


class Ledger:
    """What all customers saw."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.phase = PHASES[0]
        self.refusals: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.orders: Counter[str] = Counter()
        self._latencies: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def answered(self, name: str, ms: float) -> None:
        """A request was answered after so long."""
        self._latencies[self.phase][name].append(round(ms, 2))

    def write(self, file: Path) -> None:
        """Keep everything as JSON."""
        latencies = {phase: dict(names) for phase, names in self._latencies.items()}
        seen = Seen(latencies, dict(self.refusals), dict(self.wrong), dict(self.orders))
        file.write_bytes(msgspec.json.encode(seen))


ledger = Ledger()


class Phases(LoadTestShape):
    """Ramp up, spike, soak."""

    users = int(os.environ["LOAD_USERS"])
    orders = int(os.environ["LOAD_ORDERS"])
    lasting_s = tuple(float(os.environ[f"LOAD_{name.upper()}_S"]) for name in PHASES)

    def tick(self) -> tuple[int, float] | None:
        """How many customers there are to be, and how fast they come; None when all phases are over."""
        left = time.monotonic() - ledger.began
        for name, lasts_s in zip(PHASES, self.lasting_s, strict=True):
            if left < lasts_s:
                ledger.phase = name
                wanted = max(1, round(self.users * {"ramp": left / lasts_s, "spike": SPIKE, "soak": 1}[name]))
                return wanted, wanted
            left -= lasts_s
        few = ledger.orders.total() < self.orders
        return (self.users, self.users) if few and left < LONGER_S_MAX else None


@events.quitting.add_listener  # type: ignore[untyped-decorator]  # Locust has no types for it
def _quitting(environment: Environment, **_: Any) -> None:
    del environment
    ledger.write(Path(os.environ["LOAD_SEEN"]))


class Person(HttpUser):
    """Whoever comes to the shop."""

    abstract = True
    wait_time = between(0.2, 1.0)

    @task(8)
    def browse(self) -> None:
        """A page of the catalogue, then one product of it."""
        self.ask("browse", "GET", "/v1/products", params={"limit": 20})
        self.ask("product", "GET", f"/v1/products/{sku(random.randrange(PRODUCTS))}", name="/v1/products/{sku}")

    def ask(self, what: str, method: str, path: str, *, key: str | None = None, **more: Any) -> Any:
        """Send a request until it is answered; the body of a right answer, None for a rule's refusal or a wrong one."""
        headers = {} if key is None else {"Idempotency-Key": key}
        for _ in range(TRIES_MAX):
            began = time.perf_counter()
            with self.client.request(method, path, headers=headers, catch_response=True, **more) as response:
                ledger.answered(what, (time.perf_counter() - began) * 1000)
                status, wait = response.status_code, response.headers.get("Retry-After") if response.headers else None
                if 200 <= status < 300:  # noqa: PLR2004  RFC 9110
                    return response.json()
                kind = f"{what}: {status} {_code(response)}"
                right = status == RULE or (status in AGAIN and wait is not None)
                if right:
                    response.success()
                    ledger.refusals[kind] += 1
                else:
                    response.failure(kind)
                    ledger.wrong[kind] += 1
            if status not in AGAIN or wait is None:
                return None
            time.sleep(min(RETRY_S_MAX, float(wait)) * (0.5 + random.random()))
        ledger.wrong[f"{what}: refused {TRIES_MAX} times in a row"] += 1
        return None


class Visitor(Person):
    """Looks around and buys nothing."""

    weight = 1


class Customer(Person):
    """From the first look to the last order."""

    weight = 2

    def on_start(self) -> None:
        """Look around, register, log in, fill the wallet."""
        self.orders: dict[str, str] = {}
        for _ in range(random.randint(1, LOOKS_AROUND_MAX)):
            self.browse()
            time.sleep(random.uniform(0.2, 1.0))
        self.email = f"{uuid.uuid4()}@example.com"
        person = {"email": self.email, "password": PASSWORD, "name": "A Customer"}
        while self.ask("register", "POST", "/v1/users", json=person, key=self.email) is None:
            time.sleep(1)
        while not self.log_in():
            time.sleep(1)
        deposit = {"amount_minor": DEPOSIT_MINOR, "currency": "RUB"}
        while self.ask("deposit", "POST", "/v1/wallet/deposits", json=deposit, key="deposit") is None:
            time.sleep(1)

    @task(1)
    def come_back(self) -> None:
        """Log in once more."""
        self.log_in()

    def log_in(self) -> bool:
        """Get an access token; says whether there is one."""
        answer = self.ask("log in", "POST", "/v1/tokens", json={"email": self.email, "password": PASSWORD})
        if answer is None:
            return False
        self.client.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return True

    @task(10)
    def order(self) -> None:
        """Order, now and then say so twice, and look until the order is settled."""
        order_id = self._ordered()
        if order_id is None:
            return
        for _ in range(LOOKS_MAX):
            time.sleep(LOOK_S)
            found = self._looked_at(order_id)
            if found is not None and found["status"] in SETTLED:
                ledger.orders[found["status"]] += 1
                return
        ledger.orders["not settled while its customer looked"] += 1

    @task(2)
    def order_and_cancel(self) -> None:
        """Cancel right after ordering: sometimes it is too late."""
        order_id = self._ordered()
        if order_id is not None:
            self.ask(
                "cancel", "POST", f"/v1/orders/{order_id}/cancellation", key=f"cancel-{order_id}",
                name="/v1/orders/{id}/cancellation",
            )  # fmt: skip

    @task(4)
    def look(self) -> None:
        """Any earlier order: what was acknowledged is there ever after."""
        if self.orders:
            self._looked_at(random.choice(list(self.orders)))

    def _ordered(self) -> str | None:
        """The id of a new order; None where the shop refuses it."""
        key = str(uuid.uuid4())
        lines = [{"sku": sku(number), "quantity": 1} for number in random.sample(range(PRODUCTS), 2)]
        answer = self.ask("order", "POST", "/v1/orders", json={"lines": lines}, key=key)
        if answer is None:
            return None
        if random.random() < 0.1:  # noqa: PLR2004  one of ten asks again
            again = self.ask("order again", "POST", "/v1/orders", json={"lines": lines}, key=key)
            if again is not None and again["id"] != answer["id"]:
                ledger.wrong["order again: another order under the same key"] += 1
        self.orders[answer["id"]] = key
        return str(answer["id"])

    def _looked_at(self, order_id: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.ask("look", "GET", f"/v1/orders/{order_id}", name="/v1/orders/{id}")
        return found


def _code(response: Any) -> str:
    """What a problem calls itself; else what went wrong on the way."""
    try:
        return str(response.json()["code"])
    except (ValueError, KeyError, TypeError):
        return type(response.error).__name__ if getattr(response, "error", None) else "no problem document"
