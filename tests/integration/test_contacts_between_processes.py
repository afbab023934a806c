"""Letters find addresses where accounts is a process of its own: asked over a real socket, and by nobody else."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contact_book import ANN, ANN_MOVING, ContactBook
from sagamart.platform.http.server import Server
from sagamart.platform.http_client import Address
from sagamart.platform.internal.service_tokens import ServiceKeys, ServiceTokens
from sagamart.shop.accounts.contacts_listener import ContactsListener
from sagamart.shop.notifications.remote_contacts import AccountsSilentError, RemoteContacts

NAMES = ("accounts", "notifications", "stock")
PRIVATE = {name: Ed25519PrivateKey.generate() for name in NAMES}
TOKENS = ServiceTokens(ServiceKeys(PRIVATE, {name: (key.public_key(),) for name, key in PRIVATE.items()}))


@pytest_asyncio.fixture
async def accounts() -> AsyncIterator[Address]:
    """Where accounts listens."""

    async def others(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        while True:
            event = await receive()
            await send({"type": f"{event['type']}.complete"})
            if event["type"] == "lifespan.shutdown":
                return

    server = Server(ContactsListener(others, ContactBook(), TOKENS), host="127.0.0.1", port=0)
    await server.start()
    yield Address("127.0.0.1", server.port)
    await server.stop()


def asked_by(name: str, *addresses: Address) -> RemoteContacts:
    return RemoteContacts(addresses, lambda: TOKENS.sign(name, "accounts"))


async def test_notifications_learns_how_to_write_to_somebody_and_what_a_link_holds(accounts: Address) -> None:
    contacts = asked_by("notifications", accounts)

    assert await contacts.contact("cus_ann") == ANN
    assert await contacts.contact("cus_moving") == ANN_MOVING
    assert await contacts.token("tok_1") == "tok_1.sealed"


async def test_who_was_erased_and_links_that_are_not_good_any_more_are_nobody(accounts: Address) -> None:
    contacts = asked_by("notifications", accounts)

    assert await contacts.contact("cus_nobody") is None
    assert await contacts.token("tok_old/../tok_1") is None


async def test_no_other_service_is_told_anything(accounts: Address) -> None:
    with pytest.raises(AccountsSilentError, match="403"):
        await asked_by("stock", accounts).contact("cus_ann")


async def test_nobody_without_a_service_token_is_told_anything(accounts: Address) -> None:
    with pytest.raises(AccountsSilentError, match="401"):
        await RemoteContacts([accounts], lambda: "e30.e30.e30").contact("cus_ann")


async def test_a_token_for_another_service_opens_nothing(accounts: Address) -> None:
    with pytest.raises(AccountsSilentError, match="401"):
        await RemoteContacts([accounts], lambda: TOKENS.sign("notifications", "stock")).token("tok_1")


async def test_where_one_address_is_down_the_next_is_asked(accounts: Address) -> None:
    assert await asked_by("notifications", Address("127.0.0.1", 1), accounts).contact("cus_ann") == ANN
    with pytest.raises(AccountsSilentError):
        await asked_by("notifications", Address("127.0.0.1", 1)).contact("cus_ann")
