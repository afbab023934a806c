"""Logging in and out, and becoming a customer."""

from typing import Any

from litestar import Response, get, post

from sagamart.web.api_client import UNAUTHENTICATED, ApiProblem
from sagamart.web.forms import Form
from sagamart.web.problem_pages import key_of
from sagamart.web.visit import Visit, here

REFUSED = frozenset((400, 401, 409, 422, 429))
"""What the form is shown again for, with the reason."""


@get("/login")
async def log_in_page(visit: Visit, back: str = "/") -> Response[str]:
    """The form to log in with."""
    return visit.page("login.html", back=here(back), email="", refused="")


@post("/login")
async def log_in(visit: Visit, form: Form) -> Response[Any]:
    """Log in, and go on where one wanted to."""
    back = here(form.text("back"))
    try:
        await begin(visit, form.text("email"), form.raw("password"))
    except ApiProblem as problem:
        if problem.status not in REFUSED:
            raise
        wrong = problem.status in {400, UNAUTHENTICATED}
        refused = "problem.wrong_credentials" if wrong else key_of(problem)
        return visit.page("login.html", status=problem.status, back=back, email=form.text("email"), refused=refused)
    return visit.go(back)


@get("/register")
async def register_page(visit: Visit, back: str = "/") -> Response[str]:
    """The form to become a customer with."""
    return visit.page("register.html", back=here(back), typed={"name": "", "email": ""}, refused="")


@post("/register")
async def register(visit: Visit, form: Form) -> Response[Any]:
    """Become a customer, logged in at once."""
    back, typed = here(form.text("back")), form.fields("name", "email")
    wanted = {**typed, "password": form.raw("password"), "language": visit.language}
    try:
        await visit.api.send("POST", "/v1/users", wanted, key=form.text("key"))
        await begin(visit, typed["email"], form.raw("password"))
    except ApiProblem as problem:
        if problem.status not in REFUSED:
            raise
        return visit.page("register.html", status=problem.status, back=back, typed=typed, refused=key_of(problem))
    return visit.go(back, told="register.done")


@post("/logout")
async def log_out(visit: Visit) -> Response[None]:
    """Log out, here and for this log-in everywhere."""
    await visit.api.end()
    visit.leave()
    return visit.go("/", told="login.ended")


async def begin(visit: Visit, email: str, password: str) -> None:
    """Log somebody in.  Raises ApiProblem."""
    visit.api.forget()
    visit.api.keep(await visit.api.send("POST", "/v1/tokens", {"email": email, "password": password}))
    me = await visit.api.get("/v1/me")
    visit.cookies.set("roles", ".".join(me["roles"]))
    visit.renew_csrf()


ROUTES = (log_in_page, log_in, register_page, register, log_out)
