"""Somebody of the shop's staff who sees to parcels, over the API: what a customer at a browser waits for.

with shipping_clerk(address) as clerk:
    clerk.bring(order_id)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import httpx

EMAIL = "shipping@sagamart.example"
PASSWORD = "sagamart-demo"
WAIT_S_MAX = 60.0
LOOK_S = 0.2


class Clerk:
    """The staff of shipping."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def bring(self, order_id: str) -> None:
        """Give the order's parcel to a carrier, who brings it."""
        self._act(f"/v1/shipments/{self.hand_over(order_id)}/delivery")

    def hand_over(self, order_id: str) -> str:
        """Give the order's parcel to a carrier; the shipment's id."""
        shipment_id = self.shipment_of(order_id)
        self._act(f"/v1/shipments/{shipment_id}/hand-over", {"carrier": "Post", "tracking": "RA1RU"})
        return shipment_id

    def take_back(self, order_id: str) -> None:
        """Receive what of an order comes back, once shipping has been told of it."""
        path = f"/v1/shipments/{self.shipment_of(order_id)}"
        deadline = monotonic() + WAIT_S_MAX
        while not (returns := self._http.get(path).raise_for_status().json()["returns"]):
            assert monotonic() < deadline, "shipping was not told of the return"
            sleep(LOOK_S)
        self._act(f"{path}/returns/{returns[0]['id']}/receipt")

    def shipment_of(self, order_id: str) -> str:
        """The id of the order's shipment."""
        answer = self._http.get("/v1/shipments", params={"order": order_id}).raise_for_status()
        return str(answer.json()["items"][0]["id"])

    def _act(self, path: str, body: Any = None) -> None:
        self._http.post(path, json=body, headers={"Idempotency-Key": str(uuid4())}).raise_for_status()


@contextmanager
def shipping_clerk(address: str) -> Iterator[Clerk]:
    """The clerk, logged in."""
    with httpx.Client(base_url=address, trust_env=False, timeout=WAIT_S_MAX) as http:
        pair = http.post("/v1/tokens", json={"email": EMAIL, "password": PASSWORD}).raise_for_status().json()
        http.headers["Authorization"] = f"Bearer {pair['access_token']}"
        yield Clerk(http)
