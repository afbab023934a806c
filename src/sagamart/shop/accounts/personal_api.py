"""The routes of what people keep with us: addresses, a copy of everything, and being forgotten."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.params import PathParameter
from msgspec import Meta

from sagamart.contracts.accounts import PERSONAL_PARTS, PersonalPart
from sagamart.platform.http import (
    Ask,
    Caller,
    NotFound,
    Queries,
    RequestBody,
    if_match,
    json_response,
    logged_in,
    versioned,
)
from sagamart.shop.accounts.decide import Profile
from sagamart.shop.accounts.messages import EraseCustomer, KeepAddress, RemoveAddress
from sagamart.shop.accounts.records import Address, AddressBook, RevokedFor, Role
from sagamart.shop.accounts.registration import Name

EXPORTED_MAX = 1_000
"""Log-ins, and changes of roles, in one copy."""

Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", max_length=200, examples=["12 Reed Lane"])]
AddressId = Annotated[str, PathParameter(pattern=r"^adr_[0-9a-f]{32}$(?!\n)", description="An address's id")]


class WantedAddress(RequestBody, frozen=True):
    """Where parcels shall go."""

    recipient: Name
    phone: Annotated[str, Meta(pattern=r"^\+?[0-9 ()-]{5,30}$(?!\n)", examples=["+44 20 7946 0000"])]
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166-1 alpha-2", examples=["GB"])]
    postal_code: Annotated[str, Meta(pattern=r"^[A-Za-z0-9 -]{2,12}$(?!\n)", examples=["N1 9GU"])]
    city: Line
    street: Line
    default: bool = False


class LogIn(msgspec.Struct, frozen=True):
    """A log-in and what became of it."""

    family_id: str
    generation: int
    expires_at: datetime
    revoked_for: RevokedFor | None = None


class NotedRoleChange(msgspec.Struct, frozen=True):
    """Who gave or took which roles, and when."""

    change_id: str
    by: str
    before: tuple[Role, ...]
    after: tuple[Role, ...]
    at: datetime


class PersonalData(msgspec.Struct, frozen=True):
    """All that accounts keeps of a person, except secrets.  `elsewhere`: where the other services give their parts."""

    profile: Profile
    addresses: Sequence[Address]
    log_ins: Sequence[LogIn]
    role_changes: Sequence[NotedRoleChange]
    elsewhere: Sequence[PersonalPart] = PERSONAL_PARTS


@get("/v1/me/addresses", guards=[logged_in], opt={"also": (304,)})
async def list_addresses(request: Request[Any, Any, Any], caller: Caller, queries: Queries) -> Response[AddressBook]:
    """The caller's addresses, with their ETag."""
    book = await _book(caller.id, queries)
    return versioned(request, book, book.version)


@post("/v1/me/addresses", guards=[logged_in], status_code=201, opt={"also": (412,)})
async def add_address(
    request: Request[Any, Any, Any], data: WantedAddress, ask: Ask, caller: Caller
) -> Response[AddressBook]:
    """Add an address.  The first one is the default."""
    seen = if_match(request)

    def command(message_id: str) -> KeepAddress:
        address = _address("adr_" + message_id.replace("-", ""), data)
        return KeepAddress(caller.id, address, new=True, expected_version=seen)

    return await ask(command, content=(data, seen))


@put("/v1/me/addresses/{address_id:str}", guards=[logged_in], opt={"also": (412,)})
async def replace_address(
    request: Request[Any, Any, Any], address_id: AddressId, data: WantedAddress, ask: Ask, caller: Caller
) -> Response[AddressBook]:
    """Put another address in this one's place.  If-Match is optional, since nobody else writes these."""
    seen = if_match(request)
    command = KeepAddress(caller.id, _address(address_id, data), new=False, expected_version=seen)
    return await ask(command, content=(data, seen))


@delete("/v1/me/addresses/{address_id:str}", guards=[logged_in], status_code=204, opt={"also": (412,)})
async def remove_address(
    request: Request[Any, Any, Any], address_id: AddressId, ask: Ask, caller: Caller
) -> Response[None]:
    """Take an address out of the book."""
    seen = if_match(request)
    return await ask(RemoveAddress(caller.id, address_id, seen), content=seen)


@get("/v1/me/export", guards=[logged_in], opt={"also": (404,)})
async def export_personal_data(caller: Caller, queries: Queries) -> Response[PersonalData]:
    """A copy of all that accounts keeps of the caller, and the links to what others keep (GDPR, article 20)."""
    user = await queries.user_of(customer_id=caller.id)
    if user is None:
        raise NotFound("There is no such user")
    book = await _book(caller.id, queries)
    log_ins = await queries.log_ins_of(customer_id=caller.id, limit=EXPORTED_MAX)
    data = PersonalData(
        profile_of_row(user),
        book.addresses,
        [LogIn(**row) for row in log_ins],
        await role_changes(caller.id, queries, "", EXPORTED_MAX),
    )
    return json_response(data, headers={"Content-Disposition": 'attachment; filename="personal-data.json"'})


@delete("/v1/me", guards=[logged_in], status_code=204)
async def erase_personal_data(ask: Ask, caller: Caller) -> Response[None]:
    """Be forgotten (GDPR, article 17): every log-in ends, and only the id stays, for ledgers."""
    return await ask(EraseCustomer(caller.id))


def profile_of_row(row: Any) -> Profile:
    """A user as `user_of` gives one."""
    return msgspec.convert({**row, "roles": msgspec.json.decode(row["roles"])}, Profile)


async def role_changes(customer_id: str, queries: Queries, after: str, limit: int) -> list[NotedRoleChange]:
    """The changes of a user's roles behind one, the oldest first."""
    rows = await queries.role_changes_of(customer_id=customer_id, after=after, limit=limit)
    decode = msgspec.json.decode
    return [
        NotedRoleChange(
            row["change_id"], row["by"], tuple(decode(row["before"])), tuple(decode(row["after"])), row["at"]
        )
        for row in rows
    ]


async def _book(customer_id: str, queries: Queries) -> AddressBook:
    row = await queries.addresses_of(customer_id=customer_id)
    if row is None:
        return AddressBook(0, customer_id)
    return AddressBook(row["version"], customer_id, msgspec.json.decode(row["addresses"], type=tuple[Address, ...]))


def _address(address_id: str, wanted: WantedAddress) -> Address:
    return Address(address_id, **msgspec.structs.asdict(wanted))


ROUTES = (
    list_addresses,
    add_address,
    replace_address,
    remove_address,
    export_personal_data,
    erase_personal_data,
)
