"""Every page.  A new one: a handler in a module of this folder, in its `ROUTES`, and the module here."""

from collections.abc import Sequence

from litestar.handlers import HTTPRouteHandler

from sagamart.web.pages import home, logging_in, preferences
from sagamart.web.pictures import picture
from sagamart.web.static_files import static_file

ROUTES: Sequence[HTTPRouteHandler] = (
    static_file,
    picture,
    *home.ROUTES,
    *logging_in.ROUTES,
    *preferences.ROUTES,
)
