"""Users for staff: found by an e-mail address that somebody has told them, and all who work here.

Nobody can list customers: whoever looks for one must know the address.  What staff may do with what they find, other
routes decide.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from sagamart.platform.http import LIMIT_DEFAULT, Cursor, Limit, Malformed, Page, Queries, key_of, page_of, roles
from sagamart.shop.accounts.decide import Profile
from sagamart.shop.accounts.personal_api import profile_of_row
from sagamart.shop.accounts.registration import EMAIL_CHARACTERS_MAX

WantedEmail = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[!-~]{3,254}$(?!\n)", max_length=EMAIL_CHARACTERS_MAX, description="The whole address, in any case"
    ),
]
Staff = Annotated[bool, QueryParameter(description="All who are more than customers")]
Place = Annotated[str, msgspec.Meta(pattern=r"^cus_[0-9a-f]{1,40}$(?!\n)")]


@get("/v1/users", guards=[roles("OPERATOR", "ADMIN")])
async def find_users(
    queries: Queries,
    email: WantedEmail = None,
    staff: Staff = False,  # noqa: FBT002  it is a field of the query string
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[Profile]:
    """The user with this e-mail address, if there is one; or all who have other roles than a customer's, by id."""
    if email is not None:
        found = await queries.user_with(email=email.lower())
        return Page([] if found is None else [profile_of_row(found)])
    if not staff:
        raise Malformed("email", "say whose, or ask for the staff")
    rows = await queries.staff_after(after=key_of(cursor, Place) or "", limit=limit + 1)
    return page_of([profile_of_row(row) for row in rows], limit, lambda one: one.id)


ROUTES: Sequence[HTTPRouteHandler] = (find_users,)
