"""The customer's page: what is to be paid, to whom, and two buttons.  No script, no cookie; the link is the secret.

Rules:
- Everything that merchants wrote is escaped.
- A form may lead to this bank and, since browsers look at the redirect too, to the merchant's return address.
"""

import base64
from hashlib import sha256
from html import escape
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sagamart.bank.records import PaymentRecord
from sagamart.platform.http import Language
from sagamart.platform.money import money

Note = Literal["", "no_such_card"]

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:18px/1.5 system-ui,sans-serif;max-width:26em;margin:3em auto;padding:0 1em}"
    "body{color:light-dark(#222,#eee);background:light-dark(#fff,#151618)}"
    "h1{font-size:1.3em}dt,.hint{color:light-dark(#666,#aab)}.hint{font-size:.9em}"
    "dd{margin:0 0 .7em;font-weight:600;overflow-wrap:anywhere}"
    "label{display:block;margin:0 0 1em}input{font:inherit;width:100%;box-sizing:border-box;padding:.4em}"
    "button{font:inherit;padding:.6em 1.4em;margin:0 .6em .6em 0;border-radius:.4em;color:inherit}"
    "button{border:1px solid light-dark(#226,#99f);background:light-dark(#fff,#151618)}"
    "button.confirm{background:#226;color:#fff}.note{color:light-dark(#a00,#fa9)}"
)
_STYLE_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Confirm the payment",
        "bank": "Sagabank (a simulation: no real money)",
        "merchant": "Shop",
        "amount": "Amount",
        "description": "For",
        "card": "Card number",
        "cards": "To try: 4000 0000 0000 0001 pays, 4000 0000 0000 0003 has too little money.",
        "confirm": "Confirm",
        "decline": "Decline",
        "back": "Back to the shop",
        "no_such_card": "The bank has no such card. Check the number.",
        "held": "The payment is confirmed.",
        "captured": "The payment is confirmed.",
        "voided": "The shop has withdrawn this payment.",
        "cancelled": "The shop has withdrawn this payment.",
        "expired": "The time for this payment is over.",
        "customer_refused": "You have declined this payment.",
        "confirmation_expired": "The time for this payment is over.",
        "insufficient_funds": "There is not enough money on the card.",
        "declined": "The card was declined.",
    },
    "ru": {
        "title": "Подтвердите платёж",
        "bank": "Сагабанк (имитация: деньги ненастоящие)",
        "merchant": "Магазин",
        "amount": "Сумма",
        "description": "Назначение",
        "card": "Номер карты",
        "cards": "Для пробы: 4000 0000 0000 0001 платит, на 4000 0000 0000 0003 мало денег.",
        "confirm": "Подтвердить",
        "decline": "Отказаться",
        "back": "Вернуться в магазин",
        "no_such_card": "Такой карты в банке нет. Проверьте номер.",
        "held": "Платёж подтверждён.",
        "captured": "Платёж подтверждён.",
        "voided": "Магазин отозвал этот платёж.",
        "cancelled": "Магазин отозвал этот платёж.",
        "expired": "Время на этот платёж истекло.",
        "customer_refused": "Вы отказались от этого платежа.",
        "confirmation_expired": "Время на этот платёж истекло.",
        "insufficient_funds": "Недостаточно денег на карте.",
        "declined": "Карта отклонена.",
    },
}


def page(payment: PaymentRecord, merchant: str, language: Language, note: Note = "") -> str:
    """The page of a payment: the question, or what became of it."""
    words = WORDS[language]
    rows = {"merchant": merchant, "amount": money(payment.amount_minor, payment.currency, language)}
    if payment.description:
        rows["description"] = payment.description
    if payment.card is not None:
        rows["card"] = f"•••• {payment.card[-4:]}"
    listed = "".join(f"<dt>{words[name]}</dt><dd>{escape(text)}</dd>" for name, text in rows.items())
    waits = payment.status == "needs_confirmation"
    below = _form(payment, words, note) if waits else _outcome(payment, words)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{words['title']}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{words['title']}</h1><p>{words['bank']}</p><dl>{listed}</dl>\n{below}</body>\n</html>\n"
    )


def content_policy(payment: PaymentRecord) -> str:
    """What the page may do, for Content-Security-Policy."""
    back = urlsplit(payment.return_url or "")
    origin = f" {back.scheme}://{back.netloc}" if payment.return_url else ""
    return (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; form-action 'self'{origin}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def return_address(payment: PaymentRecord) -> str | None:
    """Where the customer goes back to, the payment's id added."""
    if payment.return_url is None:
        return None
    parts = urlsplit(payment.return_url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("payment_id", payment.payment_id)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _form(payment: PaymentRecord, words: dict[str, str], note: Note) -> str:
    said = f'<p class="note" role="alert">{words[note]}</p>' if note else ""
    card = (
        f'<label>{words["card"]} <input name="card" inputmode="numeric" autocomplete="cc-number" maxlength="40">'
        f'</label><p class="hint">{words["cards"]}</p>'
        if payment.card is None
        else ""
    )
    return (
        f'{said}<form method="post">{card}'
        f'<button class="confirm" name="answer" value="confirm">{words["confirm"]}</button>'
        f'<button name="answer" value="decline">{words["decline"]}</button></form>'
    )


def _outcome(payment: PaymentRecord, words: dict[str, str]) -> str:
    told = words.get(payment.refusal or payment.status, words["declined"])
    address = return_address(payment)
    link = f'<p><a href="{escape(address)}">{words["back"]}</a></p>' if address is not None else ""
    return f'<p role="status">{told}</p>{link}'
