"""Whatever customers, staff and the bank do, in whatever sequence, the money is right after each step.

The ledger sums to zero, and the shop keeps of each order what its customer has kept, exact to the minor unit.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sagamart.contracts.orders import Address, PaymentSource, ReturnedLine
from sagamart.shop.accounts.service import ACCOUNTS
from sagamart.shop.catalogue.service import CATALOGUE
from sagamart.shop.notifications.service import NOTIFICATIONS
from sagamart.shop.orders.messages import (
    CancelOrder,
    PayOrder,
    PlaceOrder,
    PlacingRules,
    ReturnItems,
    WantedDelivery,
    WantedLine,
)
from sagamart.shop.orders.records import Order, Terms
from sagamart.shop.orders.service import ORDERS_SERVICE
from sagamart.shop.payments.messages import Reconcile
from sagamart.shop.promotions.service import PROMOTIONS
from sagamart.shop.shipping.messages import ConfirmDelivery, HandOverShipment, ReceiveReturn
from sagamart.shop.shipping.records import Return, Shipment, shipment_id_of
from sagamart.shop.shipping.service import SHIPPING
from sagamart.shop.stock.messages import ReceiveStock
from sagamart.shop.stock.service import STOCK
from sagamart.shop.wallet.messages import DepositMoney
from sagamart.shop.wallet.service import WALLET
from simulation.bank import Deal
from simulation.money_rules import (
    every_order_keeps_what_it_is_worth,
    money_goes_with_the_order,
    money_is_conserved,
    the_bank_and_the_books_agree,
)
from simulation.staff import COURIER, _codes, _method, _product
from simulation.whole_shop import WholeShop, books_of
from simulation.world import PAYMENTS

WHO = "cus_1"
HOME = Address("Anna", "RU", "Perm", "Lenina 1")
EVERYBODY = (ACCOUNTS, CATALOGUE, STOCK, ORDERS_SERVICE, WALLET, PAYMENTS, SHIPPING, PROMOTIONS, NOTIFICATIONS)
PRICES_MINOR = {"apple": 333, "pear": 1_001}
SOURCES = st.sampled_from(("wallet", "bank"))
PLACES = st.integers(0, 100)


class Money(RuleBasedStateMachine):
    """One customer, many orders; a bank that may refuse to capture and to refund."""

    @initialize(seed=st.integers(0, 1_000))
    def open(self, seed: int) -> None:
        self.shop = WholeShop(EVERYBODY)
        self.shop.random.seed(seed)
        for sku, price_minor in PRICES_MINOR.items():
            self.shop.says("catalogue", _product(sku, price_minor))
            self.shop.says("stock", ReceiveStock(sku, 1_000, "ann"))
        for code in _codes():
            self.shop.says("promotions", code)
        self.shop.says("shipping", _method(COURIER))
        self.shop.says("wallet", DepositMoney(WHO, 20_000, "RUB", "ann"))
        self.placed = 0

    @rule(
        pieces=st.tuples(st.integers(1, 7), st.integers(0, 3)),
        code=st.sampled_from((None, "TENTH", "LESS", "ONCE")),
        sent=st.booleans(),
        later=st.sampled_from((True, True, False)),
        revive=st.booleans(),
    )
    def place(self, pieces: tuple[int, int], code: str | None, *, sent: bool, later: bool, revive: bool) -> None:
        wanted = zip(PRICES_MINOR, pieces, strict=True)
        lines = tuple(WantedLine(sku, quantity) for sku, quantity in wanted if quantity)
        rules = PlacingRules(True, 100, "RUB", Terms(later=later, revive=revive))  # noqa: FBT003  a row
        self.placed += 1
        delivery = WantedDelivery(COURIER, HOME) if sent else None
        wish = PlaceOrder(f"ord_{self.placed}", WHO, lines, rules, delivery=delivery, promo_code=code)
        self.shop.says("orders", wish)

    @precondition(lambda self: self.orders)
    @rule(place=PLACES, source=SOURCES, amount_minor=st.none() | st.integers(1, 2_000), confirms=st.booleans())
    def pay(self, place: int, source: PaymentSource, amount_minor: int | None, *, confirms: bool) -> None:
        order = self.orders[place % len(self.orders)]
        wish = PayOrder(order.order_id, WHO, staff=False, source=source, amount_minor=amount_minor)
        self.shop.says("orders", wish)
        if confirms:
            self.decide(0, confirms=True)

    @precondition(lambda self: self.pages)
    @rule(place=PLACES, confirms=st.sampled_from((True, True, False)))
    def decide(self, place: int, *, confirms: bool) -> None:
        """A customer on the bank's page confirms, or does not."""
        if self.pages:
            deal = self.pages[place % len(self.pages)]
            (self.shop.bank.confirm if confirms else self.shop.bank.decline)(deal)
            self.shop.settle()

    @rule(captures=st.booleans(), refunds=st.booleans(), at_once=st.booleans())
    def bank_changes_its_mind(self, *, captures: bool, refunds: bool, at_once: bool) -> None:
        names = {"capture refused": captures, "refund refused": refunds, "bank charges at once": at_once}
        self.shop.dice.refusing = {name for name, is_on in names.items() if is_on}

    @precondition(lambda self: self.orders)
    @rule(place=PLACES)
    def cancel(self, place: int) -> None:
        order = self.orders[place % len(self.orders)]
        self.shop.says("orders", CancelOrder(order.order_id, WHO, staff=False))

    @precondition(lambda self: self.orders)
    @rule()
    def ship(self) -> None:
        """Whatever is ready leaves, and arrives."""
        for shipment_id, row in sorted(self.shop.rows("shipping", Shipment).items()):
            if row.status == "pending":
                self.shop.says("shipping", HandOverShipment(shipment_id, "ann", "en", "post", "T"))
                self.shop.says("shipping", ConfirmDelivery(shipment_id, "ann", "en"))

    @precondition(lambda self: self.sold)
    @rule(place=PLACES, line=st.integers(0, 1), quantity=st.integers(1, 4), arrives=st.booleans())
    def send_back(self, place: int, line: int, quantity: int, *, arrives: bool) -> None:
        order = self.sold[place % len(self.sold)]
        self.placed += 1
        back = (ReturnedLine(line, quantity),)
        name = f"ret_{self.placed}"
        self.shop.says("orders", ReturnItems(order.order_id, WHO, staff=True, return_id=name, returned=back))
        for one in sorted(self.shop.rows("shipping", Return).values(), key=lambda row: row.return_id):
            if arrives and one.status == "announced":
                wish = ReceiveReturn(shipment_id_of(one.order_id), "ann", "en", one.return_id)
                self.shop.says("shipping", wish)

    @rule()
    def time_passes(self) -> None:
        self.shop.let_time_pass()

    @property
    def orders(self) -> list[Order]:
        return list(self.shop.rows("orders", Order).values())

    @property
    def sold(self) -> list[Order]:
        return [order for order in self.orders if order.status == "completed"]

    @property
    def pages(self) -> list[Deal]:
        return [deal for deal in self.shop.bank.deals.values() if deal.status == "needs_confirmation"]

    @invariant()
    def the_money_is_right(self) -> None:
        self.shop.says("payments", Reconcile())
        books = books_of(self.shop)
        assert list(money_is_conserved(books)) == []
        assert list(every_order_keeps_what_it_is_worth(books)) == []
        assert list(money_goes_with_the_order(books)) == []
        assert list(the_bank_and_the_books_agree(books)) == []


TestMoney = Money.TestCase
TestMoney.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
