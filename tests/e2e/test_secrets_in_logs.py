"""Nothing that a person keeps to oneself gets into the program's log, at its most talkative, whatever goes wrong."""

from pathlib import Path
from typing import Any

import httpx

from e2e.shop_program import ShopProgram, sagamart

PASSWORD = "canary-in-the-coal-mine"
WRONG = "canary-that-is-wrong"
EMAIL = "canary@example.com"
NAME = "Canary Bird"
ADMIN_PASSWORD = "canary-of-the-house"


def test_no_password_token_secret_name_or_address_is_ever_logged(tmp_path: Path) -> None:
    with ShopProgram(tmp_path, LOGS_LEVEL="debug", LOGS_FORMAT="json", LOGS_STEPS="all") as shop:
        made = sagamart("admin", "create", "boss@example.com", "--data", str(tmp_path), ADMIN_PASSWORD=ADMIN_PASSWORD)
        assert made.returncode == 0, made.stderr
        with httpx.Client(base_url=shop.address, timeout=60) as client:
            secrets = [PASSWORD, WRONG, EMAIL, NAME, ADMIN_PASSWORD, *everything_goes_through(client)]
        assert shop.stop() == 0
    log = "\n".join([*shop.said, made.stdout, made.stderr.replace("boss@example.com", "")])

    assert "log level changed" in log, "the log was listened to"
    assert [secret for secret in secrets if secret in log] == []


def everything_goes_through(client: httpx.Client) -> list[str]:
    """Register, log in and out, guess, reset, send what cannot be read; the tokens that were seen."""
    person = {"email": EMAIL, "password": PASSWORD, "name": NAME}
    told(client.post("/v1/users", json=person), 201)
    told(client.post("/v1/tokens", json=person), 400)
    pair = told(client.post("/v1/tokens", json={"email": EMAIL, "password": PASSWORD}), 201)
    told(client.post("/v1/tokens", json={"email": EMAIL, "password": WRONG}), 401)
    told(client.post("/v1/users", json=person | {"password": f"{WRONG}\0"}), 400)
    told(client.post("/v1/users", content=f'{{"password": "{PASSWORD}"'), 400)
    told(client.get("/v1/me", headers={"Authorization": f"Bearer {pair['access_token']}x"}), 401)
    told(client.get(f"/v1/products?q={PASSWORD}&cursor={pair['refresh_token']}"), 400)
    forged = pair["refresh_token"][:-1] + "_"
    told(client.post("/v1/tokens/refresh", json={"refresh_token": forged}), 401)
    told(client.post("/v1/tokens/refresh", json={"refresh_token": f"{WRONG}.{PASSWORD}"}), 401)
    client.post("/v1/users/password-reset", json={"email": EMAIL})
    told(client.post("/v1/users/password", json={"token": WRONG, "password": PASSWORD}), 400)
    boss = told(client.post("/v1/tokens", json={"email": "boss@example.com", "password": ADMIN_PASSWORD}), 201)
    as_boss = {"Authorization": f"Bearer {boss['access_token']}"}
    machine = told(client.post("/v1/clients", json={"name": "Till", "roles": ["OPERATOR"]}, headers=as_boss), 201)
    client.put("/v1/operations/log-level", json={"level": "debug"}, headers=as_boss)
    grant = {"grant_type": "client_credentials", "client_id": machine["client_id"]}
    till = told(client.post("/v1/tokens", json=grant | {"client_secret": machine["client_secret"]}), 201)
    client.request("DELETE", "/v1/me", headers={"Authorization": f"Bearer {pair['access_token']}"})
    return [
        *(each["access_token"] for each in (pair, boss, till)),
        *pair["refresh_token"].split(".")[1:],
        *boss["refresh_token"].split(".")[1:],
        machine["client_secret"],
    ]


def told(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The answer's body.  Raises AssertionError for another status."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body
