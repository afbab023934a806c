"""What people read: the facts of a notification as a title and a text, in English and in Russian.

A refusal says what the reader can act on: which product was short and by how much, how much money was missing.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sagamart.contracts.orders import CancelReason
from sagamart.platform.http import Language
from sagamart.shop.notifications.money import money
from sagamart.shop.notifications.records import Facts, Kind

GOOD: Mapping[Kind, bool] = {
    "order_completed": True,
    "order_cancelled": False,
    "wallet_opened": True,
    "email_confirmation": True,
    "password_reset": True,
}
"""Whether a kind of message is good news."""


class Words(NamedTuple):
    """A notification in somebody's language."""

    title: str
    text: str


_TITLES: Mapping[Language, Mapping[Kind, str]] = {
    "en": {
        "order_completed": "Your order is complete",
        "order_cancelled": "Your order was cancelled",
        "wallet_opened": "Your wallet is open",
        "email_confirmation": "Please confirm your e-mail address",
        "password_reset": "Choose a new password",
    },
    "ru": {
        "order_completed": "Ваш заказ выполнен",
        "order_cancelled": "Ваш заказ отменён",
        "wallet_opened": "Ваш кошелёк открыт",
        "email_confirmation": "Подтвердите адрес электронной почты",
        "password_reset": "Выберите новый пароль",
    },
}

_TEXTS: Mapping[Language, Mapping[Kind, str]] = {
    "en": {
        "order_completed": "Order {order} for {amount} is paid and complete. Thank you!",
        "order_cancelled": "Order {order} for {amount} was cancelled. {reason}",
        "wallet_opened": "You can now pay from your wallet. Its currency is {currency}.",
        "email_confirmation": "The link in our letter confirms that this e-mail address is yours.",
        "password_reset": "The link in our letter lets you choose a new password. It is good for an hour, once.",
    },
    "ru": {
        "order_completed": "Заказ {order} на сумму {amount} оплачен и выполнен. Спасибо!",
        "order_cancelled": "Заказ {order} на сумму {amount} отменён. {reason}",
        "wallet_opened": "Теперь вы можете платить из кошелька. Его валюта — {currency}.",
        "email_confirmation": "Ссылка в нашем письме подтверждает, что этот адрес электронной почты — ваш.",
        "password_reset": "По ссылке в нашем письме можно выбрать новый пароль. Она действует один час и один раз.",
    },
}

_REASONS: Mapping[Language, Mapping[CancelReason, str]] = {
    "en": {
        "promo_refused": "The promo code cannot be used.",
        "stock_refused": "There is not enough in stock{short}.",
        "stock_revoked": "Some of the goods turned out to be missing.",
        "money_refused": "{missing}",
        "capture_refused": "The bank did not let us take the money. What it held is free again.",
        "shipment_refused": "It cannot be delivered there. You get your money back.",
        "cancelled_by_customer": "You cancelled it.",
        "cancelled_by_staff": "The shop cancelled it.",
        "booking_timeout": "We could not reserve the goods in time. Please order again.",
        "payment_timeout": "It was not paid in time.",
    },
    "ru": {
        "promo_refused": "Промокод не действует.",
        "stock_refused": "Товара недостаточно{short}.",
        "stock_revoked": "Часть товаров оказалась недоступна.",
        "money_refused": "{missing}",
        "capture_refused": "Банк не провёл оплату. Удержанные деньги снова доступны.",
        "shipment_refused": "Его нельзя доставить по этому адресу. Деньги вернутся к вам.",
        "cancelled_by_customer": "Вы отменили его сами.",
        "cancelled_by_staff": "Его отменил магазин.",
        "booking_timeout": "Мы не успели зарезервировать товар. Пожалуйста, оформите заказ ещё раз.",
        "payment_timeout": "Он не был оплачен вовремя.",
    },
}

_SHORT: Mapping[Language, str] = {
    "en": "“{title}” — you wanted {wanted}, we have {available}",
    "ru": "«{title}» — вы заказали {wanted} шт., у нас есть {available}",
}

_MISSING: Mapping[Language, str] = {
    "en": "There was not enough money in your wallet: {available} was available, {missing} was missing.",
    "ru": "В кошельке не хватило денег: доступно {available}, не хватает {missing}.",
}

_NOT_PAYABLE: Mapping[Language, str] = {
    "en": "Your wallet could not pay for it.",
    "ru": "Не удалось оплатить его из кошелька.",
}


def words(kind: Kind, facts: Facts, language: Language) -> Words:
    """The title and the text of a notification."""
    currency = facts.currency or ""
    text = _TEXTS[language][kind].format(
        order=facts.order_id,
        amount=money(facts.amount_minor or 0, currency, language),
        currency=currency,
        reason=_reason(facts, language),
    )
    return Words(_TITLES[language][kind], text)


def _reason(facts: Facts, language: Language) -> str:
    if facts.reason is None:
        return ""
    return _REASONS[language][facts.reason].format(short=_short(facts, language), missing=_missing(facts, language))


def _short(facts: Facts, language: Language) -> str:
    """Each product that was short, by name."""
    products = [
        _SHORT[language].format(title=product.title, wanted=product.wanted, available=product.available)
        for product in facts.short
    ]
    return f": {'; '.join(products)}" if products else ""


def _missing(facts: Facts, language: Language) -> str:
    """How much there was and how much was missing, where too little was the reason."""
    if facts.available_minor is None or facts.amount_minor is None or facts.currency is None:
        return _NOT_PAYABLE[language]
    return _MISSING[language].format(
        available=money(facts.available_minor, facts.currency, language),
        missing=money(facts.amount_minor - facts.available_minor, facts.currency, language),
    )
