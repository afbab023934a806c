"""The profile: name, language, e-mail, password, addresses, how one is told, one's data, and being forgotten."""

import asyncio
from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post

from sagamart.web.api_client import ApiProblem
from sagamart.web.checkout import ADDRESS
from sagamart.web.forms import Form
from sagamart.web.problem_pages import key_of
from sagamart.web.visit import Visit

SERVER_ERRORS = 500
UNAUTHENTICATED = 401


@get("/profile")
async def profile(visit: Visit) -> Response[Any]:
    """Who one is to the shop."""
    return await _page(visit, {}, "")


@post("/profile")
async def change(visit: Visit, form: Form) -> Response[Any]:
    """Another name, or language."""
    await visit.api.send("PATCH", "/v1/me", form.fields("name", "language"))
    visit.choose(language=form.text("language"))
    return visit.go("/profile", told="profile.changed")


@post("/profile/password")
async def change_password(visit: Visit, form: Form) -> Response[Any]:
    """Have another password from now on; every other log-in ends."""
    chosen = {"current_password": form.raw("current_password"), "password": form.raw("password")}
    return await _tried(visit, "PUT", "/v1/me/password", chosen, "profile.password_changed")


@post("/profile/email")
async def change_email(visit: Visit, form: Form) -> Response[Any]:
    """Have a letter sent to another e-mail address, whose link moves the account there."""
    wanted = {"email": form.text("email"), "current_password": form.raw("email_password")}
    return await _tried(visit, "POST", "/v1/me/email", wanted, "profile.email_asked")


@post("/profile/channels")
async def channels(visit: Visit, form: Form) -> Response[Any]:
    """By which channels to be told."""
    wanted = {"email": form.ticked("by_email"), "sms": form.ticked("by_sms"), "phone": form.text("phone")}
    return await _tried(visit, "PATCH", "/v1/notifications/preferences", wanted, "profile.changed")


@post("/profile/addresses")
async def add_address(visit: Visit, form: Form) -> Response[Any]:
    """Keep another address."""
    typed = {**form.fields(*ADDRESS), "country": form.text("country").upper()}
    try:
        await visit.api.send("POST", "/v1/me/addresses", {**typed, "default": form.ticked("default")})
    except ApiProblem as problem:
        if problem.status >= SERVER_ERRORS or problem.status == UNAUTHENTICATED:
            raise
        return await _page(visit, typed, key_of(problem), status=problem.status)
    return visit.go("/profile", told="profile.address_kept")


@post("/profile/addresses/{address_id:str}/removal")
async def remove_address(visit: Visit, address_id: str) -> Response[Any]:
    """Keep an address no more."""
    return await _tried(visit, "DELETE", visit.path_of("/v1/me/addresses", address_id), None, "profile.address_removed")


@post("/profile/confirmation")
async def send_confirmation(visit: Visit) -> Response[Any]:
    """Have the letter sent again by which an e-mail address is confirmed."""
    return await _tried(visit, "POST", "/v1/me/confirmation", None, "profile.letter_sent")


@get("/profile/export")
async def export(visit: Visit) -> Response[bytes]:
    """A copy of all that the shop keeps of oneself."""
    answer = await visit.api.ask("GET", "/v1/me/export")
    headers = {"Content-Disposition": 'attachment; filename="personal-data.json"'}
    return Response(answer.content, media_type="application/json", headers=headers)


@get("/profile/erasure")
async def erasure_page(visit: Visit) -> Response[Any]:
    """Whether one is sure."""
    return visit.page("erasure.html", me=await visit.api.get("/v1/me"))


@post("/profile/erasure")
async def erase(visit: Visit) -> Response[Any]:
    """Be forgotten."""
    await visit.api.send("DELETE", "/v1/me")
    visit.leave()
    return visit.go("/", told="profile.erased")


async def _tried(visit: Visit, method: str, path: str, body: Any, told: str) -> Response[Any]:
    try:
        await visit.api.send(method, path, body)
    except ApiProblem as problem:
        if problem.status >= SERVER_ERRORS or problem.status == UNAUTHENTICATED:
            raise
        return visit.go("/profile", told=key_of(problem))
    return visit.go("/profile", told=told)


async def _page(visit: Visit, typed: Mapping[str, str], refused: str, *, status: int = 200) -> Response[Any]:
    me, book, preferences = await asyncio.gather(
        visit.api.get("/v1/me"),
        visit.api.get("/v1/me/addresses"),
        visit.api.get("/v1/notifications/preferences"),
    )
    return visit.page(
        "profile.html",
        status=status,
        me=me,
        addresses=book["addresses"],
        preferences=preferences,
        typed={name: typed.get(name, "") for name in ADDRESS},
        refused=refused,
    )


ROUTES = (
    profile,
    change,
    change_password,
    change_email,
    channels,
    add_address,
    remove_address,
    send_confirmation,
    export,
    erasure_page,
    erase,
)
