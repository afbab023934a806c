"""The wallet over HTTP: money in, money out, what is there, and what moved."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from sagamart.platform.http import (
    LIMIT_DEFAULT,
    Ask,
    Caller,
    Cursor,
    Forbidden,
    Limit,
    Page,
    Queries,
    RequestBody,
    key_of,
    logged_in,
    page_of,
)
from sagamart.shop.wallet.decide import WalletState, state
from sagamart.shop.wallet.house_api import house
from sagamart.shop.wallet.messages import DepositMoney, WithdrawMoney
from sagamart.shop.wallet.records import MovementKind, Wallet, customer_account
from sagamart.shop.wallet.service import WalletSettings

AMOUNT_MINOR_MAX = 1_000_000_000_000
"""The most that one request moves.  Nine million of them fit into a balance."""

MAY_DEPOSIT_FOR_ANYBODY = frozenset({"OPERATOR", "ADMIN"})

AmountMinor = Annotated[int, Meta(ge=1, le=AMOUNT_MINOR_MAX, description="Minor units: 1250 is 12.50", examples=[1250])]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217", examples=["RUB"])]
CustomerId = Annotated[str, Meta(pattern="^cus_[0-9a-f]{32}$", examples=["cus_018f0000000070008000000000000001"])]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of entries begins: just before this one."""

    at: Annotated[datetime, Meta(tz=True)]
    entry_id: Annotated[str, Meta(pattern="^[!-~]{0,200}$")]


NEWEST = Place(datetime(9999, 1, 1, tzinfo=UTC), "")


class Withdrawal(RequestBody, frozen=True):
    """So much, out of the caller's wallet."""

    amount_minor: AmountMinor
    currency: Currency


class Deposit(RequestBody, frozen=True):
    """So much, into the wallet of this customer (none: the caller's own)."""

    amount_minor: AmountMinor
    currency: Currency
    customer_id: CustomerId | None = None


class WalletView(WalletState, frozen=True):
    """One's own wallet, and whether one may deposit into it by oneself."""

    may_deposit: bool


class WalletEntry(msgspec.Struct, frozen=True):
    """Money that came (positive) or went.  `reference` is the order, or who deposited or withdrew."""

    entry_id: str
    kind: MovementKind
    amount_minor: int
    currency: str
    reference: str
    at: datetime


@post("/v1/wallet/withdrawals", guards=[logged_in], opt={"idempotent": "required"}, status_code=201)
async def withdraw(data: Withdrawal, ask: Ask, caller: Caller) -> Response[WalletState]:
    """Take money out of one's own wallet.  Refused with `insufficient_funds` beyond what is available."""
    return await ask(WithdrawMoney(caller.id, data.amount_minor, data.currency, caller.id), content=data)


@get("/v1/wallet/entries", guards=[logged_in])
async def entries(
    queries: Queries, caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Page[WalletEntry]:
    """What moved in one's own wallet, newest first."""
    before = key_of(cursor, Place) or NEWEST
    found = await queries.entries_of(
        account=customer_account(caller.id), before_at=before.at, before_id=before.entry_id, limit=limit + 1
    )
    shown = [WalletEntry(*row.values()) for row in found]
    return page_of(shown, limit, lambda entry: Place(entry.at, entry.entry_id))


def routes(settings: WalletSettings) -> Sequence[HTTPRouteHandler]:
    """The wallet's routes in a shop with these settings."""

    def may_deposit(caller: Caller, owner: str) -> bool:
        for_anybody = not MAY_DEPOSIT_FOR_ANYBODY.isdisjoint(caller.roles)
        return for_anybody or (settings.customers_may_deposit and owner == caller.id)

    @post("/v1/wallet/deposits", guards=[logged_in], opt={"idempotent": "required"}, status_code=201)
    async def deposit(data: Deposit, ask: Ask, caller: Caller) -> Response[WalletState]:
        """Put money into a wallet: staff into anybody's, customers into their own where the shop allows it."""
        owner = data.customer_id or caller.id
        if not may_deposit(caller, owner):
            raise Forbidden("Only staff deposit into this wallet")
        return await ask(DepositMoney(owner, data.amount_minor, data.currency, caller.id), content=data)

    @get("/v1/wallet", guards=[logged_in])
    async def wallet(queries: Queries, caller: Caller) -> WalletView:
        """One's own wallet.  One that has not been opened yet is empty."""
        found: Any = await queries.wallet_of(customer_id=caller.id)
        now = WalletState(*found.values()) if found else state(Wallet(0, caller.id, settings.currency))
        return WalletView(**msgspec.structs.asdict(now), may_deposit=may_deposit(caller, caller.id))

    return deposit, withdraw, wallet, entries, house


ROUTES = routes(WalletSettings())
