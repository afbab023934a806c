"""Limits: how many requests a client or an account may send.

A bucket of `burst` requests that refills at `rate_per_s`, kept as one number a key: the moment at which the bucket is
full again (the generic cell rate algorithm).  The table is bounded; a key that is pushed out begins with a full bucket.

Rules:
- A client is its address; of IPv6 the network of 64 bits, which is what one subscriber gets.
- `X-Forwarded-For` counts only where the peer is a proxy that the settings trust.
- Of several replicas each lets its share through: what all of them let through together is what the settings allow.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from sagamart.platform.http.problems import too_many_requests
from sagamart.platform.settings import HttpSettings

KEYS_MAX = 50_000
FORWARDED_HOPS_MAX = 10
IPV6_SUBSCRIBER_BITS = 64
ADDRESSES_REMEMBERED_MAX = 10_000


class Buckets:
    """One bucket a key."""

    def __init__(
        self, rate_per_s: float, burst: int, *, keys_max: int = KEYS_MAX, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval_s = 1 / rate_per_s
        self._slack_s = (burst - 1) / rate_per_s
        self._keys_max = keys_max
        self._now = now
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one from the bucket of `key`: 0 where there was one, else the seconds until there is."""
        now = self._now()
        full_at = max(self._full_at.get(key, now), now)
        wait_s = full_at - now - self._slack_s
        if wait_s > 0:
            return wait_s
        self._full_at[key] = full_at + self._interval_s
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._keys_max:
            self._full_at.popitem(last=False)
        return 0.0

    def __len__(self) -> int:
        return len(self._full_at)


def buckets_of(settings: HttpSettings) -> Buckets | None:
    """This replica's share as buckets; None where the rate is 0, which means no limit."""
    if not settings.rate_limit_per_s:
        return None
    share = settings.replicas
    return Buckets(settings.rate_limit_per_s / share, max(1, settings.rate_limit_burst // share))


def admission_of(buckets: Buckets | None) -> Callable[[str], None]:
    """Take one for a key, raising Problem 429 where its bucket is empty."""

    def admit(key: str) -> None:
        wait_s = buckets.take(key) if buckets is not None else 0.0
        if wait_s:
            raise too_many_requests(wait_s)

    return admit


class Clients:
    """Which client a request comes from."""

    def __init__(self, trusted_proxies: Sequence[str] = ()) -> None:
        """`trusted_proxies` are addresses or networks.  Raises ValueError for what is neither."""
        self._trusted = [ip_network(network) for network in trusted_proxies]
        self.client_of_peer = lru_cache(ADDRESSES_REMEMBERED_MAX)(_subscriber)
        self.trusts = lru_cache(ADDRESSES_REMEMBERED_MAX)(self._is_trusted)

    def client(self, peer: str, forwarded: str | None) -> str:
        """The client's key: the nearest address on the way that is no trusted proxy."""
        if forwarded is not None and self._trusted and self.trusts(peer):
            for hop in reversed(forwarded.split(",")[-FORWARDED_HOPS_MAX:]):
                peer = hop.strip()
                if not self.trusts(peer):
                    break
        return self.client_of_peer(peer)

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


def _subscriber(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, IPV6_SUBSCRIBER_BITS), strict=False))
