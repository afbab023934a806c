"""What merchants and administrators send."""

from typing import Annotated

import msgspec
from msgspec import Meta

from sagamart.bank.cards import plain
from sagamart.bank.misbehaviour import RULES_MAX, Rule
from sagamart.bank.records import PaymentKind
from sagamart.platform.http import RequestBody

AMOUNT_MINOR_MAX = 1_000_000_000_000
HOLD_S_DEFAULT = 86_400
HOLD_S_MAX = 604_800
HOSTS_MAX = 20
SECRETS_MAX = 2
URL_CHARS_MAX = 2_000

AmountMinor = Annotated[int, Meta(ge=1, le=AMOUNT_MINOR_MAX, description="Minor units: 1250 is 12.50", examples=[1250])]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217", examples=["RUB"])]
CardNumber = Annotated[str, Meta(pattern="^[0-9 -]{8,40}$", examples=["4000000000000001"])]
Url = Annotated[str, Meta(pattern="^https?://[!-~]+$", max_length=URL_CHARS_MAX)]
Secret = Annotated[str, Meta(pattern="^whsec_[A-Za-z0-9+/]{32,120}={0,2}$", description="whsec_ and base64")]
Host = Annotated[str, Meta(pattern="^[a-z0-9.:-]{1,253}$", description="A host's name or address, no port")]


class FundsCheck(RequestBody, frozen=True):
    """Whether this card could pay so much now."""

    card: CardNumber
    amount_minor: AmountMinor
    currency: Currency


class NewPayment(RequestBody, frozen=True):
    """A payment by card; without a card the customer types it on the bank's page."""

    kind: PaymentKind
    amount_minor: AmountMinor
    currency: Currency
    reference: Annotated[str, Meta(min_length=1, max_length=200, description="What it is for, in your words")]
    description: Annotated[str, Meta(max_length=200, description="What the customer reads")] = ""
    card: CardNumber | None = None
    return_url: Url | None = None
    hold_s: Annotated[int, Meta(ge=1, le=HOLD_S_MAX, description="How long it is held")] = HOLD_S_DEFAULT

    @property
    def card_number(self) -> str | None:
        """The card's digits alone."""
        return None if self.card is None else plain(self.card)


class Amount(RequestBody, frozen=True):
    """So much, to capture or to refund."""

    amount_minor: AmountMinor
    currency: Currency


class Nothing(RequestBody, frozen=True):
    """`{}`: the address says it all."""


class NewWebhook(RequestBody, frozen=True):
    """Where to tell the merchant, and one or two secrets to sign with, the newest first."""

    url: Url | None
    secrets: Annotated[list[Secret], Meta(max_length=SECRETS_MAX)]


class NewMerchant(RequestBody, frozen=True):
    """A merchant, made or changed.  Return addresses and webhooks are allowed on its hosts only."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    api_key: Annotated[str, Meta(pattern="^[!-~]{8,200}$")]
    hosts: Annotated[list[Host], Meta(max_length=HOSTS_MAX)]
    webhook: NewWebhook = msgspec.field(default_factory=lambda: NewWebhook(None, []))


class NewRules(RequestBody, frozen=True):
    """All rules of misbehaviour from now on."""

    rules: Annotated[list[Rule], Meta(max_length=RULES_MAX)]
