"""Ports of this machine that are kept for our own processes before these are started.

A port is bound and not listened on: whoever connects is refused, nobody else gets it, and a listener that shares its
port (`share_port`) may come, die and come back on it.
"""

import socket
from typing import Self

LOOPBACK = "127.0.0.1"


class Ports:
    """Free ports of this machine, kept free for our own processes."""

    def __init__(self) -> None:
        self._kept: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in self._kept:
            one.close()

    def take(self) -> int:
        """A port on which nobody but a listener that shares its port can listen."""
        kept = socket.socket()
        self._kept.append(kept)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind((LOOPBACK, 0))
        port: int = kept.getsockname()[1]
        return port
