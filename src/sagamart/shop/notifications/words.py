"""What people read: the facts of a notification as a title and a text, in English and in Russian.

A refusal says what the reader can act on: which product was short and by how much, how much money was missing.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from sagamart.contracts.order_numbers import number_of
from sagamart.contracts.orders import CancelReason, ChangeRefusal, PaymentSource
from sagamart.contracts.promotions import PromoRefusal
from sagamart.platform.http import Language
from sagamart.platform.money import money
from sagamart.shop.notifications.records import Facts, Kind

GOOD: Mapping[Kind, bool] = {
    "order_placed": True,
    "payment_awaited": True,
    "payment_started": True,
    "payment_window_expired": False,
    "order_paid": True,
    "shipping_pending": True,
    "order_shipped": True,
    "order_completed": True,
    "order_cancelled": False,
    "order_returned": True,
    "order_refunded": True,
    "order_capturing": True,
    "order_revived": True,
    "order_change_undone": False,
    "address_not_changed": False,
    "wallet_opened": True,
    "email_confirmation": True,
    "password_reset": True,
    "email_change": True,
    "email_change_announced": False,
    "password_changed": True,
}
"""Whether a kind of message is good news."""


SECONDS_A_MINUTE = 60


class Words(NamedTuple):
    """A notification in somebody's language."""

    title: str
    text: str


_TITLES: Mapping[Language, Mapping[Kind, str]] = {
    "en": {
        "order_placed": "We have your order",
        "payment_awaited": "Your order waits for payment",
        "payment_started": "Your payment has begun",
        "payment_window_expired": "The time to pay is over",
        "order_paid": "Your order is paid",
        "shipping_pending": "Your parcel is being packed",
        "order_shipped": "Your order is on its way",
        "order_completed": "Your order is complete",
        "order_cancelled": "Your order was cancelled",
        "order_returned": "Your return is here",
        "order_refunded": "Your money is on its way back",
        "order_capturing": "The bank is asked for the money",
        "order_revived": "Your order goes on",
        "order_change_undone": "Your order could not be changed",
        "address_not_changed": "Your parcel goes to the first address",
        "wallet_opened": "Your wallet is open",
        "email_confirmation": "Please confirm your e-mail address",
        "password_reset": "Choose a new password",
        "email_change": "Please confirm your new e-mail address",
        "email_change_announced": "Your account is to move to another e-mail address",
        "password_changed": "Your password was changed",
    },
    "ru": {
        "order_placed": "Мы приняли ваш заказ",
        "payment_awaited": "Ваш заказ ждёт оплаты",
        "payment_started": "Оплата началась",
        "payment_window_expired": "Время на оплату вышло",
        "order_paid": "Ваш заказ оплачен",
        "shipping_pending": "Вашу посылку собирают",
        "order_shipped": "Ваш заказ в пути",
        "order_completed": "Ваш заказ выполнен",
        "order_cancelled": "Ваш заказ отменён",
        "order_returned": "Мы получили ваш возврат",
        "order_refunded": "Мы возвращаем вам деньги",
        "order_capturing": "Запрашиваем деньги у банка",
        "order_revived": "Ваш заказ снова в работе",
        "order_change_undone": "Ваш заказ не удалось изменить",
        "address_not_changed": "Адрес посылки остался прежним",
        "wallet_opened": "Ваш кошелёк открыт",
        "email_confirmation": "Подтвердите адрес электронной почты",
        "password_reset": "Выберите новый пароль",
        "email_change": "Подтвердите новый адрес электронной почты",
        "email_change_announced": "Ваш профиль переносят на другую почту",
        "password_changed": "Ваш пароль изменён",
    },
}

