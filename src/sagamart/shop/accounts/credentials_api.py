"""The routes of somebody logged in who wants another password, or another e-mail address.

Rules:
- Either needs the present password.  Wrong ones are counted with the failed log-ins of the account and the client, so
  that a stolen access token is no better place to guess from.
- A wrong password is 403: 401 would tell a program that its token has ended.
- No password is in what an `Idempotency-Key` stands for, since a digest of that is stored.
"""

from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, Response, post, put

from sagamart.platform.http import Ask, Caller, NotFound, Problem, Queries, RequestBody, logged_in
from sagamart.shop.accounts.credentials import LetterTooSoon
from sagamart.shop.accounts.failures import admit, note_failure, origins_of
from sagamart.shop.accounts.messages import ChangeEmail, ChangePassword
from sagamart.shop.accounts.one_time import LETTER_EVERY_S
from sagamart.shop.accounts.passwords import PASSWORD_CHARACTERS_MAX, PASSWORDS
from sagamart.shop.accounts.registration import Email, Password, password_hash_of

PresentPassword = Annotated[str, msgspec.Meta(max_length=PASSWORD_CHARACTERS_MAX, examples=["otter counts nine reeds"])]


class WantedPassword(RequestBody, frozen=True):
    """The password to have from now on, and the one that it takes the place of."""

    current_password: PresentPassword
    password: Password

    def __repr__(self) -> str:
        return "WantedPassword()"  # representations end in logs


class WantedEmail(RequestBody, frozen=True):
    """The address to be written to from now on, and the present password."""

    email: Email
    current_password: PresentPassword

    def __repr__(self) -> str:
        return "WantedEmail()"  # the same


class Proven(NamedTuple):
    """Whose password was right, as of this epoch."""

    email: str
    epoch: int


@put("/v1/me/password", guards=[logged_in], status_code=204)
async def change_password(
    request: Request[Any, Any, Any], data: WantedPassword, ask: Ask, caller: Caller, queries: Queries
) -> Response[None]:
    """Choose another password.  Every other log-in ends, and so do links to choose one; its owner is told by letter."""
    proven = await _proven(request, caller.id, data.current_password, ask, queries)
    password_hash = await password_hash_of(data.password, proven.email, PASSWORDS)
    return await ask(ChangePassword(caller.id, password_hash, proven.epoch, caller.session), content=proven.epoch)


@post("/v1/me/email", guards=[logged_in], status_code=202)
async def change_email(
    request: Request[Any, Any, Any], data: WantedEmail, ask: Ask, caller: Caller, queries: Queries
) -> Response[None]:
    """Ask for another e-mail address: 202, and a letter there whose link moves the account once it is confirmed.

    Until then nothing changes; the present address is told.  Moving ends every log-in.
    """
    proven = await _proven(request, caller.id, data.current_password, ask, queries)
    email = data.email.lower()
    answer = await ask(ChangeEmail(caller.id, email, proven.epoch), content=email)
    if answer.status_code == LetterTooSoon.status:
        answer.headers["Retry-After"] = str(LETTER_EVERY_S)
    return answer


async def _proven(
    request: Request[Any, Any, Any], customer_id: str, password: str, ask: Ask, queries: Queries
) -> Proven:
    """Raises Problem `wrong_password` (403), 429 after too many failures, NotFound for who is no user of ours."""
    found = await queries.credentials_of_user(customer_id=customer_id)
    if found is None:
        raise NotFound("There is no such user")
    origins = origins_of(f"user {found['email']}", request)
    await admit(origins, queries)
    if not await PASSWORDS.matches(password, found["password_hash"]):
        await note_failure(origins, ask)
        raise Problem(403, "wrong_password", "This is not your present password")
    return Proven(found["email"], found["epoch"])


ROUTES = (change_password, change_email)
