"""Tokens that nobody gave out, tried on the processes of a cluster one by one, past the door, at their own ports."""

import base64
from collections.abc import Mapping
from pathlib import Path

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

GUARDED = {
    "accounts": "/v1/me",
    "catalogue": "/v1/products/export",
    "stock": "/v1/stock/MUG",
    "orders": "/v1/orders",
    "wallet": "/v1/wallet",
    "payments": "/v1/payments",
    "shipping": "/v1/shipments",
    "promotions": "/v1/promo-codes",
    "notifications": "/v1/notifications",
    "timeline": "/v1/orders/ord_1/timeline",
    "audit": "/v1/operations/audit",
}
"""A path of each process that asks who is there."""


def forged(token: str) -> dict[str, str]:
    """What somebody makes of a token of their own who wants to be more than they are."""
    head, claims, signature = token.split(".")
    said = msgspec.json.decode(_read(claims))
    admin = {**said, "roles": ["ADMIN"]}
    theirs = jwt.encode(admin, Ed25519PrivateKey.generate(), "EdDSA", headers=msgspec.json.decode(_read(head)))
    return {
        "signed by nobody": f"{_written({'alg': 'none', 'typ': 'at+jwt'})}.{_written(admin)}.",
        "signed by somebody else": theirs,
        "changed after it was signed": f"{head}.{_written(admin)}.{signature}",
        "cut off": f"{head}.{claims}.{signature[:-4]}",
    }


async def let_in(processes: Mapping[str, int], token: str) -> list[str]:
    """Where a forged token was let in, or the true one was not.  `processes`: the process id of each node."""
    wrong = []
    async with httpx.AsyncClient() as http:
        for node, pid in sorted(processes.items()):
            url = f"http://127.0.0.1:{_port_of(pid)}{GUARDED[node.rpartition('-')[0]]}"
            for how, one in {"true": token, **forged(token)}.items():
                answer = await http.get(url, headers={"Authorization": f"Bearer {one}"})
                if (answer.status_code == httpx.codes.UNAUTHORIZED) == (how == "true"):
                    wrong.append(f"{node}, {how}: {answer.status_code} {answer.text[:200]}")
    return wrong


def _port_of(pid: int) -> int:
    told = dict(line.partition("=")[::2] for line in Path(f"/proc/{pid}/environ").read_text().split("\0"))
    return int(told["SAGAMART_HTTP_PORT"])


def _read(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _written(part: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(part)).decode().rstrip("=")
