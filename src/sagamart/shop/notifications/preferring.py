"""The rules of preferences: by which channels somebody is told, and that somebody is forgotten."""

from typing import ClassVar

import msgspec

from sagamart.contracts.accounts import CustomerErased
from sagamart.messaging.decision import NOTHING, Decision, Refusal, Reply
from sagamart.shop.notifications.messages import ChangePreferences
from sagamart.shop.notifications.records import Preferences


class PhoneMissing(Refusal, frozen=True):
    """An SMS needs a number to go to."""

    title: ClassVar[str] = "Name a phone number to be told by SMS"


class PreferencesChanged(Refusal, frozen=True):
    """Somebody else has changed them since the caller looked."""

    status: ClassVar[int] = 412
    title: ClassVar[str] = "The preferences have changed meanwhile; read them again"

    version: int


class PreferencesView(msgspec.Struct, frozen=True):
    """By which channels one is told."""

    email: bool = True
    sms: bool = False
    phone: str | None = None


def change_preferences(message: ChangePreferences, before: Preferences | None) -> Decision:
    """Take what is named, leave the rest."""
    before = before or Preferences(0, message.customer_id)
    if message.expected_version not in (None, before.version):
        return Decision(reply=PreferencesChanged(before.version))
    after = msgspec.structs.replace(
        before,
        version=before.version + 1,
        email=before.email if message.email is None else message.email,
        sms=before.sms if message.sms is None else message.sms,
        phone=before.phone if message.phone is None else message.phone or None,
    )
    if after.sms and after.phone is None:
        return Decision(reply=PhoneMissing())
    if before.erased:
        return Decision(reply=Reply(200, PreferencesView(email=False)))
    return Decision(save=[after], reply=Reply(200, PreferencesView(after.email, after.sms, after.phone)))


def forget(message: CustomerErased, before: Preferences | None) -> Decision:
    """Keep nothing but that this customer is told nothing more."""
    if before is not None and before.erased:
        return NOTHING
    version = 1 if before is None else before.version + 1
    return Decision(save=[Preferences(version, message.customer_id, email=False, erased=True)])
