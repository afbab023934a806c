"""The catalogue as a service: which records each message needs, and which rule decides."""

from sagamart.contracts.catalogue import ProductChanged
from sagamart.contracts.stock import SkuBackInStock, SkuSoldOut
from sagamart.messaging.records import need
from sagamart.messaging.service import Handler, Service
from sagamart.shop.catalogue.decide import change, create, hide_photo, show_photo, take_availability, take_row
from sagamart.shop.catalogue.messages import ChangeProduct, CreateProduct, HidePhoto, ImportProduct, ShowPhoto
from sagamart.shop.catalogue.records import AVAILABILITIES, PHOTOS, PRICES, PRODUCTS, Availability, Photo, Product

CATALOGUE = Service(
    "catalogue",
    tables=(PHOTOS, PRODUCTS, AVAILABILITIES, PRICES),
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
        Handler(
            takes=ImportProduct,
            needs=lambda m: (need(Product, m.body.sku),),
            decide=lambda m, have: take_row(m, have.find(Product, m.body.sku)),
            emits=(ProductChanged,),
        ),
        Handler(
            takes=ShowPhoto,
            needs=lambda m: (need(Photo, m.body.photo_id), need(Product, m.body.sku)),
            decide=lambda m, have: show_photo(m, have.find(Product, m.body.sku), have.find(Photo, m.body.photo_id)),
            emits=(ProductChanged,),
        ),
        Handler(
            takes=HidePhoto,
            needs=lambda m: (need(Product, m.body.sku),),
            decide=lambda m, have: hide_photo(m, have.find(Product, m.body.sku)),
            emits=(ProductChanged,),
        ),
        *(
            Handler(
                takes=kind,
                needs=lambda m: (need(Availability, m.body.sku),),
                decide=lambda m, have: take_availability(m.body, have.find(Availability, m.body.sku)),
            )
            for kind in (SkuSoldOut, SkuBackInStock)
        ),
    ),
)
