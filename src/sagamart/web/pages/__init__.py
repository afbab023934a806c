"""Every page.  A new one: a handler in a module of this folder, in its `ROUTES`, and the module here."""

from collections.abc import Sequence

from litestar.handlers import HTTPRouteHandler

from sagamart.web import console
from sagamart.web.pages import (
    basket,
    cabinet,
    checkout,
    health,
    home,
    letters,
    live,
    logging_in,
    orders,
    preferences,
    product,
    profile,
    wallet,
)
from sagamart.web.pictures import picture
from sagamart.web.static_files import static_file

ROUTES: Sequence[HTTPRouteHandler] = (
    static_file,
    picture,
    *health.ROUTES,
    *home.ROUTES,
    *product.ROUTES,
    *basket.ROUTES,
    *checkout.ROUTES,
    *orders.ROUTES,
    *live.ROUTES,
    *cabinet.ROUTES,
    *wallet.ROUTES,
    *profile.ROUTES,
    *letters.ROUTES,
    *logging_in.ROUTES,
    *preferences.ROUTES,
    *console.ROUTES,
)
