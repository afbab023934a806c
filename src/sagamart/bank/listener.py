"""The bank's listener: the platform's server, with connections that can be broken."""

from typing import Any

from litestar import Litestar
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sagamart.bank.line import TRANSPORT
from sagamart.platform.http.server import Server


class BreakableProtocol(HttpToolsProtocol):
    """HTTP whose requests carry their connection, so that the application may break it."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = {TRANSPORT: self.transport}


class Listener(Server):
    """One listener: `async with Listener(app, host="127.0.0.1", port=0) as listener`."""

    def __init__(self, app: Litestar, *, host: str, port: int) -> None:
        super().__init__(app, host=host, port=port)
        self.config.http = BreakableProtocol
