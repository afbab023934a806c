"""The bank over the road, on the twin: it keeps its word about money and misbehaves, by the seed, in everything else.

- A key names an operation for ever: a repeated request has one effect and the first answer.
- A call may fail before it lands, after it landed, land only later, or land twice.  Nobody finds what has not landed.
- Cancelling a key undoes what came under it, and refuses what still comes; what a capture took is "already done".
- The customer decides on the bank's page, some time; a hold lapses; each change is told by a webhook that may be lost.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from sagamart.shop.payments.messages import Answer, BankView, StatementEntry
from sagamart.shop.payments.outside import BankSilentError
from sagamart.shop.payments.records import BankStatus
from simulation.chaos import Chaos

WAY_S_MAX = 0.3
LATE_S_MAX = 15.0
SILENT_S = 60.0
"""Longer than anybody waits for an answer."""

DECIDES_S_MAX = 5.0
CONFIRM_WITHIN_S = 60
HOLD_S = 7 * 86_400
SHORT_HOLD_S_MAX = 100.0
PAGE_MAX = 5
OPEN: frozenset[BankStatus] = frozenset({"needs_confirmation", "held"})

Act = Callable[[], Answer]


class Deal(msgspec.Struct):
    """A payment as the bank has it."""

    bank_id: str
    key: str
    kind: Literal["hold", "charge"]
    amount_minor: int
    currency: str
    status: BankStatus = "needs_confirmation"
    version: int = 1
    captured_minor: int = 0
    refunded_minor: int = 0
    holds_until: datetime | None = None
    refusal: str | None = None

    @property
    def view(self) -> BankView:
        """What the merchant is shown."""
        page = f"https://bank.example/{self.bank_id}" if self.status == "needs_confirmation" else None
        return BankView(
            self.bank_id,
            self.status,
            self.version,
            self.captured_minor,
            self.refunded_minor,
            page,
            self.holds_until,
            self.refusal,
        )


class SimulatedBank:
    """All of the bank in one run.  `tell` is called with a payment's key and version when it changed."""

    tell: Callable[[str, int], None]

    def __init__(self, chaos: Chaos, clock: Callable[[], datetime]) -> None:
        self.chaos = chaos
        self.clock = clock
        self.deals: dict[str, Deal] = {}
        self.answers: dict[str, Answer] = {}
        self.cancelled: set[str] = set()
        self.entries: list[StatementEntry] = []
        self.landing = 0
        """Requests on their way that nobody waits for any more."""

    # -- the merchant's interface --------------------------------------------------------------------------------------

    async def open(self, key: str, kind: Literal["hold", "charge"], amount_minor: int, currency: str) -> Answer:
        """Open a payment that the customer confirms on a page."""
        return await self._call(lambda: self._open(key, kind, amount_minor, currency))

    async def capture(self, key: str, bank_id: str, amount_minor: int, _currency: str) -> Answer:
        """Take what is held."""
        return await self._call(lambda: self._once(key, lambda: self._capture(key, bank_id, amount_minor)))

    async def refund(self, key: str, bank_id: str, amount_minor: int, _currency: str) -> Answer:
        """Give a part back."""
        return await self._call(lambda: self._once(key, lambda: self._refund(key, bank_id, amount_minor)))

    async def cancel(self, key: str) -> Answer:
        """Let nothing be held or taken under this key."""
        return await self._call(lambda: self._cancel(key))

    async def state(self, key: str) -> Answer:
        """Say how the payment of this key stands.  What has not landed is not found, which is no answer."""
        return await self._call(lambda: self._state(key))

    async def statement(
        self, since: datetime, until: datetime, cursor: str | None
    ) -> tuple[tuple[StatementEntry, ...], str | None]:
        """Give a page of what moved."""
        await self._travel()
        after = int(cursor or 0)
        found = [entry for entry in self.entries if since <= entry.at < until and entry.entry > after]
        page = tuple(found[:PAGE_MAX])
        return page, str(page[-1].entry) if len(found) > PAGE_MAX else None

    async def close(self) -> None:
        """Nothing is open."""

    # -- the line ------------------------------------------------------------------------------------------------------

    async def _call(self, act: Act) -> Answer:
        await self._travel()
        if self.chaos.strikes("bank lands late"):
            self._land_later(act)
            raise BankSilentError("it is still on its way")
        if self.chaos.strikes("bank request doubled"):
            self._land_later(act)
        answer = act()
        if self.chaos.strikes("bank times out"):
            await asyncio.sleep(SILENT_S)
        return answer

    async def _travel(self) -> None:
        await asyncio.sleep(self.chaos.random.uniform(0, WAY_S_MAX))
        if self.chaos.strikes("bank unreachable"):
            raise BankSilentError("nobody is there")

    def _land_later(self, act: Act) -> None:
        def land() -> None:
            self.landing -= 1
            try:
                act()
            except BankSilentError:
                return  # a question, not an order

        self.landing += 1
        self._later(self.chaos.random.uniform(0.1, LATE_S_MAX), land)

    # -- what it does --------------------------------------------------------------------------------------------------

    def _once(self, key: str, act: Act) -> Answer:
        if key not in self.answers:
            self.answers[key] = act()
        return self.answers[key]

    def _open(self, key: str, kind: Literal["hold", "charge"], amount_minor: int, currency: str) -> Answer:
        if key in self.cancelled:
            return Answer("cancelled")
        deal = self.deals.get(key)
        if deal is None:
            if self.chaos.strikes("bank rejects"):
                return Answer("rejected", "not_today")
            deal = self.deals[key] = Deal(f"bnk_{len(self.deals)}", key, kind, amount_minor, currency)
            self.chaos.note("opened", key)
            self._later(self.chaos.random.uniform(0.2, DECIDES_S_MAX), lambda: self._decide(key))
            self._later(CONFIRM_WITHIN_S, lambda: self._decline(key, "confirmation_expired"))
        return Answer("pending", payment=deal.view)

    def _decide(self, key: str) -> None:
        """Let the customer confirm, refuse, or walk away."""
        deal = self.deals[key]
        if deal.status != "needs_confirmation":
            return
        mood = self.chaos.random.random()
        if self.chaos.strikes("payment declined"):
            self._decline(key, "insufficient_funds")
        elif mood < 0.1:
            self._decline(key, "customer_refused")
        elif mood < 0.9:
            self._take(deal)

    def _take(self, deal: Deal) -> None:
        if deal.kind == "charge" or self.chaos.strikes("bank charges at once"):
            deal.captured_minor = deal.amount_minor
            self._move("debit", deal.key, deal, deal.amount_minor)
            self._change(deal, "captured")
            return
        short = self.chaos.strikes("hold lapses early")
        left_s = self.chaos.random.uniform(1, SHORT_HOLD_S_MAX) if short else HOLD_S
        deal.holds_until = self.clock() + timedelta(seconds=left_s)
        self._change(deal, "held")
        self._later(left_s, lambda: self._change(deal, "expired") if deal.status == "held" else None)

    def _decline(self, key: str, refusal: str) -> None:
        deal = self.deals[key]
        if deal.status == "needs_confirmation":
            deal.refusal = refusal
            self._change(deal, "declined")

    def _capture(self, key: str, bank_id: str, amount_minor: int) -> Answer:
        deal = self._deal(bank_id)
        if deal.status != "held" or self.chaos.strikes("capture refused"):
            return Answer("refused", "capture_declined", deal.view)
        deal.captured_minor = amount_minor
        self._move("debit", key, deal, amount_minor)
        self._change(deal, "captured")
        return Answer("succeeded", payment=deal.view)

    def _refund(self, key: str, bank_id: str, amount_minor: int) -> Answer:
        deal = self._deal(bank_id)
        left_minor = deal.captured_minor - deal.refunded_minor
        if deal.status != "captured" or amount_minor > left_minor or self.chaos.strikes("refund refused"):
            return Answer("refused", "refund_declined", deal.view)
        deal.refunded_minor += amount_minor
        self._move("refund", key, deal, -amount_minor)
        self._change(deal, "captured")
        return Answer("succeeded", payment=deal.view)

    def _cancel(self, key: str) -> Answer:
        deal = self.deals.get(key)
        if deal is not None and deal.status == "captured" and deal.kind == "hold":
            return Answer("already_done")
        self.cancelled.add(key)
        if deal is None:
            return Answer("cancelled")
        if deal.status == "captured":
            self._move("reversal", key, deal, deal.refunded_minor - deal.captured_minor)
            deal.refunded_minor = deal.captured_minor
            self._change(deal, "cancelled")
        elif deal.status in OPEN:
            self._change(deal, "cancelled")
        return Answer("cancelled", payment=deal.view)

    def _state(self, key: str) -> Answer:
        deal = self.deals.get(key)
        if deal is None and key not in self.cancelled:
            raise BankSilentError("not found; it may still be on its way")
        return Answer("succeeded", payment=deal.view if deal is not None else None)

    def _deal(self, bank_id: str) -> Deal:
        return next(deal for deal in self.deals.values() if deal.bank_id == bank_id)

    def _change(self, deal: Deal, status: BankStatus) -> None:
        deal.status = status
        deal.version += 1
        self.chaos.note("bank", deal.key, status, deal.version)
        self.tell(deal.key, deal.version)

    def _move(self, kind: Literal["debit", "refund", "reversal"], key: str, deal: Deal, amount_minor: int) -> None:
        number = len(self.entries) + 1
        self.entries.append(StatementEntry(number, self.clock(), kind, key, deal.key, amount_minor, deal.currency))

    def _later(self, after_s: float, act: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(after_s, act)
