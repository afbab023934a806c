"""Where letters lead: confirming an e-mail address, choosing a new password.

A letter's token is behind the `#` of its link, which browsers send to nobody; a script fills it in, or people do.
"""

from typing import Any

from litestar import Response, get, post

from sagamart.web.api_client import ApiProblem
from sagamart.web.forms import Form
from sagamart.web.problem_pages import key_of
from sagamart.web.visit import Visit

SERVER_ERRORS = 500


@get("/confirm")
async def confirm_page(visit: Visit) -> Response[Any]:
    """The button that confirms."""
    return visit.page("confirm.html", refused="")


@post("/confirm")
async def confirm(visit: Visit, form: Form) -> Response[Any]:
    """Confirm an e-mail address."""
    try:
        await visit.api.send("POST", "/v1/users/confirmation", {"token": form.text("token")})
    except ApiProblem as problem:
        return _again(visit, "confirm.html", problem)
    return visit.go("/cabinet" if visit.api.knows_visitor else "/login", told="letters.confirmed")


@get("/password/forgotten")
async def forgotten_page(visit: Visit) -> Response[Any]:
    """Whose password is forgotten."""
    return visit.page("forgotten.html", refused="")


@post("/password/forgotten")
async def forgotten(visit: Visit, form: Form) -> Response[Any]:
    """Have a letter sent, if somebody has this address; the answer is the same."""
    try:
        await visit.api.send("POST", "/v1/users/password-reset", {"email": form.text("email")})
    except ApiProblem as problem:
        return _again(visit, "forgotten.html", problem)
    return visit.go("/login", told="letters.sent")


@get("/new-password")
async def new_password_page(visit: Visit) -> Response[Any]:
    """The form for a new password."""
    return visit.page("new_password.html", refused="")


@post("/new-password")
async def new_password(visit: Visit, form: Form) -> Response[Any]:
    """Have another password from now on; every log-in ends."""
    chosen = {"token": form.text("token"), "password": form.raw("password")}
    try:
        await visit.api.send("POST", "/v1/users/password", chosen)
    except ApiProblem as problem:
        return _again(visit, "new_password.html", problem)
    visit.leave()
    return visit.go("/login", told="letters.password_changed")


def _again(visit: Visit, template: str, problem: ApiProblem) -> Response[Any]:
    if problem.status >= SERVER_ERRORS:
        raise problem
    return visit.page(template, status=problem.status, refused=key_of(problem))


ROUTES = (confirm_page, confirm, forgotten_page, forgotten, new_password_page, new_password)
