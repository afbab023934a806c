"""People: who works here, anybody by the e-mail address, and what roles each has."""

import asyncio
from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post

from sagamart.web.api_client import ApiProblem
from sagamart.web.console.acting import act
from sagamart.web.console.entrance import OFFICE
from sagamart.web.forms import Form
from sagamart.web.visit import Visit

STAFF = 100
CHANGES = 100
UNREADABLE = 400
ROLES = ("CUSTOMER", "OPERATOR", "STOCK_OPERATOR", "SHIPPING_OPERATOR", "ADMIN")


@get("/console/people")
async def people(visit: Visit) -> Response[Any]:
    """Those who work here, and whoever has the e-mail address that is looked for."""
    email = visit.question("email")
    staff = await visit.api.get("/v1/users", staff="true", cursor=visit.question("cursor"), limit=STAFF)
    try:
        found = (await visit.api.get("/v1/users", email=email))["items"] if email else []
    except ApiProblem as problem:
        if problem.status != UNREADABLE:
            raise
        found = []
    facts = {"email": email, "found": found, "staff": staff["items"], "next_cursor": staff["next_cursor"]}
    return visit.page("console/people.html", **facts)


@get("/console/people/{user_id:str}")
async def person(visit: Visit, user_id: str) -> Response[Any]:
    """One user, their roles, and who gave and took them."""
    path = visit.path_of("/v1/users", user_id)
    found, changes, staff = await asyncio.gather(
        visit.api.get(path), visit.api.get(f"{path}/role-changes", limit=CHANGES), names_of_staff(visit)
    )
    return visit.page("console/person.html", person=found, changes=changes["items"], roles=ROLES, staff=staff)


@post("/console/people/{user_id:str}/roles")
async def assign(visit: Visit, user_id: str, form: Form) -> Response[Any]:
    """Give a user these roles and no others."""
    back = visit.path_of("/console/people", user_id)
    roles = [one for one in ROLES if one in form.texts("role")]
    if not roles:
        return visit.go(back, told="problem.no_role")
    path = f"{visit.path_of('/v1/users', user_id)}/roles"
    body = {"roles": roles}
    return await act(visit, form, "PUT", path, body, version=form.number("version"), told="console.done_roles")


async def names_of_staff(visit: Visit) -> Mapping[str, str]:
    """The names of those who work here, by id; none where the accounts do not answer, or not to this visitor."""
    if visit.roles.isdisjoint(OFFICE):
        return {}
    found = await visit.api.reach("/v1/users", staff="true", limit=STAFF)
    return {} if found is None else {one["id"]: one["name"] for one in found["items"]}


ROUTES = (people, person, assign)
