"""The rules of what one logs in with, changed by somebody who is logged in: the password and the e-mail address.

Rules:
- Who changes either knows the present password.  It was checked before the message; `epoch` tells whether it still
  held when the message was handled.
- A new password ends every other log-in, and every link that was asked for with the former one.
- An account moves to another address once a letter that was sent there has come back; the present one is told at once,
  so that its owner can stop it.  Only the link that was asked for last is good.
- Moving ends every log-in: whoever had the former mailbox has nothing left to come in by.
"""

from datetime import timedelta
from typing import ClassVar

import msgspec

from sagamart.contracts.accounts import EmailChangeAnnounced, EmailChangeRequested, PasswordChanged
from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.accounts.decide import EmailTaken, SessionInvalid
from sagamart.shop.accounts.messages import ChangeEmail, ChangePassword, TakeNewEmail
from sagamart.shop.accounts.one_time import (
    LETTER_EVERY_S,
    TokenInvalid,
    asking,
    has_just_asked,
    is_good,
    token_id_of,
    used,
)
from sagamart.shop.accounts.records import OneTimeToken, RefreshFamily, User

EMAIL_CHANGE_GOOD_S = 24 * 3600


class LetterTooSoon(Refusal, frozen=True):
    """An account is sent one letter a minute, wherever it goes."""

    status: ClassVar[int] = 429
    title: ClassVar[str] = "A letter has just gone out; ask again in a minute"

    wait_s: int = LETTER_EVERY_S


def change_password(
    message: Message[ChangePassword], user: User | None, family: RefreshFamily | None = None
) -> Decision:
    """Take the new password, and let only the log-in go on that it was asked for in."""
    body = message.body
    if user is None or user.epoch != body.epoch:
        return Decision(reply=SessionInvalid())
    after = user.with_password(body.password_hash)
    going_on = family is not None and (family.customer_id, family.epoch) == (user.customer_id, user.epoch)
    kept = [family.of_epoch(after.epoch)] if family is not None and going_on else []
    return Decision(save=[after, *kept], send=[PasswordChanged(user.customer_id, after.version)], reply=Reply(204))


def change_email(message: Message[ChangeEmail], user: User | None, holder: User | None) -> Decision:
    """Ask at the new address, and tell the present one."""
    body = message.body
    if user is None or user.epoch != body.epoch:
        return Decision(reply=SessionInvalid())
    if holder is not None:
        return Decision(reply=EmailTaken())
    if has_just_asked(user, message.at):
        return Decision(reply=LetterTooSoon())
    expires_at = message.at + timedelta(seconds=EMAIL_CHANGE_GOOD_S)
    token = OneTimeToken(1, token_id_of(message.id), user.customer_id, "email_change", expires_at)
    after = msgspec.structs.replace(asking(user, message.at), new_email=body.email, new_email_token=token.token_id)
    return Decision(
        save=[after, token],
        send=[
            EmailChangeRequested(user.customer_id, token.token_id),
            EmailChangeAnnounced(user.customer_id, after.version),
        ],
        reply=Reply(202),
    )


def take_new_email(
    message: Message[TakeNewEmail], token: OneTimeToken | None, user: User | None, holder: User | None
) -> Decision:
    """The letter arrived at the new address: the account moves there.  Somebody else may have it by now."""
    body = message.body
    if token is None or user is None or not is_good(token, "email_change", message.at):
        return Decision(reply=TokenInvalid())
    if (user.new_email, user.new_email_token) != (body.email, token.token_id):
        return Decision(reply=TokenInvalid())
    if holder is not None:
        return Decision(reply=EmailTaken())
    after = msgspec.structs.replace(
        user,
        version=user.version + 1,
        email=body.email,
        epoch=user.epoch + 1,
        email_confirmed_at=message.at,
        new_email=None,
        new_email_token=None,
    )
    return Decision(save=[used(token, message.at), after], reply=Reply(204))
