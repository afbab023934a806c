"""The rules of what people keep with us: their addresses, and being forgotten.

Rules:
- One address of a book is the default: the first one, until another is named.
- Who is erased keeps the id and nothing else; the e-mail address is free again.  Other services hear `CustomerErased`:
  orders and shipping forget addresses, notifications the phone number.  Copies of replies, kept for repeated requests,
  go with those requests (`REQUESTS_KEPT_DAYS`).
"""

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from sagamart.contracts.accounts import CustomerErased
from sagamart.messaging.decision import Decision, Refusal, Reply
from sagamart.messaging.message import Message
from sagamart.shop.accounts.decide import LastAdmin, UnknownUser, VersionChanged, is_last
from sagamart.shop.accounts.messages import EraseCustomer, KeepAddress, RemoveAddress
from sagamart.shop.accounts.records import NOBODYS_HASH, Address, AddressBook, Administrators, RoleChange, User

ADDRESSES_MAX = 20


class TooManyAddresses(Refusal, frozen=True):
    """A book holds a few addresses."""

    title: ClassVar[str] = "There are too many addresses; remove one first"

    addresses_max: int


class UnknownAddress(Refusal, frozen=True):
    """There is no such address in the book."""

    status: ClassVar[int] = 404
    title: ClassVar[str] = "There is no such address"


def keep_address(message: KeepAddress, user: User | None, book: AddressBook | None) -> Decision:
    """Add an address, or put it in the place of the one with its id."""
    if user is None:
        return Decision(reply=UnknownUser())
    before = book or AddressBook(0, message.customer_id)
    if message.expected_version not in (None, before.version):
        return Decision(reply=VersionChanged(before.version))
    kept = message.address
    if message.new:
        if len(before.addresses) >= ADDRESSES_MAX:
            return Decision(reply=TooManyAddresses(ADDRESSES_MAX))
        addresses = [*before.addresses, kept]
    else:
        if all(one.id != kept.id for one in before.addresses):
            return Decision(reply=UnknownAddress())
        addresses = [kept if one.id == kept.id else one for one in before.addresses]
    after = _with_default(before, addresses, kept.id if kept.default else None)
    location = f"/v1/me/addresses/{kept.id}" if message.new else None
    return Decision(save=[after], reply=Reply(201 if message.new else 200, after, location))


def remove_address(message: RemoveAddress, book: AddressBook | None) -> Decision:
    """Take an address out.  Where it was the default, the first of the others becomes it."""
    if book is None or all(one.id != message.address_id for one in book.addresses):
        return Decision(reply=UnknownAddress())
    if message.expected_version not in (None, book.version):
        return Decision(reply=VersionChanged(book.version))
    left = [one for one in book.addresses if one.id != message.address_id]
    return Decision(save=[_with_default(book, left, None)], reply=Reply(204))


def erase(
    message: Message[EraseCustomer], user: User | None, book: AddressBook | None, admins: Administrators | None
) -> Decision:
    """Forget a person.  The id stays, for ledgers; everybody who keeps more of this customer is told."""
    if user is None:
        return Decision(reply=UnknownUser())
    if is_last(admins, user.customer_id):
        return Decision(reply=LastAdmin())
    roles = tuple(role for role in user.roles if role == "CUSTOMER")
    after = msgspec.structs.replace(
        user,
        version=user.version + 1,
        email=f"{user.customer_id}@erased.invalid",
        password_hash=NOBODYS_HASH,
        name="",
        roles=roles,
        epoch=user.epoch + 1,
        email_confirmed_at=None,
        new_email=None,
        new_email_token=None,
        erased_at=message.at,
    )
    saved: list[msgspec.Struct] = [after]
    if book is not None:
        saved.append(AddressBook(book.version + 1, book.customer_id))
    if roles != user.roles:
        saved.append(RoleChange(message.id, user.customer_id, user.customer_id, user.roles, roles, message.at))
    if admins is not None and user.customer_id in admins.ids:
        ids = tuple(one for one in admins.ids if one != user.customer_id)
        saved.append(msgspec.structs.replace(admins, version=admins.version + 1, ids=ids))
    return Decision(save=saved, send=[CustomerErased(user.customer_id, after.version)], reply=Reply(204))


def _with_default(book: AddressBook, addresses: Sequence[Address], wanted: str | None) -> AddressBook:
    """The next version of the book, with exactly one default: the wanted one, the present one, or the first."""
    chosen = wanted or next((one.id for one in addresses if one.default), addresses[0].id if addresses else None)
    marked = tuple(msgspec.structs.replace(one, default=one.id == chosen) for one in addresses)
    return msgspec.structs.replace(book, version=book.version + 1, addresses=marked)
