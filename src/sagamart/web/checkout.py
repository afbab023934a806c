"""What an order would come to: its goods, less a promo code, and the delivery; before anything is placed."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.basket import Filled, basket_of
from sagamart.web.forms import Form
from sagamart.web.visit import Visit

ADDRESS = ("recipient", "phone", "country", "postal_code", "city", "street")
NEW = "new"
ABSENT = frozenset((400, 404))


class Wish(msgspec.Struct, frozen=True):
    """What somebody chose."""

    method: str
    address_id: str
    address: Mapping[str, str]
    keep: bool
    promo_code: str
    pay: str


class Offer(msgspec.Struct, frozen=True):
    """All that the page of an order needs."""

    basket: Filled
    methods: Sequence[Json]
    addresses: Sequence[Json]
    wallet: Json
    wish: Wish
    promo: Json | None

    @property
    def method(self) -> Json | None:
        """The delivery that is chosen."""
        return next((one for one in self.methods if one["method"] == self.wish.method), None)

    @property
    def discount_minor(self) -> int:
        """What the code takes off."""
        return int(self.promo["discount_minor"]) if self.promo is not None and self.promo["counts"] else 0

    @property
    def delivery_minor(self) -> int:
        """What the delivery costs."""
        return 0 if self.method is None else int(self.method["price_minor"])

    @property
    def total_minor(self) -> int:
        """All that is to be paid."""
        return self.basket.goods_minor - self.discount_minor + self.delivery_minor

    @property
    def is_covered(self) -> bool:
        """Whether the wallet can pay for it."""
        fits = self.wallet["currency"] == self.basket.currency
        return fits and int(self.wallet["available_minor"]) >= self.total_minor

    @property
    def address(self) -> Mapping[str, Any] | None:
        """Where it goes, where the delivery needs to know."""
        if self.method is None or not self.method["needs_address"]:
            return None
        kept = next((one for one in self.addresses if one["id"] == self.wish.address_id), None)
        return self.wish.address if kept is None else {name: kept[name] for name in ADDRESS}

    def order(self) -> dict[str, Any]:
        """As the API takes it."""
        delivery = {"method": self.wish.method, "address": self.address} if self.method is not None else None
        return {
            "from_basket": True,
            "pay": "now" if self.wish.pay == "wallet" else "later",
            "delivery": delivery,
            "promo_code": self.wish.promo_code or None,
        }


def wish_of(form: Form) -> Wish:
    """What a form says."""
    return Wish(
        form.text("method"),
        form.text("address"),
        address_of(form),
        form.ticked("keep"),
        form.text("promo_code"),
        form.text("pay"),
    )


def address_of(form: Form) -> Mapping[str, str]:
    """The address of a form."""
    return {**form.fields(*ADDRESS), "country": form.text("country").upper()}


async def offer(visit: Visit, wish: Wish | None) -> Offer:
    """What the visitor's basket would come to; without a wish, with what they will probably want.

    Raises ApiProblem.
    """
    basket = await basket_of(visit)
    book = await visit.api.get("/v1/me/addresses")
    addresses = book["addresses"]
    wanted = wish or Wish("", "", dict.fromkeys(ADDRESS, ""), keep=False, promo_code="", pay="wallet")
    kept = next((one for one in addresses if one["id"] == wanted.address_id), None)
    usual = next((one for one in addresses if one["default"]), None)
    chosen = kept or (usual if wanted.address_id != NEW else None)
    country = (chosen or wanted.address).get("country", "")
    methods = (await visit.api.get("/v1/delivery-methods", line=basket.wanted, country=country))["items"]
    offered = [one for one in methods if one["available"]]
    method = wanted.method or (offered[0]["method"] if offered else "")
    settled = msgspec.structs.replace(wanted, method=method, address_id=chosen["id"] if chosen else NEW)
    promo = await _promo(visit, settled.promo_code, basket)
    return Offer(basket, methods, addresses, await visit.api.get("/v1/wallet"), settled, promo)


async def _promo(visit: Visit, code: str, basket: Filled) -> Json | None:
    if not code:
        return None
    path = visit.path_of("/v1/promo-codes", code, "check")
    try:
        return await visit.api.get(path, goods_minor=basket.goods_minor, currency=basket.currency)
    except ApiProblem as problem:
        if problem.status not in ABSENT:
            raise
        return {"counts": False, "discount_minor": 0, "explanation": visit.say("checkout.no_such_code")}
