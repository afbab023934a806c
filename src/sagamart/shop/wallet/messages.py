"""What only the wallet hears: money that people bring and take."""

from sagamart.messaging.message import Body


class MoneyCommand(Body, frozen=True):
    """A movement between a customer's wallet and the outside, asked for `by` somebody.  `amount_minor` > 0."""

    customer_id: str
    amount_minor: int
    currency: str
    by: str

    @property
    def key(self) -> str:
        """The customer."""
        return self.customer_id


class DepositMoney(MoneyCommand, frozen=True):
    """Put money into the wallet."""


class WithdrawMoney(MoneyCommand, frozen=True):
    """Take money out of the wallet."""
