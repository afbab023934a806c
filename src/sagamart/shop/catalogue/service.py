"""The catalogue as a service: which records each message needs, and which rule decides."""

from sagamart.contracts.catalogue import ProductChanged
from sagamart.messaging.records import need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.catalogue.decide import change, create
from sagamart.shop.catalogue.messages import ChangeProduct, CreateProduct
from sagamart.shop.catalogue.records import PRICES, PRODUCTS, Product

CATALOGUE = Service(
    "catalogue",
    tables=(PRODUCTS, PRICES),
    migrations="sagamart.shop.catalogue.migrations",
    handlers=(
        Handler(
            takes=CreateProduct,
            needs=lambda m: (need(Product, m.body.sku),),
            decide=lambda m, have: create(m, have.find(Product, m.body.sku)),
            emits=(ProductChanged,),
        ),
        Handler(
            takes=ChangeProduct,
            needs=lambda m: (need(Product, m.body.sku),),
            decide=lambda m, have: change(m, have.find(Product, m.body.sku)),
            emits=(ProductChanged,),
        ),
    ),
)
