"""The story in words: what each message says, in English and in Russian."""

from collections.abc import Mapping

from sagamart.platform.http import Language

WORDS: Mapping[str, Mapping[Language, str]] = {
    "OrderPlaced": {"en": "The order is placed", "ru": "Заказ оформлен"},
    "PromoRedemptionRequested": {"en": "Please redeem the promo code", "ru": "Просьба применить промокод"},
    "PromoRedeemed": {"en": "The promo code is redeemed", "ru": "Промокод применён"},
    "PromoRefused": {"en": "The promo code does not count", "ru": "Промокод не действует"},
    "StockCheckRequested": {"en": "Please check that the goods are there", "ru": "Просьба проверить наличие товаров"},
    "StockChecked": {"en": "The goods are there", "ru": "Товары есть в наличии"},
    "BookingRequested": {"en": "Please reserve the goods", "ru": "Просьба зарезервировать товары"},
    "StockBooked": {"en": "The goods are reserved", "ru": "Товары зарезервированы"},
    "StockRefused": {"en": "There is not enough in stock", "ru": "Товара недостаточно"},
    "OrderChangeUndone": {
        "en": "The change did not come about: the order is what it was before",
        "ru": "Изменение не состоялось: заказ остался прежним",
    },
    "ReservationRevoked": {
        "en": "Some of the reserved goods are missing",
        "ru": "Часть зарезервированных товаров оказалась недоступна",
    },
    "PaymentAwaited": {"en": "The order waits for its payment", "ru": "Заказ ждёт оплаты"},
    "PaymentStarted": {"en": "The customer pays", "ru": "Покупатель платит"},
    "PaymentWindowExpired": {"en": "It was not paid in time", "ru": "Заказ не был оплачен вовремя"},
    "HoldRequested": {"en": "Please hold the money in the wallet", "ru": "Просьба удержать деньги в кошельке"},
    "MoneyHeld": {"en": "The money is held in the wallet", "ru": "Деньги в кошельке удержаны"},
    "MoneyRefused": {"en": "The wallet cannot pay", "ru": "Кошелёк не может оплатить"},
    "BankHoldRequested": {"en": "Please open a payment at the bank", "ru": "Просьба открыть платёж в банке"},
    "PaymentRedirected": {
        "en": "The customer is to confirm on the bank's page",
        "ru": "Покупатель должен подтвердить платёж на странице банка",
    },
    "PaymentHeld": {"en": "The bank holds the money", "ru": "Банк удержал деньги"},
    "PaymentDeclined": {"en": "The bank declined the payment", "ru": "Банк отклонил платёж"},
    "CaptureRequested": {"en": "Please take the held money", "ru": "Просьба списать удержанные деньги"},
    "MoneyCaptured": {"en": "The money is taken from the wallet", "ru": "Деньги списаны из кошелька"},
    "BankCaptureRequested": {
        "en": "Please take the money that the bank holds",
        "ru": "Просьба списать деньги, удержанные банком",
    },
    "PaymentCaptured": {"en": "The money is taken through the bank", "ru": "Деньги списаны через банк"},
    "CaptureRefused": {
        "en": "The bank did not let the money be taken",
        "ru": "Банк не дал списать деньги",
    },
    "OrderPaid": {"en": "The order is paid", "ru": "Заказ оплачен"},
    "ShipmentRequested": {"en": "Please ship the order", "ru": "Просьба отправить заказ"},
    "ShipmentPending": {"en": "The parcel is being made ready", "ru": "Посылка готовится"},
    "ShipmentRefused": {"en": "The order cannot be shipped", "ru": "Заказ нельзя отправить"},
    "ShipmentChangeRequested": {
        "en": "Please send the parcel to another address",
        "ru": "Просьба отправить посылку по другому адресу",
    },
    "ShipmentChanged": {"en": "The parcel goes to the other address", "ru": "Адрес посылки изменён"},
    "ShipmentCannotBeChanged": {
        "en": "The parcel goes to the first address",
        "ru": "Адрес посылки уже нельзя изменить",
    },
    "AddressNotChanged": {
        "en": "The customer is told that the parcel goes to the first address",
        "ru": "Покупателю сообщили, что адрес посылки остался прежним",
    },
    "ShipmentHandedOver": {"en": "The carrier has the parcel", "ru": "Посылка передана перевозчику"},
    "DeliveryReported": {
        "en": "Staff say that the customer has the parcel",
        "ru": "Сотрудник сообщил, что посылка у покупателя",
    },
    "ShipmentDelivered": {"en": "The customer has the parcel", "ru": "Посылка доставлена"},
    "OrderCompleted": {"en": "The order is complete", "ru": "Заказ выполнен"},
    "ReturnRequested": {"en": "Goods will come back", "ru": "Ожидается возврат товаров"},
    "ReturnReceived": {"en": "The goods are back", "ru": "Возвращённые товары получены"},
    "OrderReturned": {"en": "Goods of the order were returned", "ru": "Товары заказа возвращены"},
    "ShipmentStopRequested": {"en": "Please do not send the parcel", "ru": "Просьба не отправлять посылку"},
    "ShipmentStopped": {"en": "The parcel stays here", "ru": "Отправка посылки остановлена"},
    "ShipmentCannotBeStopped": {"en": "The parcel is already gone", "ru": "Посылка уже передана"},
    "OrderCancelled": {"en": "The order is cancelled", "ru": "Заказ отменён"},
    "OrderRevived": {"en": "Late money revives the order", "ru": "Запоздавшая оплата возобновила заказ"},
    "ReleaseRequested": {"en": "Please let the held money go", "ru": "Просьба освободить удержанные деньги"},
    "BankVoidRequested": {"en": "Please let go of the payment at the bank", "ru": "Просьба отменить платёж в банке"},
    "PaymentVoided": {"en": "The bank holds nothing any more", "ru": "Банк больше не удерживает деньги"},
    "RefundRequested": {"en": "Please give the money back", "ru": "Просьба вернуть деньги"},
    "MoneyRefunded": {"en": "The money is back in the wallet", "ru": "Деньги возвращены в кошелёк"},
    "BankRefundRequested": {
        "en": "Please give the money back through the bank",
        "ru": "Просьба вернуть деньги через банк",
    },
    "PaymentRefunded": {"en": "The bank has given the money back", "ru": "Банк вернул деньги"},
    "RefundRefused": {"en": "The bank does not give the money back", "ru": "Банк не возвращает деньги"},
}


def words(kind: str, language: Language) -> str:
    """What a message says; its type, where an older version of the shop recorded one that is no more."""
    texts = WORDS.get(kind)
    return kind if texts is None else texts[language]
