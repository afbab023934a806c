"""The simulated bank's switches over HTTP, for operators.

Who switches what and why is in the journal before the bank is told: an act whose answer is lost stands there too.
"""

from collections.abc import Sequence
from typing import Annotated

from litestar import Response, get, put
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from sagamart.platform.http import Answer, Ask, Caller, NotFound, RequestBody, json_response, roles
from sagamart.shop.payments.messages import SwitchBank
from sagamart.shop.payments.switching import BankSwitches, Extent, Misbehaviour, SwitchesView, in_a_line

OPERATORS = roles("OPERATOR", "ADMIN")
ALSO = {"also": (404, 503)}
"""There is no such bank, or it does not answer."""


class Switched(RequestBody, frozen=True):
    """How often the bank shall misbehave in each way; those that are left out: never.  `why` is kept with your name."""

    switches: Annotated[dict[Misbehaviour, Extent], Meta(examples=[{"down": "once"}])]
    why: Annotated[str, Meta(min_length=1, max_length=500)]


def switching_routes(bank: BankSwitches) -> Sequence[HTTPRouteHandler]:
    """The routes of these switches."""

    @get("/v1/operations/bank/misbehaviour", guards=[OPERATORS], tags=["operations"], opt=ALSO)
    async def misbehaviour() -> SwitchesView:
        """How the simulated bank misbehaves; 404 where there is none."""
        _must_exist(bank)
        return await bank.now()

    @put("/v1/operations/bank/misbehaviour", guards=[OPERATORS], tags=["operations"], opt=ALSO)
    async def misbehave(data: Switched, ask: Ask, caller: Caller) -> Response[SwitchesView]:
        """Have the simulated bank misbehave so from now on."""
        _must_exist(bank)
        before = in_a_line((await bank.now()).switches)
        act = SwitchBank(caller.id, data.why, before, in_a_line(data.switches))
        noted = await ask.reply_to(act, content=data)
        if noted.refused:
            return Answer(noted)
        return json_response(await bank.turn(data.switches))

    return misbehaviour, misbehave


def _must_exist(bank: BankSwitches) -> None:
    if not bank.exist:
        raise NotFound("There is no simulated bank here")
