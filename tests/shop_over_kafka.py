"""The whole shop over a real Kafka: its services in shops of their own, as processes of their own would run them.

async with shop_over_kafka(database_of, settings, node) as company:
    company.door                                 # all of them seen as one, as `open_shop` gives it
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import cast

from msgspec.structs import replace

from open_shop import OpenShop
from sagamart.app import Shop
from sagamart.messaging.transport.kafka import KafkaTransport
from sagamart.messaging.worker import Node
from sagamart.platform.kafka_topics import apply
from sagamart.platform.metrics import Metrics
from sagamart.settings import ShopSettings
from sagamart.shop.notifications.known_contacts import KnownContacts
from sagamart.slices import SLICES
from sagamart.transports import transport_of
from shop_fixtures import TOKENS, DatabaseOf, selling_anything

WITHIN_S = 90.0
LOOK_S = 0.05
QUIET_LOOKS = 20
"""What a consumer knows of the broker may be as old as its last fetch."""

EACH_APART = tuple((name,) for name in SLICES)


class Company:
    """Services apart, seen as one shop."""

    def __init__(self, shops: Mapping[str, Shop], dsns: Mapping[str, str]) -> None:
        self.shops = shops
        self.dsns = dsns
        merged = SimpleNamespace(
            metrics=Metrics(),
            traces=None,
            mounted=[one for shop in shops.values() for one in shop.mounted],
            dead_letters={name: one for shop in shops.values() for name, one in shop.dead_letters.items()},
            consumers={name: one for shop in shops.values() for name, one in shop.consumers.items()},
            operator_actions={name: one for shop in shops.values() for name, one in shop.operator_actions.items()},
            services={name: one for shop in shops.values() for name, one in shop.services.items()},
        )
        self.door = OpenShop(cast("Shop", merged))

    async def at_rest(self) -> None:
        """Return when nothing has been under way for a while, neither here nor at the broker."""
        quiet_looks = 0
        async with asyncio.timeout(WITHIN_S):
            while quiet_looks < QUIET_LOOKS:
                quiet_looks = 0 if await self._is_moving() else quiet_looks + 1
                await asyncio.sleep(LOOK_S)

    async def _is_moving(self) -> bool:
        for shop in self.shops.values():
            transport = shop.transport
            assert isinstance(transport, KafkaTransport)
            if any(one.lag or one.unfinished for one in transport.consumers.values()):
                return True
            for running in shop.services.values():
                if await running.readers.fetchval("select count(*) from outbox"):
                    return True
        return False


@asynccontextmanager
async def shop_over_kafka(
    database_of: DatabaseOf,
    settings: ShopSettings,
    node: Node = Node("test"),  # noqa: B008  immutable
    shops: Sequence[Sequence[str]] = EACH_APART,
) -> AsyncIterator[Company]:
    """Services with these settings, over fresh databases and the topics of `settings.kafka`; which are together.

    Customers order anything.
    """
    settings = selling_anything(settings)
    await asyncio.to_thread(apply, settings.kafka, list(SLICES))
    dsns = {name: await database_of(build(settings).service) for name, build in SLICES.items()}
    async with AsyncExitStack() as closing:
        opened = {}
        for names in shops:
            travel = await closing.enter_async_context(transport_of(settings, names))
            own = {name: dsns[name] for name in names}
            shop = Shop(settings, own, node=replace(node, name=names[0]), transport=travel.transport)
            opened[names[0]] = await closing.enter_async_context(shop)
            await closing.enter_async_context(travel.receiving())
            travel.measure(shop.metrics)
        for shop in opened.values():
            shop.write_letters(TOKENS, KnownContacts())
        made = Company(opened, dsns)
        closing.push_async_callback(made.door.http.aclose)
        yield made
