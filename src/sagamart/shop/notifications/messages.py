"""What only notifications says and hears: intents to the gateways of its channels, their outcomes, people's wishes."""

from sagamart.messaging.message import Body
from sagamart.shop.notifications.records import Facts, Kind


class DispatchMessage(Body, frozen=True):
    """Something about one notification on its way by one channel."""

    dispatch_id: str

    @property
    def key(self) -> str:
        """The dispatch."""
        return self.dispatch_id


class DispatchRequest(DispatchMessage, frozen=True):
    """What a channel needs to write a message: whom to, and what about; the address is asked for when it goes out."""

    customer_id: str
    kind: Kind
    facts: Facts


class EmailRequested(DispatchRequest, frozen=True):
    """Send an e-mail; the outcomes are MessageSent, MessageNotSent and SendingUnknown."""


class SmsRequested(DispatchRequest, frozen=True):
    """Send an SMS; the outcomes are MessageSent and MessageNotSent."""


class MessageSent(DispatchMessage, frozen=True):
    """The mail server or gateway has taken it."""


class MessageNotSent(DispatchMessage, frozen=True):
    """It was not taken and will not be tried again.  `reason` is a code, never an address or what a server said."""

    reason: str


class SendingUnknown(DispatchRequest, frozen=True):
    """The mail server fell silent while it had the letter: it may have been taken, or not."""


class EmailRepeatDue(DispatchRequest, frozen=True):
    """Send the letter of which nothing is known once more: a timer."""


class ChangePreferences(Body, frozen=True):
    """Somebody wants to be told by other channels.  None leaves a field as it is; an empty `phone` is no phone."""

    customer_id: str
    email: bool | None = None
    sms: bool | None = None
    phone: str | None = None
    expected_version: int | None = None

    @property
    def key(self) -> str:
        """The customer."""
        return self.customer_id

    def __repr__(self) -> str:
        return f"ChangePreferences({self.customer_id})"  # representations end in logs
