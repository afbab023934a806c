"""`sagamart up`: the whole shop on one machine, its database embedded.

In one process; or in two, of which this one takes the requests, and the other, started by it and again whenever it
ends, handles every message: more orders on two processors (docs/decisions/0025).
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from msgspec import structs
from rich.console import Console

from sagamart.app import Shop
from sagamart.cluster.plan import handling_messages
from sagamart.cluster.processes import Kept, alive, until_ready
from sagamart.demo import ADMIN, log_ins, seed
from sagamart.demo_bank import demo_bank, hear_from, webhook_secret, with_bank
from sagamart.platform.embedded import running_dsn
from sagamart.platform.internal.service_tokens import make_service_keys
from sagamart.platform.ports import Ports
from sagamart.programs import Say, create_admin, embedded, serving, until_stopped
from sagamart.settings import ShopSettings
from sagamart.shop.accounts.registration import NewCustomer
from sagamart.slices import SLICES
from sagamart.transports import service_key_folder

EMBEDDED_NODE = "embedded"
"""The node's name where there is only one: after a crash it takes its outbox back at once."""


async def up(settings: ShopSettings, *, processes: int = 1, demo: bool, say: Say) -> None:
    """The whole shop, until SIGTERM or SIGINT; in a demonstration with people, goods and a bank beside it.

    Raises FolderInUseError, EmbeddedPostgresError, CannotStartError.
    """
    receiving = structs.replace(settings.internal, receive=True)
    settings = structs.replace(settings, transport="local", internal=receiving)
    async with AsyncExitStack() as closing:
        dsns = await closing.enter_async_context(embedded(settings, say, processes=processes))
        bank = await closing.enter_async_context(demo_bank(settings)) if demo else ""
        secret = webhook_secret()
        settings = with_bank(settings, bank, secret) if demo else settings
        if processes > 1:
            settings = await closing.enter_async_context(messages_handled_elsewhere(settings, say))
        staged = demo and processes == 1
        shop, address = await closing.enter_async_context(serving(settings, dsns, node=EMBEDDED_NODE, demo=staged))
        if demo:
            await fill(shop, address, say)
            await hear_from(bank, address, secret)
        for line in what_is_open(settings, address, bank):
            say(line)
        await until_stopped()
        say("Stopping: the batch at hand is finished first.")


@asynccontextmanager
async def messages_handled_elsewhere(settings: ShopSettings, say: Say) -> AsyncIterator[ShopSettings]:
    """A second process that handles every message; the settings with which this one only takes requests."""
    folder = Path(settings.data) / "logs"
    folder.mkdir(exist_ok=True)
    make_service_keys(service_key_folder(settings), list(SLICES))
    with Ports() as ports:
        member, settings = handling_messages(settings, running_dsn(Path(settings.data)), ports)
        other = Kept(member, folder, say)
        async with alive([other]):
            await until_ready([other])
            say(
                f"Process {other.pid} handles the messages; it tells of itself at http://{member.public.authority}/metrics"
            )
            yield settings


def what_is_open(settings: ShopSettings, address: str, bank: str) -> list[str]:
    """What whoever has started the shop should know; `bank` is the demonstration's own."""
    told = [f"The shop is open at {address}"]
    if bank:
        told.append(f"Its API to try: {address}/docs   Orders on their way: sagamart demo --url {address}")
        told.append(f"A bank to try payments with is open at {bank}")
    if not settings.bank.url:
        told.append("No bank (SAGAMART_BANK_URL): cards are not taken. To try them: --demo, or sagamart-bank")
    if not settings.email.host:
        told.append(f"No mail server (SAGAMART_EMAIL_HOST): messages to people are at {address}/v1/notifications only")
    return told


async def fill(shop: Shop, address: str, say: Say) -> None:
    """Put the demo's people, products and money into a shop; what is there stays as it is."""
    newcomer = NewCustomer(email=ADMIN.email, password=ADMIN.password, name=ADMIN.name)
    await create_admin(shop.services["accounts"].worker, newcomer)
    people = await seed(address, currency=shop.settings.currency, say=say)
    Console(stderr=True).print(log_ins(people))
