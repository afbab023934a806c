"""Where webhooks may go: only out of the shop's own network, and only to whom the settings allow.

Rules:
- A name is looked up here, every address that it has is looked at, and one of them is called: nobody looks the name up
  again in between (DNS rebinding).
- Addresses inside are refused: private, loopback, link-local, shared, reserved, and IPv4 that hides in IPv6.
- The URL is read by the client that calls it, so that both understand the same.
- HTTPS only.  Where the setting lets receivers be inside, plain HTTP goes too, as in a demonstration.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

import httpx
import msgspec

from sagamart.shop.notifications.settings import WebhookSection

NAT64 = IPv6Network("64:ff9b::/96")
"""IPv6 addresses that are translated to the IPv4 address in their last 32 bits (RFC 6052)."""

IPV4_BITS = 0xFFFF_FFFF
PORTS = {"https": 443, "http": 80}

Lookup = Callable[[str, int], Awaitable[list[str]]]


class ForbiddenReceiverError(Exception):
    """Nothing is posted there; the message says why."""


class Place(NamedTuple):
    """A receiver by its address, and by the name that its certificate must have."""

    address: str
    host: str


async def looked_up(host: str, port: int) -> list[str]:
    """All addresses of a name.  Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Receivers(msgspec.Struct, frozen=True):
    """The rules of these settings."""

    section: WebhookSection
    lookup: Lookup = looked_up

    def check(self, url: str) -> tuple[str, int]:
        """The host and port of a URL that may be subscribed.  Raises ForbiddenReceiverError."""
        try:
            parts = httpx.URL(url)
        except (httpx.InvalidURL, UnicodeError):
            raise ForbiddenReceiverError("it is no URL") from None
        host, port = parts.raw_host.decode(), parts.port or PORTS.get(parts.scheme, 0)
        if not host or not port or not url.isascii() or not url.isprintable() or " " in url:
            raise ForbiddenReceiverError("it is no URL of a web server")
        if parts.userinfo or parts.fragment:
            raise ForbiddenReceiverError("it holds a user, a password or a fragment")
        if parts.scheme != "https" and not (self.section.private and parts.scheme == "http"):
            raise ForbiddenReceiverError("only https is allowed")
        if self.section.hosts and host not in self.section.hosts:
            raise ForbiddenReceiverError(f"{host} is not among SAGAMART_WEBHOOKS_HOSTS")
        if _is_literal(host):
            self._admit(host)
        return host, port

    async def place(self, url: str) -> Place:
        """Where to post to.  Raises ForbiddenReceiverError, and OSError for a name that nobody knows."""
        host, port = self.check(url)
        addresses = await self.lookup(host, port)
        if not addresses:
            raise OSError(f"{host} has no address")
        for address in addresses:
            self._admit(address)
        return Place(addresses[0], host)

    def _admit(self, address: str) -> None:
        if not self.section.private and not is_outside(address):
            raise ForbiddenReceiverError("it leads into a private network")


def is_outside(address: str) -> bool:
    """Whether an IP address is one of the public internet's."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        hidden = found.ipv4_mapped or found.sixtofour or (_translated(found) if found in NAT64 else None)
        if hidden is not None:
            return hidden.is_global and not hidden.is_multicast
    return found.is_global and not found.is_multicast


def _translated(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & IPV4_BITS)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
