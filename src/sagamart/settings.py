"""The settings of the shop: what a process reads from its environment before it starts anything."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta

from sagamart.platform.kafka import KafkaSection
from sagamart.platform.settings import Section, Settings
from sagamart.shop.notifications.settings import EmailSection, SmsSection, WebhookSection
from sagamart.styles import Style
from sagamart.web import WebSection


class OrdersSection(Section, frozen=True):
    """What may be ordered, and how it may be paid."""

    custom_lines: Annotated[
        Literal["off", "staff", "all"],
        Meta(description="Who may order lines with a title and price of their own; `--demo`: all"),
    ] = "staff"
    unpaid_orders_max: Annotated[
        int, Meta(ge=1, le=100, description="Orders that one customer may have unpaid at the same time")
    ] = 1
    booking: Annotated[
        Literal["at_order", "at_payment"],
        Meta(
            description="When the goods of an order that is paid later are reserved: when it is placed, or when a"
            " payment starts, and only checked before"
        ),
    ] = "at_order"
    payment_window_s: Annotated[
        int, Meta(ge=1, le=2_592_000, description="Seconds that an order waits for payments to be started, in all")
    ] = 300
    payment_attempt_s: Annotated[
        int, Meta(ge=1, le=86_400, description="Seconds that one payment may take, the bank's page included")
    ] = 900
    late_money: Annotated[
        Literal["refund", "revive"],
        Meta(
            description="What becomes of money that comes for an order which was not paid in time: it is refunded, or"
            " it revives the order, if it pays all of it"
        ),
    ] = "refund"
    answer_s: Annotated[
        int,
        Meta(
            ge=1, le=30, description="In the styles http and http-events: how long a new order may wait for its outcome"
        ),
    ] = 10


class WalletSection(Section, frozen=True):
    """Who may put money in."""

    customers_may_deposit: Annotated[
        bool, Meta(description="Whether customers deposit into their own wallets, as in a demonstration")
    ] = False


class BankSection(Section, frozen=True):
    """The bank that takes cards."""

    url: Annotated[
        str, Meta(description="Where the bank is; empty: no cards are taken", examples=["http://127.0.0.1:8090"])
    ] = ""
    api_key: Annotated[str, Meta(description="What the bank knows the shop by", extra={"secret": True})] = ""
    admin_key: Annotated[
        str,
        Meta(
            description="A simulated bank's admin key, for operators to switch its misbehaviour; empty: they cannot",
            extra={"secret": True},
        ),
    ] = ""
    webhook_secrets: Annotated[
        tuple[str, ...],
        Meta(
            max_length=2,
            description="What the bank signs its webhooks with (whsec_…); two while one is being replaced",
            extra={"secret": True},
        ),
    ] = ()
    page_hosts: Annotated[
        tuple[str, ...], Meta(description="Hosts of the bank's pages, beside that of its address")
    ] = ()
    return_url: Annotated[
        str, Meta(description="Where the bank's page sends the customer back to: /payments/back at the pages' address")
    ] = ""
    top_up_minor_max: Annotated[
        int, Meta(ge=1, le=10**12, description="The most that one top-up brings, in minor units")
    ] = 100_000_000
    open_top_ups_max: Annotated[
        int, Meta(ge=1, le=100, description="Top-ups that one customer may have open at the same time")
    ] = 10
    reconcile_hour: Annotated[
        int, Meta(ge=0, le=23, description="The hour of the day (UTC) when the bank's statement is compared")
    ] = 3


class AuditSection(Section, frozen=True):
    """The process that audits again and again (`sagamart serve audit`)."""

    every_s: Annotated[
        int, Meta(ge=1, le=86_400, description="Seconds from the end of one audit to the beginning of the next")
    ] = 3600


class DatabaseSection(Section, frozen=True):
    """Where the services' databases are, for `serve` and `migrate`; `up` embeds its own."""

    dsn: Annotated[
        str,
        Meta(
            description="DSN of a service's database, {service} in place of its name",
            examples=["postgresql://sagamart_{service}:secret@db/sagamart_{service}"],
            extra={"secret": True},
        ),
    ] = ""
    owner_dsn: Annotated[
        str, Meta(description="The same with the role that owns the tables, for `migrate`", extra={"secret": True})
    ] = ""
    admin_dsn: Annotated[
        str,
        Meta(
            description="DSN of a role that may create databases and roles, for `provision`; nobody else needs it",
            extra={"secret": True},
        ),
    ] = ""


class DoorSection(Section, frozen=True):
    """Where a door finds the services behind it."""

    destinations: Annotated[
        tuple[str, ...],
        Meta(
            description="Where `sagamart door` finds the services, and the audit: {service} in place of a name, or"
            " orders=http://HOST:PORT for one, several times where it has several addresses; with commas between"
        ),
    ] = ("http://{service}:8080",)


class ShopSettings(Settings, frozen=True):
    """All settings of the shop."""

    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="Currency of wallets and custom lines")] = "RUB"
    style: Annotated[
        Style,
        Meta(
            description="How services interact: facts only; `http`: money is called for, and an order is answered paid"
            " or refused in its request (transport http); `http-events`: the same, with thin events for notifications"
            " (transport kafka)"
        ),
    ] = "facts"
    transport: Annotated[
        Literal["local", "http", "kafka"],
        Meta(description="How messages travel between services: within one process, posted to each other, over Kafka"),
    ] = "local"
    timeline: Annotated[
        Literal["on", "off"],
        Meta(description="Whether all that is said about an order is kept for its timeline; the same in all processes"),
    ] = "on"
    timeline_days: Annotated[int, Meta(ge=1, le=3650, description="Days for which a message is kept in a timeline")] = (
        90
    )
    audit: AuditSection = AuditSection()
    bank: BankSection = BankSection()
    database: DatabaseSection = DatabaseSection()
    door: DoorSection = DoorSection()
    email: EmailSection = EmailSection()
    sms: SmsSection = SmsSection()
    kafka: KafkaSection = KafkaSection()
    orders: OrdersSection = OrdersSection()
    wallet: WalletSection = WalletSection()
    web: WebSection = WebSection()
    webhooks: WebhookSection = WebhookSection()


DEMONSTRATION: Final[Mapping[str, str]] = {
    "SAGAMART_ORDERS_CUSTOM_LINES": "all",
    "SAGAMART_WALLET_CUSTOMERS_MAY_DEPOSIT": "true",
}
"""What a demonstration allows its customers, unless the environment says otherwise."""
