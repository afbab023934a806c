"""The routes of whoever runs the bank: how it misbehaves, and its merchants."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from litestar import get, put
from litestar.params import PathParameter

from sagamart.bank.answers import Merchant
from sagamart.bank.api import Desk
from sagamart.bank.callers import is_admin
from sagamart.bank.misbehaviour import Misbehaviours, Name, Rule
from sagamart.bank.requests import NewMerchant, NewRules


class Mischief(msgspec.Struct, frozen=True):
    """The rules in force, `next` being what is left, and how often each misbehaviour has fired."""

    rules: Sequence[Rule]
    fired: Mapping[Name, int]


@get("/admin/misbehaviour", guards=[is_admin], tags=["admin"])
async def show_misbehaviour(desk: Desk) -> Mischief:
    """The rules in force, and how often each misbehaviour has fired since the bank was started."""
    return _of(desk.line.misbehaviours)


@put("/admin/misbehaviour", guards=[is_admin], tags=["admin"])
async def put_misbehaviour(data: NewRules, desk: Desk) -> Mischief:
    """Put these rules in place of all.  The counters stay."""
    desk.line.misbehaviours.replace(data.rules)
    return _of(desk.line.misbehaviours)


@put("/admin/merchants/{merchant_id:str}", guards=[is_admin], tags=["admin"], opt={"also": (409,)})
async def put_merchant(
    merchant_id: Annotated[str, PathParameter(pattern="^[a-z][a-z0-9_-]{0,39}$")], data: NewMerchant, desk: Desk
) -> Merchant:
    """Make a merchant, or change one."""
    return await desk.merchants.put(merchant_id, data)


def _of(misbehaviours: Misbehaviours) -> Mischief:
    return Mischief(misbehaviours.rules, dict(misbehaviours.fired))


ROUTES = (show_misbehaviour, put_misbehaviour, put_merchant)
