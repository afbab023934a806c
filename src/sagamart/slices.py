"""The services of the shop, each built as the settings have it."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from litestar.handlers import HTTPRouteHandler
from msgspec import structs

from sagamart.contracts.accounts import Contacts
from sagamart.messaging.message import Body
from sagamart.messaging.outside import Outside
from sagamart.messaging.records import Record
from sagamart.messaging.service import Service
from sagamart.platform.depths import Look
from sagamart.platform.http import Queries
from sagamart.platform.settings import SettingsError
from sagamart.settings import ShopSettings
from sagamart.shop.accounts import api as accounts_api
from sagamart.shop.accounts.service import ACCOUNTS
from sagamart.shop.catalogue import api as catalogue_api
from sagamart.shop.catalogue.service import CATALOGUE
from sagamart.shop.notifications import api as notifications_api
from sagamart.shop.notifications import webhooks_api
from sagamart.shop.notifications.emailing import email
from sagamart.shop.notifications.posting import webhooks
from sagamart.shop.notifications.records import Channel
from sagamart.shop.notifications.service import NotificationRules, notifications_service
from sagamart.shop.notifications.texting import sms
from sagamart.shop.orders import api as orders_api
from sagamart.shop.orders import figures
from sagamart.shop.orders import operations_api as orders_operations
from sagamart.shop.orders import outside as orders_outside
from sagamart.shop.orders.pacing import pace
from sagamart.shop.orders.records import Terms
from sagamart.shop.orders.service import ORDERS_SERVICE
from sagamart.shop.orders.waiting import Waiters
from sagamart.shop.payments import api as payments_api
from sagamart.shop.payments.decide import PaymentRules
from sagamart.shop.payments.http_bank import HttpBank
from sagamart.shop.payments.messages import BeginReconciling
from sagamart.shop.payments.outside import calls_to
from sagamart.shop.payments.service import payments_service
from sagamart.shop.payments.switching import BankSwitches
from sagamart.shop.payments.waiting import TopUpWaiters
from sagamart.shop.promotions import api as promotions_api
from sagamart.shop.promotions.service import PROMOTIONS
from sagamart.shop.shipping import api as shipping_api
from sagamart.shop.shipping import outside as shipping_outside
from sagamart.shop.shipping.service import SHIPPING
from sagamart.shop.stock import api as stock_api
from sagamart.shop.stock import outside as stock_outside
from sagamart.shop.stock.service import STOCK
from sagamart.shop.timeline import api as timeline_api
from sagamart.shop.timeline.service import TimelineRules, timeline_service
from sagamart.shop.timeline.steps import steps
from sagamart.shop.wallet import api as wallet_api
from sagamart.shop.wallet.service import WalletSettings, wallet_service
from sagamart.styles import styled


class Slice(msgspec.Struct, frozen=True):
    """A service with its routes, what wants to know of every commit, and how its intents reach the world outside.

    `begins` are said to it whenever a process with it starts.
    `reaching` makes adapters that read: of the service's own database, and how to write to people.
    `look` reads figures of its rows for the metrics.
    """

    service: Service
    routes: Sequence[HTTPRouteHandler]
    on_commit: Callable[[Sequence[Record]], None] | None = None
    outside: Sequence[Outside] = ()
    begins: Sequence[Body] = ()
    reaching: Callable[[Queries, Contacts], Sequence[Outside]] | None = None
    look: Callable[[Queries], Look] | None = None


def _orders(settings: ShopSettings) -> Slice:
    waiters = Waiters()
    chosen = settings.orders
    terms = Terms(
        at_payment=chosen.booking == "at_payment",
        window_s=chosen.payment_window_s,
        attempt_s=chosen.payment_attempt_s,
        revive=chosen.late_money == "revive",
    )
    answer_s = None if settings.style == "facts" else chosen.answer_s
    rules = orders_api.OrderSettings(chosen.custom_lines, chosen.unpaid_orders_max, settings.currency, terms, answer_s)
    routes = (*orders_api.routes(rules, waiters), *orders_operations.ROUTES, pace)
    return Slice(
        ORDERS_SERVICE,
        routes,
        waiters.on_committed,
        look=figures.look,
        reaching=lambda queries, _: (orders_outside.seeking(queries),),
    )


def _wallet(settings: ShopSettings) -> Slice:
    rules = WalletSettings(settings.currency, settings.wallet.customers_may_deposit)
    return Slice(wallet_service(rules), wallet_api.routes(rules))


def _payments(settings: ShopSettings) -> Slice:
    bank = settings.bank
    rules = PaymentRules(
        bool(bank.url),
        settings.currency,
        bank.top_up_minor_max,
        bank.open_top_ups_max,
        reconcile_hour=bank.reconcile_hour,
    )
    waiters = TopUpWaiters()
    client = HttpBank(bank.url, bank.api_key, return_url=bank.return_url, page_hosts=frozenset(bank.page_hosts))
    begins = (BeginReconciling(),) if bank.url else ()
    try:
        routes = payments_api.routes(bank.webhook_secrets, waiters, BankSwitches(bank.url, bank.admin_key))
    except ValueError as error:
        raise SettingsError(f"SAGAMART_BANK_WEBHOOK_SECRETS: {error}") from error
    service = payments_service(rules)
    return Slice(service, routes, waiters.on_committed, outside=(calls_to(client),), begins=begins)


def _notifications(settings: ShopSettings) -> Slice:
    configured: dict[Channel, str] = {"email": settings.email.host, "sms": settings.sms.url}
    channels = tuple(channel for channel, place in configured.items() if place)
    rules = NotificationRules(channels, settings.email.repeat_s, settings.webhooks.retry_s)

    def reaching(queries: Queries, contacts: Contacts) -> Sequence[Outside]:
        return (
            email(settings.email, contacts),
            sms(settings.sms, queries, contacts),
            webhooks(settings.webhooks, queries),
        )

    routes = (*notifications_api.ROUTES, *webhooks_api.routes(settings.webhooks))
    return Slice(notifications_service(rules), routes, reaching=reaching)


def _timeline(settings: ShopSettings) -> Slice:
    rules = TimelineRules(settings.timeline == "on", settings.timeline_days)
    return Slice(timeline_service(rules), (*timeline_api.routes(_hearers(settings)), steps))


def _hearers(settings: ShopSettings) -> Mapping[str, Sequence[str]]:
    """The services that act on each type of message; the timeline only writes it down."""
    found: dict[str, list[str]] = {}
    for service in services_of(settings, [name for name in SLICES if name != "timeline"]).values():
        for kind in service.consumes:
            found.setdefault(kind, []).append(service.name)
    return found


SLICES: Mapping[str, Callable[[ShopSettings], Slice]] = {
    "accounts": lambda _: Slice(ACCOUNTS, accounts_api.ROUTES),
    "catalogue": lambda _: Slice(CATALOGUE, catalogue_api.ROUTES),
    "stock": lambda _: Slice(STOCK, stock_api.ROUTES, reaching=lambda queries, _: (stock_outside.seeking(queries),)),
    "orders": _orders,
    "wallet": _wallet,
    "payments": _payments,
    "shipping": lambda _: Slice(
        SHIPPING, shipping_api.ROUTES, reaching=lambda queries, _: (shipping_outside.seeking(queries),)
    ),
    "promotions": lambda _: Slice(PROMOTIONS, promotions_api.ROUTES),
    "notifications": _notifications,
    "timeline": _timeline,
}
"""Every service of the shop."""


def slice_of(settings: ShopSettings, name: str) -> Slice:
    """A service of a shop with these settings, in its style of interaction."""
    found = SLICES[name](settings)
    return structs.replace(found, service=styled(found.service, settings.style))


def services_of(settings: ShopSettings, names: Iterable[str] = SLICES) -> dict[str, Service]:
    """These services of a shop with these settings, as far as messages go."""
    return {name: slice_of(settings, name).service for name in names}


def strangers(settings: ShopSettings, names: Sequence[str]) -> dict[str, set[str]]:
    """Services that are not among these but consume what these send, each with the message types."""
    services = services_of(settings)
    sent = set[str]().union(*(services[name].emits for name in names))
    wanted = {name: set(service.consumes & sent) for name, service in services.items() if name not in names}
    return {name: kinds for name, kinds in wanted.items() if kinds}
