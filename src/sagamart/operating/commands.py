"""`sagamart operate`: what operators look at and do in a running shop.  Every act says why, and that is kept."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter, validators
from rich.table import Table

from sagamart.operating.shop import HERE, Access, Shop, ask
from sagamart.operating.telling import console

operate = App(
    name="operate",
    help="""What operators do in a running shop, over its API.

    Every act is kept for ever with who, when and why (`sagamart operate actions`), and may be repeated without harm:
    what is done already is not done again.  Who asks is named by `--token`, or logs in with `--email`; the environment
    may have SAGAMART_URL, SAGAMART_TOKEN, SAGAMART_EMAIL and SAGAMART_PASSWORD.

    An order is stuck?  `operate stuck` names it and what it waits for; `sagamart order ID` tells its story; `operate
    letters` shows whether a message of it is dead, and why.  Mend the cause, then `operate retry` the letter, or all of
    an order with `operate release-key`.  Nothing to mend?  `operate cancel` gives goods and money back.

    A payment that is `unknown` is asked about until the bank answers: `operate unknown` lists them, `operate resolve`
    settles one by what the bank has told you.

    Try it:  sagamart operate stuck --email operator@sagamart.example
    """,
)

Why = Annotated[str, Parameter(help="The reason, which is kept with your name and the time.")]
LetterStatus = Literal["dead", "waiting", "released", "discarded"]
OUTCOMES = {"paid": "captured", "failed": "nothing_taken"}


@operate.command
def stuck(
    *,
    slack_s: Annotated[int, Parameter(help="Seconds past its deadline that count as late.")] = 60,
    days: Annotated[
        int, Parameter(help="How many days back orders are looked at.", validator=validators.Number(gte=1))
    ] = 30,
    access: Access = HERE,
) -> None:
    """List the orders that should have moved on by their own deadline, and have not."""

    async def shown(shop: Shop) -> None:
        found = [one async for one in shop.all("/v1/operations/orders/stuck", slack_s=slack_s, days=days)]
        for one in found:
            one["waits for"] = ", ".join(one["awaits"])
        _show(
            found, ("id", "status", "overdue_s", "waits for", "timer_at", "parked", "customer_id"), "No order is stuck."
        )

    ask(access, shown)


@operate.command
def unknown(*, access: Access = HERE) -> None:
    """List the payments of which the bank has not told how they stand: since when, what it is asked, and when next.

    They settle by themselves once the bank answers; `operate resolve` settles one that you know about otherwise.
    """

    async def shown(shop: Shop) -> None:
        found = [one async for one in shop.all("/v1/operations/payments/unknown")]
        for one in found:
            one["is asked"] = ", ".join(one["asked"])
        columns = ("id", "age_s", "is asked", "next_asking_at", "amount_minor", "currency", "order_id", "customer_id")
        _show(found, columns, "No payment is unknown.")

    ask(access, shown)


@operate.command
def letters(*, status: LetterStatus | None = None, access: Access = HERE) -> None:
    """List the messages that could not be handled (dead), and those that wait for one of them."""

    async def shown(shop: Shop) -> None:
        asked = {} if status is None else {"status": status}
        found = [one async for one in shop.all("/v1/operations/dead-letters", **asked)]
        _show(found, ("id", "type", "key", "status", "error", "at"), "There are no dead letters.")

    ask(access, shown)


@operate.command
def retry(letter: str, *, why: Why, access: Access = HERE) -> None:
    """Have a dead letter handled again, and after it what waits for it.  Mend first what it died of."""
    _act(access, f"/v1/operations/dead-letters/{letter}/release", why, f"{letter} is handled again.")


@operate.command
def release_key(service: str, key: str, *, why: Why, access: Access = HERE) -> None:
    """Release a parked key in a service: every dead letter of that order, customer or sku is handled again."""
    _act(access, f"/v1/operations/parked-keys/{service}/{key}/release", why, f"{key} is no longer parked in {service}.")


@operate.command
def discard(letter: str, *, why: Why, access: Access = HERE) -> None:
    """Give a dead letter up for ever; what waits for it is handled.  What it asked for will not happen."""
    _act(access, f"/v1/operations/dead-letters/{letter}/discard", why, f"{letter} will never be handled.")


@operate.command
def cancel(order: str, *, why: Why, access: Access = HERE) -> None:
    """Cancel an order: what it reserved and held is let go, what it paid is refunded.

    One that is shipped is stopped first, if it still can be; one that the carrier has can only be returned.
    """
    _act(access, f"/v1/operations/orders/{order}/cancellation", why, f"{order} is cancelled, or will be once stopped.")


@operate.command
def resolve(
    payment: str,
    outcome: Annotated[Literal["paid", "failed"], Parameter(name="--as", help="What the bank told you otherwise.")],
    *,
    why: Why,
    bank_id: Annotated[
        str | None, Parameter(help="What the bank calls the payment; one that is paid could not be refunded without.")
    ] = None,
    access: Access = HERE,
) -> None:
    """Settle a payment that is unknown and that the bank cannot answer for; its order then goes on as ever.

    Should the bank tell otherwise later, its word holds.
    """
    path = f"/v1/operations/payments/{payment}/resolution"
    named = {} if bank_id is None else {"bank_id": bank_id}
    _act(access, path, why, f"{payment} is settled as {outcome}.", outcome=OUTCOMES[outcome], **named)


@operate.command
def actions(*, access: Access = HERE) -> None:
    """List what operators did, the newest first: who, when and why."""

    async def shown(shop: Shop) -> None:
        found = [one async for one in shop.all("/v1/operations/actions")]
        _show(found, ("at", "by", "action", "service", "subject", "why"), "Nobody has done anything.")

    ask(access, shown)


def _act(access: Access, path: str, why: str, done: str, **more: str) -> None:
    async def acted(shop: Shop) -> None:
        await shop.post(path, {"why": why, **more})
        console().print(done)

    ask(access, acted)


def _show(found: Sequence[dict[str, Any]], columns: Sequence[str], nothing: str) -> None:
    if not found:
        console().print(nothing)
        return
    table = Table(*columns)
    for one in found:
        table.add_row(*("" if one[name] is None else str(one[name]) for name in columns))
    console().print(table)
