"""The rules of one-time tokens: confirming an e-mail address, choosing a new password.

Rules:
- A token is a row; its text is the row's id under a seal, made where the letter is written.  Nothing secret travels.
- It is good once and for a while; why one is not good any more is nobody's business.
- A link to choose a password is good no more once the account has another password or address: letters stay in
  mailboxes that somebody else may have by then.
- A letter goes out at most once in `LETTER_EVERY_S` for an account, whoever asks how often.
- A new password ends every log-in there is, by the user's epoch.
"""

from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from sagamart.contracts.accounts import EmailConfirmationRequested, PasswordChanged, PasswordResetRequested
from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.accounts.messages import ConfirmEmail, RequestConfirmation, RequestPasswordReset, ResetPassword
from sagamart.shop.accounts.records import OneTimeToken, Purpose, User

CONFIRMATION_GOOD_S = 3 * 24 * 3600
PASSWORD_RESET_GOOD_S = 3600
LETTER_EVERY_S = 60


class TokenInvalid(Refusal, frozen=True):
    """The token is unknown, used, for something else, or too old."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "This link is not good any more; ask for a new one"


def token_id_of(message_id: str) -> str:
    """The token that a message makes."""
    return "tok_" + message_id.replace("-", "")


def confirmation_token(message_id: str, customer_id: str, at: datetime) -> OneTimeToken:
    """Leave to confirm the e-mail address."""
    expires_at = at + timedelta(seconds=CONFIRMATION_GOOD_S)
    return OneTimeToken(1, token_id_of(message_id), customer_id, "confirmation", expires_at)


def request_confirmation(message: Message[RequestConfirmation], user: User | None) -> Decision:
    """Send the letter once more, unless the address is confirmed or a letter has just gone out."""
    accepted = Decision(reply=Reply(202))
    if user is None or user.email_confirmed_at is not None or has_just_asked(user, message.at):
        return accepted
    token = confirmation_token(message.id, user.customer_id, message.at)
    sent = EmailConfirmationRequested(user.customer_id, token.token_id)
    return Decision(save=[asking(user, message.at), token], send=[sent], reply=accepted.reply)


def request_password_reset(message: Message[RequestPasswordReset], user: User | None) -> Decision:
    """Send a link to whoever has this address.  The answer is the same whether anybody does."""
    accepted = Decision(reply=Reply(202))
    if user is None or has_just_asked(user, message.at):
        return accepted
    expires_at = message.at + timedelta(seconds=PASSWORD_RESET_GOOD_S)
    token = OneTimeToken(1, token_id_of(message.id), user.customer_id, "password_reset", expires_at, epoch=user.epoch)
    sent = PasswordResetRequested(user.customer_id, token.token_id)
    return Decision(save=[asking(user, message.at), token], send=[sent], reply=accepted.reply)


def confirm_email(message: Message[ConfirmEmail], token: OneTimeToken | None, user: User | None) -> Decision:
    """The letter arrived: the address is the user's."""
    if token is None or user is None or not is_good(token, "confirmation", message.at):
        return Decision(reply=TokenInvalid())
    after = msgspec.structs.replace(user, version=user.version + 1, email_confirmed_at=message.at)
    return Decision(save=[used(token, message.at), after], reply=Reply(204))


def reset_password(message: Message[ResetPassword], token: OneTimeToken | None, user: User | None) -> Decision:
    """Take the new password and end every log-in.  Whoever could read the letter has confirmed the address too."""
    if token is None or user is None or not is_good(token, "password_reset", message.at):
        return Decision(reply=TokenInvalid())
    if token.epoch not in (None, user.epoch):
        return Decision(reply=TokenInvalid())
    after = user.with_password(message.body.password_hash)
    after = msgspec.structs.replace(after, email_confirmed_at=user.email_confirmed_at or message.at)
    told = PasswordChanged(user.customer_id, after.version)
    return Decision(save=[used(token, message.at), after], send=[told], reply=Reply(204))


def is_good(token: OneTimeToken, purpose: Purpose, at: datetime) -> bool:
    """Whether a token can still be used for this."""
    return token.purpose == purpose and token.used_at is None and token.expires_at > at


def used(token: OneTimeToken, at: datetime) -> OneTimeToken:
    """The token, spent."""
    return msgspec.structs.replace(token, version=token.version + 1, used_at=at)


def has_just_asked(user: User, at: datetime) -> bool:
    """Whether a letter has gone out to this account less than `LETTER_EVERY_S` ago."""
    return user.letter_asked_at is not None and at < user.letter_asked_at + timedelta(seconds=LETTER_EVERY_S)


def asking(user: User, at: datetime) -> User:
    """The user, to whom a letter goes out."""
    return msgspec.structs.replace(user, version=user.version + 1, letter_asked_at=at)
