"""Where webhooks may go: out of the shop's network only, by HTTPS, and to whom the settings allow."""

import pytest

from sagamart.shop.notifications.receivers import ForbiddenReceiverError, Receivers, is_outside
from sagamart.shop.notifications.settings import WebhookSection

OUTSIDE = "93.184.215.14"


def names(**addresses: list[str]) -> Receivers:
    """Receivers in a world where these names have these addresses."""

    async def lookup(host: str, _port: int) -> list[str]:
        return addresses[host.partition(".")[0]]

    return Receivers(WebhookSection(), lookup)


@pytest.mark.parametrize(
    "address", [OUTSIDE, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e", "::ffff:93.184.215.14"]
)
def test_addresses_of_the_public_internet_are_outside(address: str) -> None:
    assert is_outside(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",  # where clouds tell machines their secrets
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  an address to refuse, not to listen on
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::8",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.8",
        "64:ff9b::a00:8",
        "2002:7f00:1::",
    ],
)
def test_addresses_inside_are_not_however_they_are_written(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://erp.example/", "only https"),
        ("ftp://erp.example/", "no URL of a web server"),
        ("file:///etc/passwd", "no URL of a web server"),
        ("https://user:word@erp.example/", "a user, a password"),
        ("https://erp.example/#part", "a fragment"),
        ("https:///path", "no URL of a web server"),
        ("https://erp.example/ space", "no URL of a web server"),
        ("https://erp.example/\nHost: other", "no URL"),
        ("https://127.0.0.1/", "private network"),
        ("https://[::1]/", "private network"),
        ("https://[::ffff:10.0.0.8]:8443/", "private network"),
    ],
)
def test_a_url_that_cannot_be_a_receiver_is_refused_at_once(url: str, why: str) -> None:
    with pytest.raises(ForbiddenReceiverError, match=why):
        Receivers(WebhookSection()).check(url)


async def test_a_name_is_called_by_the_address_that_was_looked_at() -> None:
    assert await names(erp=[OUTSIDE]).place("https://erp.example:8443/news") == (OUTSIDE, "erp.example")


@pytest.mark.parametrize("addresses", [["10.0.0.8"], [OUTSIDE, "127.0.0.1"]])
async def test_a_name_that_leads_inside_is_refused_when_it_is_called(addresses: list[str]) -> None:
    with pytest.raises(ForbiddenReceiverError, match="private network"):
        await names(erp=addresses).place("https://erp.example/")


async def test_an_address_in_disguise_is_refused_when_it_is_called() -> None:
    with pytest.raises(ForbiddenReceiverError, match="private network"):
        await Receivers(WebhookSection()).place("https://2130706433/")  # 127.0.0.1 as one number


def test_a_shop_may_name_the_hosts_that_it_posts_to() -> None:
    receivers = Receivers(WebhookSection(hosts=("erp.example",)))

    assert receivers.check("https://erp.example/") == ("erp.example", 443)
    with pytest.raises(ForbiddenReceiverError, match="SAGAMART_WEBHOOKS_HOSTS"):
        receivers.check("https://other.example/")


async def test_a_demonstration_may_post_inside_and_without_tls() -> None:
    receivers = Receivers(WebhookSection(private=True))

    assert (await receivers.place("http://127.0.0.1:9999/")).address == "127.0.0.1"
    with pytest.raises(ForbiddenReceiverError):
        receivers.check("ftp://127.0.0.1/")
