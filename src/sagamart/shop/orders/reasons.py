"""Why an order was cancelled, and why a payment came to nothing, in people's words."""

from collections.abc import Mapping
from typing import Literal

from sagamart.contracts.orders import CancelReason, ChangeRefusal
from sagamart.contracts.promotions import PromoRefusal
from sagamart.shop.orders.messages import Language
from sagamart.shop.orders.records import PaymentEnd

Texts = Mapping[Language, str]

REASONS: Mapping[CancelReason, Texts] = {
    "promo_refused": {"en": "The promo code cannot be used", "ru": "Промокод не действует"},
    "stock_refused": {"en": "Not all goods are in stock", "ru": "Не все товары есть в наличии"},
    "stock_revoked": {"en": "Some of the goods turned out to be missing", "ru": "Часть товаров оказалась недоступна"},
    "money_refused": {"en": "The wallet could not pay for it", "ru": "Не удалось оплатить из кошелька"},
    "capture_refused": {"en": "The bank did not let us take the money", "ru": "Банк не провёл оплату"},
    "shipment_refused": {"en": "It cannot be delivered there", "ru": "Заказ не может быть доставлен"},
    "cancelled_by_customer": {"en": "You cancelled it", "ru": "Вы отменили заказ"},
    "cancelled_by_staff": {"en": "The shop cancelled it", "ru": "Магазин отменил заказ"},
    "booking_timeout": {"en": "The goods were not reserved in time", "ru": "Товары не удалось вовремя зарезервировать"},
    "payment_timeout": {"en": "It was not paid in time", "ru": "Заказ не был вовремя оплачен"},
}
"""Why an order was cancelled."""

PROMO: Mapping[PromoRefusal, Texts] = {
    "unknown_code": {"en": "there is no such code", "ru": "такого промокода нет"},
    "not_valid_now": {"en": "it has been withdrawn", "ru": "он отозван"},
    "not_yet_valid": {"en": "it is not valid yet", "ru": "его срок ещё не начался"},
    "expired": {"en": "it has expired", "ru": "его срок истёк"},
    "used_up": {"en": "it is used up", "ru": "он исчерпан"},
    "used_up_by_customer": {"en": "you have used it already", "ru": "вы уже использовали его"},
    "other_currency": {"en": "it is for another currency", "ru": "он для другой валюты"},
    "total_too_low": {"en": "it needs a larger order", "ru": "сумма заказа для него мала"},
    "given_back": {"en": "the order had given it back", "ru": "заказ уже вернул его"},
}
"""Why a promo code did not count."""

UNMET: Mapping[Literal["short", "promo"], Texts] = {
    "short": {
        "en": "The order could not be changed: not all goods are in stock",
        "ru": "Изменить заказ не удалось: не все товары есть в наличии",
    },
    "promo": {
        "en": "The order could not be changed: its promo code does not count then",
        "ru": "Изменить заказ не удалось: промокод для него не действует",
    },
}
"""Why an order has the lines again that it had."""

KEPT: Mapping[ChangeRefusal, Texts] = {
    "not_here": {
        "en": "The parcel goes to the first address: the carrier had it already",
        "ru": "Адрес посылки остался прежним: она уже была у перевозчика",
    },
    "address_not_served": {
        "en": "The parcel goes to the first address: the delivery does not go to the other one",
        "ru": "Адрес посылки остался прежним: по новому адресу эта доставка не работает",
    },
}
"""Why a parcel goes where it was to go."""

ENDS: Mapping[PaymentEnd, Texts] = {
    "declined": {"en": "The bank declined it", "ru": "Банк отказал"},
    "insufficient_funds": {"en": "There was not enough money", "ru": "Не хватило денег"},
    "not_confirmed": {"en": "It was not confirmed at the bank", "ru": "Платёж не подтверждён в банке"},
    "expired": {"en": "The bank's page was open for too long", "ru": "Время на странице банка вышло"},
    "cancelled": {"en": "It was called off at the bank", "ru": "Платёж отменён в банке"},
    "bank_unavailable": {"en": "The bank could not be reached", "ru": "Банк был недоступен"},
    "currency_mismatch": {"en": "The wallet has another currency", "ru": "Кошелёк в другой валюте"},
    "released": {"en": "The shop let it go", "ru": "Магазин отменил платёж"},
}
"""Why a payment came to nothing."""


def unmet_text(promo: PromoRefusal | None, language: Language) -> str:
    """Why a change of the lines did not come about."""
    if promo is None:
        return UNMET["short"][language]
    return f"{UNMET['promo'][language]}: {PROMO[promo][language]}"


def reason_text(reason: CancelReason, promo: PromoRefusal | None, language: Language) -> str:
    """Why an order was cancelled, and what was wrong with its promo code where that was it."""
    text = REASONS[reason][language]
    return text if promo is None else f"{text}: {PROMO[promo][language]}"
