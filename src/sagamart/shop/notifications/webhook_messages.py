"""What is said about webhooks: wishes of the staff, intents to post, and what came of them."""

from sagamart.messaging.message import Body
from sagamart.shop.notifications.webhook_records import EventType


class WebhookMessage(Body, frozen=True):
    """Something about one subscription."""

    subscription_id: str

    @property
    def key(self) -> str:
        """The subscription."""
        return self.subscription_id


class CreateWebhook(WebhookMessage, frozen=True):
    """Somebody of the staff subscribes a receiver."""

    url: str
    events: tuple[EventType, ...]
    note: str
    secret: str
    by: str

    def __repr__(self) -> str:
        return f"CreateWebhook({self.subscription_id})"  # representations end in logs


class ChangeWebhook(WebhookMessage, frozen=True):
    """Change what is named; None leaves it as it is.  What was gone is tried again by making it active."""

    expected_version: int
    url: str | None = None
    events: tuple[EventType, ...] | None = None
    note: str | None = None
    active: bool | None = None


class ReplaceWebhookSecret(WebhookMessage, frozen=True):
    """Sign with a new secret; for a while with the former one too."""

    secret: str

    def __repr__(self) -> str:
        return f"ReplaceWebhookSecret({self.subscription_id})"  # representations end in logs


class DeleteWebhook(WebhookMessage, frozen=True):
    """Tell this receiver nothing more."""


class DeliveryMessage(Body, frozen=True):
    """Something about one delivery."""

    delivery_id: str

    @property
    def key(self) -> str:
        """The delivery."""
        return self.delivery_id


class DeliveryRequested(DeliveryMessage, frozen=True):
    """Post it; the outcomes are DeliveryTaken and DeliveryFailed."""


class DeliveryTaken(DeliveryMessage, frozen=True):
    """The receiver has answered with a 2xx: `answer`."""

    answer: int


class DeliveryFailed(DeliveryMessage, frozen=True):
    """The receiver has not taken it.  `reason` is a code, never what the receiver said.

    `final`: it is not tried again.  `gone`: the receiver wants no more of any (HTTP 410).
    """

    subscription_id: str
    reason: str
    answer: int | None = None
    final: bool = False
    gone: bool = False


class DeliveryDue(DeliveryMessage, frozen=True):
    """Post it once more: a timer."""


class ReplayDelivery(DeliveryMessage, frozen=True):
    """Somebody of the staff wants a delivery that has ended to be made again."""

    subscription_id: str
