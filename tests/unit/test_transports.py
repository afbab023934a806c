"""A process does not start where its messages could not travel, and says which setting is missing."""

from pathlib import Path

import msgspec
import pytest

from sagamart.messaging.transport.http import HttpTransport
from sagamart.messaging.transport.local import LocalTransport
from sagamart.platform.internal.service_tokens import ServiceKeyError, make_service_keys
from sagamart.platform.settings import InternalSettings, SettingsError
from sagamart.settings import ShopSettings
from sagamart.slices import SLICES
from sagamart.transports import transport_of

ALL = list(SLICES)


def settings_with(folder: Path, *destinations: str, transport: str = "http", port: int = 0) -> ShopSettings:
    internal = InternalSettings(keys=str(folder), destinations=destinations, port=port)
    return msgspec.structs.replace(ShopSettings(), transport=transport, internal=internal)


def only_asking(keys: Path, *destinations: str, host: str = "127.0.0.1") -> ShopSettings:
    settings = settings_with(keys, *destinations)
    return msgspec.structs.replace(
        settings, internal=msgspec.structs.replace(settings.internal, receive=False, host=host)
    )


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Give a folder with the keys of all services."""
    make_service_keys(tmp_path, SLICES)
    return tmp_path


@pytest.mark.parametrize(
    ("style", "transport", "words"),
    [
        ("http", "local", "SAGAMART_STYLE=http .* SAGAMART_TRANSPORT=local: .*set SAGAMART_TRANSPORT=http"),
        ("http", "kafka", "SAGAMART_STYLE=http .* SAGAMART_TRANSPORT=kafka: .*set SAGAMART_TRANSPORT=http"),
        ("http-events", "http", "SAGAMART_STYLE=http-events .*SAGAMART_TRANSPORT=http: .*set SAGAMART_TRANSPORT=kafka"),
    ],
)
async def test_a_style_whose_transport_does_not_fit_is_named(style: str, transport: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        async with transport_of(msgspec.structs.replace(ShopSettings(), style=style, transport=transport), ALL):
            pass


async def test_services_that_call_each_other_say_where_they_are(keys: Path) -> None:
    settings = msgspec.structs.replace(settings_with(keys, "stock=http://stock:9000"), style="http")
    with pytest.raises(SettingsError, match=r"SAGAMART_INTERNAL_DESTINATIONS=.*does not say where .*wallet"):
        async with transport_of(settings, ["accounts"]):
            pass


async def test_the_whole_shop_in_one_process_needs_nothing() -> None:
    async with transport_of(ShopSettings(), ALL) as travel, travel.receiving():
        assert isinstance(travel.transport, LocalTransport)


async def test_some_services_in_a_process_need_the_others_within_it_or_a_transport() -> None:
    with pytest.raises(SettingsError, match=r"SAGAMART_TRANSPORT=local.*stock \(.*wallet \(.*serve orders .*=http"):
        async with transport_of(ShopSettings(), ["orders"]):
            pass


async def test_a_process_that_posts_takes_posts_too(keys: Path) -> None:
    async with transport_of(settings_with(keys, "http://{service}:9000"), ["orders"]) as travel, travel.receiving():
        assert isinstance(travel.transport, HttpTransport)


@pytest.mark.parametrize("transport", ["local", "kafka"])
async def test_what_a_process_that_only_takes_requests_leads_to_can_be_posted_only(transport: str) -> None:
    settings = msgspec.structs.replace(ShopSettings(), transport=transport, internal=InternalSettings(receive=False))
    with pytest.raises(SettingsError, match=r"SAGAMART_INTERNAL_RECEIVE=false .*set SAGAMART_TRANSPORT=http"):
        async with transport_of(settings, ALL):
            pass


async def test_a_process_that_only_takes_requests_says_where_its_own_services_take_messages(keys: Path) -> None:
    with pytest.raises(SettingsError, match=r"does not say where .*orders"):
        async with transport_of(only_asking(keys, "stock=http://stock:9000", "wallet=http://wallet:9000"), ["orders"]):
            pass


async def test_a_process_that_only_takes_requests_listens_for_no_messages(keys: Path) -> None:
    settings = only_asking(keys, "http://{service}:9000", host="192.0.2.1")  # an address that no machine has, RFC 5737
    async with transport_of(settings, ["orders"]) as travel, travel.receiving():
        assert isinstance(travel.transport, HttpTransport)


@pytest.mark.parametrize(
    ("destinations", "words"),
    [
        (["http://stock:9000"], "names no service"),
        (["stock=ftp://stock"], "is no URL"),
        (["stock=http://stock:9000"], "does not say where .*wallet.* is; add .*=http://HOST:PORT"),
        ([], "does not say where"),
    ],
)
async def test_a_destination_that_is_wrong_or_missing_is_named(keys: Path, destinations: list[str], words: str) -> None:
    with pytest.raises(SettingsError, match=f"SAGAMART_INTERNAL_DESTINATIONS=.*{words}"):
        async with transport_of(settings_with(keys, *destinations), ["orders"]):
            pass


async def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceKeyError, match=r"orders\.pem.*sagamart service-keys"):
        async with transport_of(settings_with(tmp_path, "http://{service}:9000"), ["orders"]):
            pass


async def test_an_address_on_which_it_cannot_listen_is_named(keys: Path) -> None:
    internal = InternalSettings(host="192.0.2.1", port=9000, keys=str(keys))  # an address that no machine has, RFC 5737
    settings = msgspec.structs.replace(ShopSettings(), transport="http", internal=internal)
    async with transport_of(settings, ["orders"]) as travel:
        with pytest.raises(SettingsError, match=r"SAGAMART_INTERNAL_PORT=9000: cannot listen on 192\.0\.2\.1:9000"):
            async with travel.receiving():
                pass
