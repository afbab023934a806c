"""The rules of delivery methods, and shipping's own copy of what products weigh and measure."""

from typing import ClassVar

from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.shipping import DeliveryMethodChanged
from sagamart.messaging.decision import NOTHING, Decision, Refusal, Reply
from sagamart.shop.shipping.messages import SetMethod
from sagamart.shop.shipping.records import DeliveryMethod, ProductMeasures


class MethodTaken(Refusal, frozen=True):
    """A name means one method, for ever."""

    title: ClassVar[str] = "There is a delivery method of this name already"

    method: str


class UnknownMethod(Refusal, frozen=True):
    """There is no such method."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such delivery method"

    method: str


class VersionChanged(Refusal, frozen=True):
    """The caller saw another version than there is now."""

    status: ClassVar[int] = 412
    title: ClassVar[str] = "The delivery method has changed meanwhile"

    version: int


def set_method(message: SetMethod, method: DeliveryMethod | None) -> Decision:
    """Offer a new method, or change one.  What changes nothing makes no new version."""
    if message.expected_version is None:
        if method is not None:
            return Decision(reply=MethodTaken(message.method))
        return _changed(_as_wished(message, 1), 201)
    if method is None:
        return Decision(reply=UnknownMethod(message.method))
    if message.expected_version != method.version:
        return Decision(reply=VersionChanged(method.version))
    if _as_wished(message, method.version) == method:
        return Decision(reply=Reply(200, method))
    return _changed(_as_wished(message, method.version + 1), 200)


def copy_measures(message: ProductChanged, copy: ProductMeasures | None) -> Decision:
    """Take over what the catalogue says of a product, unless something newer is known."""
    if copy is not None and message.version <= copy.catalogue_version:
        return NOTHING
    after = ProductMeasures(
        version=1 if copy is None else copy.version + 1,
        sku=message.sku,
        catalogue_version=message.version,
        weight_g=message.weight_g,
        length_mm=message.length_mm,
        width_mm=message.width_mm,
        height_mm=message.height_mm,
    )
    return Decision(save=[after])


def _as_wished(message: SetMethod, version: int) -> DeliveryMethod:
    told = (getattr(message, field) for field in DeliveryMethod.__struct_fields__ if field != "version")
    return DeliveryMethod(version, *told)


def _changed(method: DeliveryMethod, status: int) -> Decision:
    told = (getattr(method, field) for field in DeliveryMethodChanged.__struct_fields__)
    location = f"/v1/delivery-methods/{method.method}" if status == 201 else None  # noqa: PLR2004  it is that status
    return Decision(save=[method], send=[DeliveryMethodChanged(*told)], reply=Reply(status, method, location))
