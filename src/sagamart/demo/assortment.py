"""What a demo shop has: people who can log in, products, money.  Data only; the passwords are no secret."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

PASSWORD = "sagamart-demo"  # noqa: S105  printed for everybody to use

CUSTOMER_MONEY: Mapping[str, int] = {"RUB": 10_000_000, "EUR": 100_000}
"""What each customer gets, in minor units."""

PIECES = 500
"""How many of a product there are, where it does not say otherwise."""


class Person(NamedTuple):
    """Somebody of the demo."""

    email: str
    name: str
    roles: tuple[str, ...]
    language: str = "en"
    password: str = PASSWORD


class DemoProduct(NamedTuple):
    """Something to buy.  Prices are in minor units of roubles and euros, weight is in grams."""

    sku: str
    title: str
    description: str
    rub_minor: int
    eur_minor: int
    weight_g: int
    pieces: int = PIECES

    def price_minor(self, currency: str) -> int:
        """The price in the shop's currency; other ones than the rouble get the figure in euros."""
        return self.rub_minor if currency == "RUB" else self.eur_minor


class DemoMethod(NamedTuple):
    """A way of delivery; one that needs no address is fetched from the shop."""

    method: str
    title_en: str
    title_ru: str
    rub_minor: int
    eur_minor: int
    comes: bool

    def price_minor(self, currency: str) -> int:
        """The price in the shop's currency; other ones than the rouble get the figure in euros."""
        return self.rub_minor if currency == "RUB" else self.eur_minor


ADMIN = Person("admin@sagamart.example", "Ada Minister", ("ADMIN",))
STOCK_OPERATOR = Person("stock@sagamart.example", "Stan Stock", ("STOCK_OPERATOR",))
OPERATOR = Person("operator@sagamart.example", "Olga Operator", ("OPERATOR",), "ru")
SHIPPING_OPERATOR = Person("shipping@sagamart.example", "Sven Shipping", ("SHIPPING_OPERATOR",))
CUSTOMERS = (
    Person("anna@sagamart.example", "Анна Иванова", ("CUSTOMER",), "ru"),
    Person("boris@sagamart.example", "Борис Петров", ("CUSTOMER",), "ru"),
    Person("clara@sagamart.example", "Clara Jones", ("CUSTOMER",)),
)

EVERYDAY: Sequence[DemoProduct] = (
    DemoProduct("MUG-BLUE", "Blue mug", "Holds 300 ml. Синяя кружка на 300 мл.", 59_000, 790, 320),
    DemoProduct("TEA-OOLONG", "Oolong tea, 100 g", "From the high hills. Чай улун, 100 г.", 84_000, 1_150, 130),
    DemoProduct("COFFEE-BEANS", "Coffee beans, 250 g", "Roasted on Monday. Кофе в зёрнах.", 72_000, 990, 260),
    DemoProduct("NOTEBOOK-A5", "Notebook A5", "96 dotted pages. Блокнот в точку, 96 страниц.", 39_000, 520, 210),
    DemoProduct("PEN-INK", "Fountain pen", "A steel nib that glides. Перьевая ручка.", 165_000, 2_190, 35),
    DemoProduct("SCARF-WOOL", "Woollen scarf", "Warm and two metres long. Шерстяной шарф.", 245_000, 3_300, 180),
    DemoProduct("LAMP-DESK", "Desk lamp", "Warm light, three steps. Настольная лампа.", 310_000, 4_150, 1_400),
    DemoProduct("BOARD-OAK", "Oak chopping board", "Oiled by hand. Разделочная доска из дуба.", 189_000, 2_500, 900),
    DemoProduct("SOAP-LAVENDER", "Lavender soap", "One bar lasts a season. Лавандовое мыло.", 29_000, 390, 100),
    DemoProduct("PUZZLE-1000", "Puzzle, 1000 pieces", "The harbour by night. Пазл, 1000 деталей.", 135_000, 1_800, 750),
)
"""What orders are usually about."""

DEAR = DemoProduct(
    "PIANO-GRAND", "Grand piano", "Nobody has the money for it. Рояль.", 250_000_000, 3_250_000, 480_000, 3
)
RARE = DemoProduct("TEAPOT-RARE", "Rare teapot", "There are two of them. Редкий чайник.", 420_000, 5_600, 850, 2)

PRODUCTS = (*EVERYDAY, DEAR, RARE)
PEOPLE = (ADMIN, STOCK_OPERATOR, OPERATOR, SHIPPING_OPERATOR, *CUSTOMERS)

METHODS = (
    DemoMethod("pickup", "Pick up at the shop", "Самовывоз", 0, 0, comes=False),
    DemoMethod("courier", "Courier", "Курьер", 30_000, 490, comes=True),
)

PROMO_CODE = "WELCOME-10"
PROMO_PERCENT_BP = 1_000
"""Ten percent off, once for each customer."""
