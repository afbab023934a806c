"""An order as it moves: the events of the API, each made the part of the page that it changes."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Response, get
from litestar.response import Stream

from sagamart.web.api_client import ApiProblem, Json
from sagamart.web.order_view import OrderPage
from sagamart.web.visit import Visit

EVENTS = "text/event-stream"
NO_MORE = 204
"""The status by which a browser asks no more."""


@get("/orders/{order_id:str}/live")
async def live(visit: Visit, order_id: str) -> Response[Any]:
    """Server-sent events: `now` with the order's part of the page, until its `end`."""
    path = visit.path_of("/v1/orders", order_id)
    try:
        await visit.api.get(path)  # renews the log-in while cookies can still be sent
    except ApiProblem:
        return Response(None, status_code=NO_MORE)
    return Stream(_parts(visit, path), media_type=EVENTS, headers={"X-Accel-Buffering": "no"})


async def _parts(visit: Visit, path: str) -> AsyncIterator[bytes]:
    wallet = await visit.api.get("/v1/wallet")
    try:
        async with visit.api.stream(f"{path}/events", {"Accept": EVENTS}) as answer:
            name = ""
            async for line in answer.aiter_lines():
                field, _, value = line.partition(":")
                if field == "event":
                    name = value.strip()
                elif field == "data" and name == "order":
                    yield _event("now", _part(visit, msgspec.json.decode(value), wallet))
                elif field == "data" and name == "end":
                    yield _event("end", value.strip())
                elif not field and value:
                    yield b": nothing new\n\n"
    except ApiProblem:
        return


def _part(visit: Visit, order: Json, wallet: Json) -> str:
    return visit.page("order_now.html", page=OrderPage(order), wallet=wallet).content


def _event(name: str, content: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in content.splitlines())
    return f"event: {name}\n{lines}\n".encode()


ROUTES = (live,)
