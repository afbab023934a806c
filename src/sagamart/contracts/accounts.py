"""What accounts tells.  Ids only: no names, no e-mail addresses."""

from sagamart.messaging.message import Body


class CustomerRegistered(Body, frozen=True):
    """Somebody has become a customer."""

    customer_id: str
    version: int

    @property
    def key(self) -> str:
        """The customer."""
        return self.customer_id
