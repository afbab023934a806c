"""The simulated bank's misbehaviour, which operators switch where the settings name its admin key: in demonstrations.

A real bank has nothing of the kind, and without the key there is nothing to switch.  Nothing is believed of the bank
here but what it says of its switches; payments are not touched.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import httpx
import msgspec
from msgspec import Meta

from sagamart.platform.http import Problem

ANSWER_S_MAX = 5.0
SOMETIMES = 0.3
"""The probability that is meant by `sometimes`."""

Misbehaviour = Literal[
    "times_out",
    "answers_late",
    "lands_late",
    "refuses",
    "not_found",
    "answers_oversized",
    "answers_wrong_type",
    "answers_redirect",
    "down",
    "unreachable",
    "webhook_late",
    "webhook_twice",
    "webhook_out_of_order",
    "webhook_wrong_signature",
    "webhook_lost",
]
Extent = Literal["never", "once", "sometimes", "always"]
MISBEHAVIOURS: tuple[Misbehaviour, ...] = get_args(Misbehaviour)

_RULES: Mapping[Extent, Mapping[str, Any]] = {
    "once": {"next": 1},
    "sometimes": {"probability": SOMETIMES},
    "always": {},
}


class BankRule(msgspec.Struct, frozen=True):
    """A rule in the bank's words, as far as it is read."""

    misbehaviour: str
    next: int | None = None
    probability: float = 1.0

    @property
    def extent(self) -> Extent:
        """How often that is."""
        if self.next is not None:
            return "once" if self.next else "never"
        return "sometimes" if self.probability < 1 else "always"


class BankMischief(msgspec.Struct, frozen=True):
    """The bank's rules, and how often each has fired."""

    rules: list[BankRule]
    fired: dict[str, int]


class SwitchesView(msgspec.Struct, frozen=True):
    """How often the bank misbehaves in each way from now on, and how often it has since it was started."""

    switches: dict[Misbehaviour, Extent]
    fired: Annotated[dict[str, int], Meta(description="Without those in which it has not")]


class BankSwitches:
    """The switches of a simulated bank at `url`; with no `admin_key` there are none."""

    def __init__(self, url: str, admin_key: str) -> None:
        self.exist = bool(url and admin_key)
        self._url = f"{url}/admin/misbehaviour"
        self._headers = {"Authorization": f"Bearer {admin_key}"}

    async def now(self) -> SwitchesView:
        """How they are.  Raises Problem where the bank does not tell."""
        return await self._asked("GET")

    async def turn(self, switches: Mapping[Misbehaviour, Extent]) -> SwitchesView:
        """Turn these on, and all others off.  Raises Problem where the bank does not tell."""
        rules = [{"misbehaviour": name, **_RULES[one]} for name, one in switches.items() if one != "never"]
        return await self._asked("PUT", {"rules": rules})

    async def _asked(self, method: str, body: Any = None) -> SwitchesView:
        try:
            async with httpx.AsyncClient(timeout=ANSWER_S_MAX, trust_env=False) as http:
                answer = await http.request(method, self._url, json=body, headers=self._headers)
            known = msgspec.json.decode(answer.raise_for_status().content, type=BankMischief)
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise Problem(503, "bank_silent", "The bank does not tell how it behaves") from error
        on = {one.misbehaviour: one.extent for one in known.rules}
        fired = {name: count for name, count in known.fired.items() if count}
        return SwitchesView({name: on.get(name, "never") for name in MISBEHAVIOURS}, fired)


def in_a_line(switches: Mapping[Misbehaviour, Extent]) -> str:
    """What is on, as the journal keeps it: `down=once, refuses=always`."""
    return ", ".join(f"{name}={switches[name]}" for name in MISBEHAVIOURS if switches.get(name, "never") != "never")
