"""What must be true of the money of a shop at rest: in the wallets, in the books, at the bank."""

from collections import Counter
from fractions import Fraction

from sagamart.contracts.orders import payment_id
from sagamart.shop.orders.records import Fact, Order
from sagamart.shop.payments.records import Difference, Payment
from sagamart.shop.wallet.messages import DepositMoney, WithdrawMoney
from sagamart.shop.wallet.records import (
    HOUSE_BANK,
    HOUSE_CLEARING,
    HOUSE_REFUNDS,
    HOUSE_REVENUE,
    Hold,
    Posting,
    Wallet,
    customer_account,
)
from simulation.bank import OPEN
from simulation.evidence import Evidence, Findings, is_paid, returned_pieces


def every_order_keeps_what_it_is_worth(seen: Evidence) -> Findings:
    """Its total, less what came back; nothing, where it was cancelled; before it is paid, what was taken so far."""
    kept: Counter[str] = Counter()
    for posting in seen.rows("wallet", Posting).values():
        if posting.account in {HOUSE_REVENUE, HOUSE_REFUNDS}:
            kept[posting.reference] += posting.amount_minor
    for order in seen.orders.values():
        due_minor = order.total_minor - returned_minor(order) if is_paid(order) else taken_so_far_minor(order)
        if kept.pop(order.order_id, 0) != due_minor:
            yield f"{order.order_id} is {order.status}, {due_minor} are the shop's, but not in its books"
    for reference, amount_minor in kept.items():
        if amount_minor:
            yield f"{amount_minor} came for {reference}, which is no order"


def taken_so_far_minor(order: Order) -> int:
    """What was captured of payments that an unpaid order still counts on."""
    if order.status == "cancelled":
        return 0
    return sum(
        payment.amount_minor
        for number, payment in enumerate(order.payments, start=1)
        if not payment.over and Fact(number, "captured") in order.known
    )


def returned_minor(order: Order) -> int:
    """Reckon again what the pieces that are back are worth, from the shares of the discount."""
    amounts = [line.quantity * line.price_minor for line in order.lines]
    whole = sum(amounts)
    off = order.plan.discount_minor
    exact = [Fraction(off * amount, whole) if whole else Fraction(0) for amount in amounts]
    shares = [int(share) for share in exact]
    by_rest = sorted(range(len(exact)), key=lambda place: shares[place] - exact[place])
    for place in by_rest[: off - sum(shares)]:
        shares[place] += 1
    return sum(
        (amounts[place] - shares[place]) * pieces // order.lines[place].quantity
        for place, pieces in returned_pieces(order).items()
    )


def every_payment_ends(seen: Evidence) -> Findings:
    """A hold is captured or let go; so is a payment at the bank."""
    for hold in seen.rows("wallet", Hold).values():
        if hold.status == "held":
            yield f"{hold.hold_id} is held for ever"
    for payment in seen.rows("payments", Payment).values():
        if not payment.settled or payment.closing or payment.capturing:
            yield f"{payment.payment_id} is {payment.status} for ever, closing {payment.closing!r}"
        if any(refund.status == "asked" for refund in payment.refunds):
            yield f"{payment.payment_id} never heard of a refund: {payment.refunds}"
    for deal in seen.bank.deals.values():
        if deal.status in OPEN:
            yield f"{deal.key} is {deal.status} at the bank for ever"


def money_goes_with_the_order(seen: Evidence) -> Findings:
    """Each payment of an order is what it asked for, and what is captured of a sold order is its total."""
    holds, payments = seen.rows("wallet", Hold), seen.rows("payments", Payment)
    for order in seen.orders.values():
        captured_minor = 0
        for number, payment in enumerate(order.payments, start=1):
            name = payment_id(order.order_id, number)
            made = holds.get(name) if payment.source == "wallet" else payments.get(name)
            if (name in holds, name in payments) == (True, True):
                yield f"{name} was asked of the wallet and of the bank"
            if made is not None and made.amount_minor != payment.amount_minor:
                yield f"{order.order_id} pays {payment.amount_minor}, its payment {number} is {made.amount_minor}"
            if made is not None and made.status in {"captured", "refunded"} and not payment.over:
                captured_minor += payment.amount_minor
        if is_paid(order) and captured_minor != order.total_minor:
            yield f"{order.order_id} is {order.status} and costs {order.total_minor}, {captured_minor} was captured"


def the_bank_and_the_books_agree(seen: Evidence) -> Findings:
    """What the bank took of each payment, less what it gave back, stands in payments, in the journal, and in orders."""
    books: Counter[str] = Counter()
    for posting in seen.rows("wallet", Posting).values():
        if posting.account == HOUSE_BANK:
            books[posting.movement_id.partition("/")[0]] -= posting.amount_minor
    for payment in seen.rows("payments", Payment).values():
        deal = seen.bank.deals.get(payment.payment_id)
        there_minor = deal.captured_minor - deal.refunded_minor if deal is not None else 0
        here_minor = payment.captured_minor - payment.refunded_minor
        booked_minor = books.pop(payment.payment_id, 0)
        if not there_minor == here_minor == booked_minor == payment.statement_minor:
            yield (
                f"{payment.payment_id}: the bank has {there_minor}, payments {here_minor}, the books {booked_minor},"
                f" the statement {payment.statement_minor}"
            )
        if payment.purpose == "top_up" and payment.captured_minor and not payment.credited:
            yield f"{payment.payment_id} was paid and never credited"
    if any(books.values()):
        yield f"the books have money of payments that are none: {books}"
    for difference in seen.rows("payments", Difference).values():
        yield f"the reconciliation found {difference}"
    for key in seen.bank.deals.keys() - seen.rows("payments", Payment).keys():
        yield f"the bank has {key}, which payments does not"


def money_is_conserved(seen: Evidence) -> Findings:
    """Movements sum to zero; a wallet is its postings; what people brought is in the house."""
    accounts: Counter[str] = Counter()
    movements: Counter[str] = Counter()
    for posting in seen.rows("wallet", Posting).values():
        accounts[posting.account] += posting.amount_minor
        movements[posting.movement_id] += posting.amount_minor
    for movement_id, total in movements.items():
        if total:
            yield f"the postings of {movement_id} sum to {total}"
    holds = seen.rows("wallet", Hold).values()
    for wallet in seen.rows("wallet", Wallet).values():
        owner = wallet.customer_id
        held_minor = sum(one.amount_minor for one in holds if (one.customer_id, one.status) == (owner, "held"))
        if (wallet.balance_minor, wallet.held_minor) != (accounts[customer_account(owner)], held_minor):
            yield f"{wallet} does not follow from its postings, or from its holds, which are {held_minor}"
    brought = sum(body.amount_minor for body in seen.granted(DepositMoney))
    brought -= sum(body.amount_minor for body in seen.granted(WithdrawMoney))
    if -accounts[HOUSE_CLEARING] != brought:
        yield f"{brought} was brought in, the journal says {-accounts[HOUSE_CLEARING]}"


MONEY_RULES = (
    every_order_keeps_what_it_is_worth,
    every_payment_ends,
    money_goes_with_the_order,
    the_bank_and_the_books_agree,
    money_is_conserved,
)
