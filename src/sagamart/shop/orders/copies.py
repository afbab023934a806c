"""Orders' own copies of products and delivery methods: placing asks nobody.

Each source counts its own versions, and its facts may come late, doubled or in any order: a lower version than the one
that is known changes nothing.
"""

from msgspec.structs import replace

from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.shipping import DeliveryMethodChanged, charged_g
from sagamart.contracts.stock import SkuFact, SkuSoldOut
from sagamart.messaging.decision import NOTHING, Decision
from sagamart.shop.orders.records import DeliveryCopy, ProductCopy


def copy_product(message: ProductChanged, copy: ProductCopy | None) -> Decision:
    """Take over what the catalogue says of a product."""
    before = copy or ProductCopy(0, message.sku)
    if message.version <= before.catalogue_version:
        return NOTHING
    after = replace(
        before,
        version=before.version + 1,
        catalogue_version=message.version,
        title=message.title,
        price_minor=message.price_minor,
        currency=message.currency,
        active=message.active,
        charged_g=charged_g(message.weight_g, message.length_mm, message.width_mm, message.height_mm),
    )
    return Decision(save=[after])


def copy_availability(message: SkuFact, copy: ProductCopy | None) -> Decision:
    """Take over whether a sku is known to be sold out; stock may speak of it before the catalogue does."""
    before = copy or ProductCopy(0, message.sku)
    if message.version <= before.stock_version:
        return NOTHING
    sold_out = isinstance(message, SkuSoldOut)
    after = replace(before, version=before.version + 1, stock_version=message.version, sold_out=sold_out)
    return Decision(save=[after])


def copy_delivery(message: DeliveryMethodChanged, copy: DeliveryCopy | None) -> Decision:
    """Take over what shipping says of a delivery method."""
    if copy is not None and message.version <= copy.method_version:
        return NOTHING
    after = DeliveryCopy(
        version=1 if copy is None else copy.version + 1,
        method=message.method,
        method_version=message.version,
        price_minor=message.price_minor,
        currency=message.currency,
        needs_shipment=message.needs_shipment,
        needs_address=message.needs_address,
        active=message.active,
        per_kg_minor=message.per_kg_minor,
    )
    return Decision(save=[after])