_TEXTS: Mapping[Language, Mapping[Kind, str]] = {
    "en": {
        "order_placed": "Order {order} for {amount} has reached us.",
        "payment_awaited": "Please pay {due} for order {order} within {minutes} min, or it will be cancelled.",
        "payment_started": "You are paying {amount} for order {order} {source}.",
        "payment_window_expired": "Order {order} for {amount} was not paid in time.",
        "order_paid": "We have your money for order {order}: {amount}. Now we get it ready to send.",
        "shipping_pending": "The parcel with order {order} is being made ready for the carrier.",
        "order_shipped": "The carrier has the parcel with order {order}.{tracking}",
        "order_returned": "What you sent back of order {order} is here. You get back {amount}.",
        "order_refunded": "We have returned {amount} for order {order} {refunded_to}.",
        "order_capturing": "Order {order} for {amount} is covered. Now the bank is asked for what it holds.",
        "order_revived": "Your payment for order {order} has come after all: {amount}. The order goes on.",
        "order_change_undone": "Order {order} is what it was before: {amount}. {unmet}",
        "address_not_changed": "The parcel with order {order} goes where it was to go. {kept}",
        "order_completed": "Order {order} for {amount} is paid and complete. Thank you!",
        "order_cancelled": "Order {order} for {amount} was cancelled. {reason}",
        "wallet_opened": "You can now pay from your wallet. Its currency is {currency}.",
        "email_confirmation": "The link in our letter confirms that this e-mail address is yours.",
        "password_reset": "The link in our letter lets you choose a new password. It is good for an hour, once.",
        "email_change": "The link in our letter moves your account to this e-mail address. Log in again with it then.",
        "email_change_announced": (
            "Somebody who knows your password wants your account at another e-mail address."
            " If that was not you, choose a new password at once: it ends every log-in and stops the move."
        ),
        "password_changed": (
            "Your password was changed, and your other log-ins have ended."
            " If that was not you, choose a new one at once on the page for forgotten passwords."
        ),
    },
    "ru": {
        "order_placed": "Заказ {order} на сумму {amount} у нас.",
        "payment_awaited": "Оплатите {due} за заказ {order} в течение {minutes} мин., иначе он будет отменён.",
        "payment_started": "Вы оплачиваете {amount} за заказ {order} {source}.",
        "payment_window_expired": "Заказ {order} на сумму {amount} не был оплачен вовремя.",
        "order_paid": "Деньги за заказ {order} получены: {amount}. Теперь мы готовим его к отправке.",
        "shipping_pending": "Посылку с заказом {order} готовят к передаче перевозчику.",
        "order_shipped": "Посылка с заказом {order} у перевозчика.{tracking}",
        "order_returned": "То, что вы вернули из заказа {order}, у нас. Вам вернётся {amount}.",
        "order_refunded": "Мы вернули {amount} за заказ {order} {refunded_to}.",
        "order_capturing": "Сумма {amount} за заказ {order} набрана. Теперь списываем то, что удержал банк.",
        "order_revived": "Оплата заказа {order} всё-таки пришла: {amount}. Заказ снова в работе.",
        "order_change_undone": "Заказ {order} остался прежним, на сумму {amount}. {unmet}",
        "address_not_changed": "Посылка с заказом {order} отправится по прежнему адресу. {kept}",
        "order_completed": "Заказ {order} на сумму {amount} оплачен и выполнен. Спасибо!",
        "order_cancelled": "Заказ {order} на сумму {amount} отменён. {reason}",
        "wallet_opened": "Теперь вы можете платить из кошелька. Его валюта — {currency}.",
        "email_confirmation": "Ссылка в нашем письме подтверждает, что этот адрес электронной почты — ваш.",
        "password_reset": "По ссылке в нашем письме можно выбрать новый пароль. Она действует один час и один раз.",
        "email_change": "По ссылке в нашем письме ваш профиль перейдёт на этот адрес. После этого войдите с ним снова.",
        "email_change_announced": (
            "Кто-то, кто знает ваш пароль, просит перенести ваш профиль на другой адрес электронной почты."
            " Если это не вы, сразу смените пароль: все сеансы завершатся, а перенос отменится."
        ),
        "password_changed": (
            "Ваш пароль изменён, остальные сеансы завершены."
            " Если это сделали не вы, сразу выберите новый на странице «Забыли пароль?»."
        ),
    },
}

_REASONS: Mapping[Language, Mapping[CancelReason, str]] = {
    "en": {
        "promo_refused": "The promo code cannot be used{promo}.",
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
        "promo_refused": "Промокод не действует{promo}.",
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

_PROMO: Mapping[Language, Mapping[PromoRefusal, str]] = {
    "en": {
        "unknown_code": "there is no such code",
        "not_valid_now": "it has been withdrawn",
        "not_yet_valid": "it is not valid yet",
        "expired": "it has expired",
        "used_up": "it is used up",
        "used_up_by_customer": "you have used it already",
        "other_currency": "it is for another currency",
        "total_too_low": "it needs a larger order",
        "given_back": "the order had given it back",
    },
    "ru": {
        "unknown_code": "такого промокода нет",
        "not_valid_now": "он отозван",
        "not_yet_valid": "его срок ещё не начался",
        "expired": "его срок истёк",
        "used_up": "он исчерпан",
        "used_up_by_customer": "вы уже использовали его",
        "other_currency": "он для другой валюты",
        "total_too_low": "сумма заказа для него мала",
        "given_back": "заказ уже вернул его",
    },
}

_KEPT: Mapping[Language, Mapping[ChangeRefusal, str]] = {
    "en": {
        "not_here": "The carrier had it already.",
        "address_not_served": "The delivery that you chose does not go to the other address.",
    },
    "ru": {
        "not_here": "Она уже была у перевозчика.",
        "address_not_served": "Выбранная доставка не работает по новому адресу.",
    },
}

_SOURCES: Mapping[Language, Mapping[PaymentSource, str]] = {
    "en": {"wallet": "from your wallet", "bank": "by card"},
    "ru": {"wallet": "из кошелька", "bank": "картой"},
}

_REFUNDED_TO: Mapping[Language, Mapping[Literal["wallet", "card"], str]] = {
    "en": {"wallet": "to your wallet", "card": "to the card that you paid with"},
    "ru": {"wallet": "в ваш кошелёк", "card": "на карту, с которой вы платили"},
}

_TRACKING: Mapping[Language, str] = {
    "en": " Its tracking number is {number}.",
    "ru": " Номер для отслеживания: {number}.",
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
        order=number_of(facts.order_id or ""),
        amount=money(facts.amount_minor or 0, currency, language),
        due=money(facts.due_minor or 0, currency, language),
        minutes=(facts.window_s or 0) // SECONDS_A_MINUTE or 1,
        source=_SOURCES[language][facts.source or "wallet"],
        refunded_to=_REFUNDED_TO[language][facts.refunded_to or "wallet"],
        tracking="" if facts.tracking is None else _TRACKING[language].format(number=facts.tracking),
        currency=currency,
        reason=_reason(facts, language),
        unmet=_unmet(facts, language),
        kept="" if facts.kept is None else _KEPT[language][facts.kept],
    )
    return Words(_TITLES[language][kind], text)


def _reason(facts: Facts, language: Language) -> str:
    return "" if facts.reason is None else _because(facts.reason, facts, language)


def _unmet(facts: Facts, language: Language) -> str:
    """What a change lacked, in the words of an order that lacks it."""
    return _because("stock_refused" if facts.promo is None else "promo_refused", facts, language)


def _because(reason: CancelReason, facts: Facts, language: Language) -> str:
    return _REASONS[language][reason].format(
        short=_short(facts, language),
        missing=_missing(facts, language),
        promo="" if facts.promo is None else f": {_PROMO[language][facts.promo]}",
    )


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
