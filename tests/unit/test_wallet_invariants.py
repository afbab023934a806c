"""Whatever is done to a wallet, in whatever sequence, its books balance."""

from collections import defaultdict
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from one_service import OneService
from sagamart.contracts.order_requests import CaptureRequested, HoldRequested, ReleaseRequested
from sagamart.contracts.wallet import MoneyHeld
from sagamart.shop.wallet.messages import DepositMoney, WithdrawMoney
from sagamart.shop.wallet.records import Hold, Posting, Wallet, customer_account
from sagamart.shop.wallet.service import WALLET

CUSTOMERS = st.sampled_from(["cus_1", "cus_2"])
CURRENCIES = st.sampled_from(["RUB"] * 9 + ["EUR"])
DEPOSITS = st.integers(min_value=1, max_value=1_000)
AMOUNTS = st.integers(min_value=1, max_value=300)


class Books(RuleBasedStateMachine):
    """Deposits, withdrawals, and orders that hold, capture and cancel, any of them doubled."""

    orders: Bundle[HoldRequested] = Bundle("orders")

    @initialize()
    def open(self) -> None:
        self.service = OneService(WALLET)
        self.ended: dict[str, type] = {}
        self.number = 0
        self.deposit("cus_1", 2_000, "RUB")

    @rule(customer=CUSTOMERS, amount=DEPOSITS, currency=CURRENCIES)
    def deposit(self, customer: str, amount: int, currency: str) -> None:
        self.service.hears(DepositMoney(customer, amount, currency, "usr_operator"))

    @rule(customer=CUSTOMERS, amount=AMOUNTS, currency=CURRENCIES)
    def withdraw(self, customer: str, amount: int, currency: str) -> None:
        self.service.hears(WithdrawMoney(customer, amount, currency, customer))

    @rule(target=orders, customer=CUSTOMERS, amount=AMOUNTS, currency=CURRENCIES, overtaken=st.booleans())
    def hold(self, customer: str, amount: int, currency: str, *, overtaken: bool) -> HoldRequested:
        """An order asks for its money, or will do so only later."""
        self.number += 1
        order = HoldRequested(f"ord_{self.number}", 3, "pay_pending", customer, 1, (), amount, currency, 1, amount)
        if not overtaken:
            self.service.hears(order)
        return order

    @rule(order=orders)
    def hold_again(self, order: HoldRequested) -> None:
        self.service.hears(order)

    @rule(order=orders)
    def capture(self, order: HoldRequested) -> None:
        held = any(isinstance(sent, MoneyHeld) and sent.order_id == order.order_id for sent in self.service.sent)
        if held and self.ended.get(order.order_id) is not ReleaseRequested:
            self.ended[order.order_id] = CaptureRequested
            self.service.hears(self.as_said(CaptureRequested, order, 1, order.amount_minor))

    @rule(order=orders)
    def cancel(self, order: HoldRequested) -> None:
        if self.ended.get(order.order_id) is not CaptureRequested:
            self.ended[order.order_id] = ReleaseRequested
            self.service.hears(self.as_said(ReleaseRequested, order, 1, order.amount_minor))

    def as_said(self, kind: Any, order: HoldRequested, *more: Any) -> Any:
        status = "capturing" if kind is CaptureRequested else "cancelled"
        return kind(order.order_id, 4, status, order.customer_id, 1, (), order.total_minor, order.currency, *more)

    @invariant()
    def postings_sum_to_zero_per_currency_and_movement(self) -> None:
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for posting in self.service.entries(Posting):
            sums[posting.movement_id, posting.currency] += posting.amount_minor
        assert set(sums.values()) <= {0}

    @invariant()
    def a_balance_is_the_sum_of_its_postings(self) -> None:
        for wallet in self.service.records(Wallet).values():
            account = customer_account(wallet.customer_id)
            postings = [one for one in self.service.entries(Posting) if one.account == account]
            assert wallet.balance_minor == sum(one.amount_minor for one in postings)
            assert {one.currency for one in postings} <= {wallet.currency}

    @invariant()
    def what_is_held_is_the_sum_of_the_open_holds_and_is_covered(self) -> None:
        for wallet in self.service.records(Wallet).values():
            holds = [one for one in self.service.records(Hold).values() if one.customer_id == wallet.customer_id]
            assert wallet.held_minor == sum(one.amount_minor for one in holds if one.status == "held")
            assert wallet.available_minor >= 0

    @invariant()
    def no_posting_is_written_twice(self) -> None:
        ids = [posting.posting_id for posting in self.service.entries(Posting)]
        assert len(ids) == len(set(ids))


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
