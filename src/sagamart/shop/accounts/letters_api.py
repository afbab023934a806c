"""The routes of what letters lead to: confirming an e-mail address, a first or another one, choosing a new password.

Rules:
- Asking for a new password is answered alike, and after the same time, whether anybody has the address.
- A token whose seal is not ours is refused like one that is not good any more, before a password is hashed.
"""

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post

from sagamart.platform.http import Ask, Caller, Problem, Queries, RequestBody, logged_in
from sagamart.shop.accounts.contacts import ONE_TIME_TOKEN_CHARACTERS_MAX, token_id_in
from sagamart.shop.accounts.messages import (
    ConfirmEmail,
    RequestConfirmation,
    RequestPasswordReset,
    ResetPassword,
    TakeNewEmail,
)
from sagamart.shop.accounts.one_time import TokenInvalid
from sagamart.shop.accounts.passwords import PASSWORDS
from sagamart.shop.accounts.registration import Email, Password, password_hash_of

RESET_ANSWER_S = 0.5
"""Longer than it takes either way, on a machine that is not overloaded."""

TokenText = Annotated[str, msgspec.Meta(max_length=ONE_TIME_TOKEN_CHARACTERS_MAX)]


class HeldLink(RequestBody, frozen=True):
    """What a letter's link held."""

    token: TokenText

    def __repr__(self) -> str:
        return "HeldLink()"  # representations end in logs


class ForgottenPassword(RequestBody, frozen=True):
    """Whose password is forgotten."""

    email: Email


class ChosenPassword(RequestBody, frozen=True):
    """What a letter's link held, and the password to have from now on."""

    token: TokenText
    password: Password

    def __repr__(self) -> str:
        return "ChosenPassword()"  # the same


@post("/v1/users/confirmation", status_code=204)
async def confirm_email(request: Request[Any, Any, Any], data: HeldLink, ask: Ask, queries: Queries) -> Response[None]:
    """Confirm an e-mail address with the token of the letter.  To another address the account moves; log-ins end."""
    token_id = _token_id(request, data.token)
    wanted = await queries.new_email_of(token_id=token_id)
    if wanted is None:
        return await ask(ConfirmEmail(token_id), content=token_id)
    return await ask(TakeNewEmail(token_id, wanted["customer_id"], wanted["new_email"]), content=token_id)


@post("/v1/me/confirmation", guards=[logged_in], status_code=202)
async def ask_for_confirmation(ask: Ask, caller: Caller) -> Response[None]:
    """Have the letter sent once more, at most once a minute."""
    return await ask(RequestConfirmation(caller.id))


@post("/v1/users/password-reset", status_code=202)
async def ask_for_password_reset(data: ForgottenPassword, ask: Ask) -> Response[None]:
    """Have a link to choose a new password sent to this address, if somebody has it."""
    email = data.email.lower()
    pause = asyncio.create_task(asyncio.sleep(RESET_ANSWER_S))
    answer: Response[None] = await ask(RequestPasswordReset(email), content=email)
    await pause
    return answer


@post("/v1/users/password", status_code=204)
async def choose_password(request: Request[Any, Any, Any], data: ChosenPassword, ask: Ask) -> Response[None]:
    """Choose a new password with the token of the letter.  Every log-in ends."""
    token_id = _token_id(request, data.token)
    password_hash = await password_hash_of(data.password, "", PASSWORDS)
    return await ask(ResetPassword(token_id, password_hash), content=token_id)


def _token_id(request: Request[Any, Any, Any], text: str) -> str:
    token_id = token_id_in(text, request.app.state["tokens"])
    if token_id is None:
        raise Problem(TokenInvalid.status, TokenInvalid().code, TokenInvalid.title)
    return token_id


ROUTES = (confirm_email, ask_for_confirmation, ask_for_password_reset, choose_password)
