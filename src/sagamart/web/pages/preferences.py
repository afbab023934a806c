"""The switches in the foot of every page: language and colours."""

from litestar import Response, post

from sagamart.web.forms import Form
from sagamart.web.visit import Visit


@post("/preferences")
async def prefer(visit: Visit, form: Form) -> Response[None]:
    """Have pages in another language, or other colours, and stay where one is."""
    visit.choose(language=form.text("language"), theme=form.text("theme"))
    return visit.go(form.text("back"))


ROUTES = (prefer,)
