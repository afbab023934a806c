"""What staff do, from any page of the console: each act asks for a reason, is the API's to allow, and is told of."""

from typing import Any

from litestar import Response

from sagamart.web.api_client import UNAUTHENTICATED, ApiProblem
from sagamart.web.forms import Form
from sagamart.web.problem_pages import key_of
from sagamart.web.visit import Visit

SERVER_ERRORS = 500
FORBIDDEN = 403


async def act(  # noqa: PLR0913  each is a part of the request
    visit: Visit, form: Form, method: str, path: str, body: Any = None, *, version: int | None = None, told: str
) -> Response[Any]:
    """Ask the API, and go back to where the form was, which says how it went.  Raises ApiProblem."""
    back = form.text("back") or "/console"
    try:
        await visit.api.send(method, path, body, key=form.text("key"), version=version)
    except ApiProblem as problem:
        if problem.status >= SERVER_ERRORS or problem.status in {UNAUTHENTICATED, FORBIDDEN}:
            raise
        return visit.go(back, told=key_of(problem))
    return visit.go(back, told=told)


def why(form: Form) -> dict[str, str]:
    """The reason of an act, as the API takes it."""
    return {"why": form.text("why")}
