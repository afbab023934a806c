"""Where browsers come to, as compose file and chart have it: back from the bank, from a letter, by https or not."""

from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from dockerfile import TOP
from helm_chart import CHART, NAMESPACE, containers, helm, of_kind, parsed, template
from sagamart.demo_bank import BACK_FROM_BANK

RETURN, LETTERS, HTTPS = "SAGAMART_BANK_RETURN_URL", "SAGAMART_EMAIL_PAGES", "SAGAMART_WEB_HTTPS"
OF_PAYMENTS, OF_NOTIFICATIONS, OF_PAGES = (f"sagamart-{name}/{name}" for name in ("payments", "notifications", "web"))


def told(values: str, container: str) -> dict[str, str]:
    """The plain environment of a container."""
    (one,) = [one for name, one in containers(values) if name == container]
    return environment(one)


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


@pytest.mark.parametrize(
    ("values", "pages"), [("laptop", "http://arch.homework"), ("production", "https://shop.example.com")]
)
def test_who_confirmed_a_card_comes_back_to_the_page_that_knows_the_payment(values: str, pages: str) -> None:
    assert told(values, OF_PAYMENTS)[RETURN] == pages + BACK_FROM_BANK


def test_in_compose_too() -> None:
    services = yaml.safe_load((TOP / "compose.yaml").read_text())["services"]
    back = services["payments"]["environment"][RETURN]
    assert urlsplit(back.replace("${SHOP_PAGES_PORT:-8000}", "8000")).path == BACK_FROM_BANK
    letters = services["notifications"]["environment"][LETTERS]
    assert back == letters + BACK_FROM_BANK


def test_links_in_letters_lead_to_the_pages() -> None:
    assert told("production", OF_NOTIFICATIONS)[LETTERS] == "https://shop.example.com"


@pytest.mark.parametrize(("values", "https"), [("as it is", "false"), ("laptop", "false"), ("production", "true")])
def test_cookies_are_for_https_only_where_the_ingress_has_a_certificate(values: str, https: str) -> None:
    (ingress,) = of_kind(values, "Ingress")
    assert told(values, OF_PAGES)[HTTPS] == https == str("tls" in ingress["spec"]).lower()


def test_tls_may_end_before_the_ingress_and_the_storefront_be_somebody_elses() -> None:
    own = ["bank.url=https://bank.example.com", "bank.returnUrl=https://front.example.com/paid", "web.https=true"]
    done = template("--show-only", "templates/deployments.yaml", *(word for one in own for word in ("--set", one)))
    assert done.returncode == 0, done.stderr
    all_told = {
        one["metadata"]["name"]: environment(one["spec"]["template"]["spec"]["containers"][0])
        for one in parsed(done.stdout)
    }
    assert all_told["sagamart-web"][HTTPS] == "true"
    assert all_told["sagamart-payments"][RETURN] == "https://front.example.com/paid"


@pytest.mark.parametrize(
    ("more", "opened", "warns"),
    [
        ([], "Open http://arch.homework once", True),
        (["-f", str(CHART / "examples/production.yaml")], "Open https://shop.example.com once", False),
    ],
)
def test_who_installs_is_told_an_address_that_works(more: list[str], opened: str, *, warns: bool) -> None:
    done = helm("install", "sagamart", str(CHART), "--namespace", NAMESPACE, "--dry-run=client", *more)
    assert done.returncode == 0, done.stderr
    assert opened in done.stdout
    assert ("in the clear" in done.stdout) == warns
