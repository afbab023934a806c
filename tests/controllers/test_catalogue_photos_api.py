"""Photos of products: taken by what they are, kept once, served for caches to keep."""

from hashlib import sha256

import httpx
import pytest
import pytest_asyncio

from sagamart.platform.http import Caller
from sagamart.shop.catalogue.api import ROUTES
from sagamart.shop.catalogue.service import CATALOGUE
from shop_fixtures import TOKENS, RunningService, Started

OPERATOR = Caller("cus_operator", frozenset({"OPERATOR"}))
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture"
JPEG = b"\xff\xd8\xff\xe0" + b"a picture"
WEBP = b"RIFF\x10\0\0\0WEBP" + b"a picture"


@pytest_asyncio.fixture
async def catalogue(started: Started) -> RunningService:
    service = await started(CATALOGUE, ROUTES)
    for sku in ("CUP", "MUG"):
        product = {"sku": sku, "title": sku, "price_minor": 1, "currency": "RUB"}
        (await service.post("/v1/products", product, caller=OPERATOR, key=None)).raise_for_status()
    return service


async def send(  # noqa: PLR0913  each is something of a request
    catalogue: RunningService,
    content: bytes,
    *,
    sku: str = "MUG",
    etag: str | None = '"1"',
    caller: Caller | None = OPERATOR,
    method: str = "PUT",
) -> httpx.Response:
    headers = {} if caller is None else {"Authorization": f"Bearer {TOKENS.sign(caller)}"}
    headers |= {"Content-Type": "text/html"} | ({} if etag is None else {"If-Match": etag})
    return await catalogue.http.request(method, f"/v1/products/{sku}/photo", content=content, headers=headers)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("content", "ending", "media_type"),
    [(PNG, "png", "image/png"), (JPEG, "jpg", "image/jpeg"), (WEBP, "webp", "image/webp")],
    ids=["png", "jpeg", "webp"],
)
async def test_a_picture_is_served_as_what_it_is_for_caches_to_keep(
    catalogue: RunningService, content: bytes, ending: str, media_type: str
) -> None:
    shown = (await send(catalogue, content)).json()
    assert (shown["photo"], shown["version"]) == (f"{sha256(content).hexdigest()}.{ending}", 2)
    answer = await catalogue.get(f"/v1/photos/{shown['photo']}")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    known = {"If-None-Match": answer.headers["etag"]}
    again = await catalogue.http.get(f"/v1/photos/{shown['photo']}", headers=known)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "content",
    [b"<svg onload=alert(1)>", b"<html>", b"GIF89a", b"RIFF....WAVE", b"a \x89PNG\r\n\x1a\n", b"\xff\xd8", b""],
)
async def test_what_is_no_picture_is_refused_whatever_it_calls_itself(
    catalogue: RunningService, content: bytes
) -> None:
    assert code(await send(catalogue, content)) == (415, "no_picture")
    assert await catalogue.rows("select * from photos") == []


async def test_a_picture_of_more_than_1_mib_is_refused(catalogue: RunningService) -> None:
    assert (await send(catalogue, PNG.ljust(1_048_576, b"."))).status_code == 200
    assert code(await send(catalogue, PNG.ljust(1_048_577, b"."), etag='"2"')) == (413, "too_large")


async def test_one_picture_of_two_products_is_kept_once(catalogue: RunningService) -> None:
    first, second = await send(catalogue, PNG), await send(catalogue, PNG, sku="CUP")
    assert first.json()["photo"] == second.json()["photo"]
    assert await catalogue.rows("select count(*) from photos") == [(1,)]


async def test_a_photo_is_put_and_taken_away_under_the_version_seen(catalogue: RunningService) -> None:
    await send(catalogue, PNG)
    assert code(await send(catalogue, JPEG)) == (412, "version_changed")
    assert code(await send(catalogue, JPEG, etag=None)) == (428, "version_required")
    assert code(await send(catalogue, b"", method="DELETE")) == (412, "version_changed")
    gone = await send(catalogue, b"", method="DELETE", etag='"2"')
    assert (gone.status_code, gone.json()["photo"], gone.json()["version"]) == (200, None, 3)


async def test_only_operators_and_administrators_put_photos(catalogue: RunningService) -> None:
    customer = Caller("cus_1", frozenset({"CUSTOMER"}))
    for method in ("PUT", "DELETE"):
        assert code(await send(catalogue, PNG, caller=None, method=method)) == (401, "unauthenticated")
        assert code(await send(catalogue, PNG, caller=customer, method=method)) == (403, "forbidden")


async def test_what_is_not_there_is_not_found(catalogue: RunningService) -> None:
    assert code(await send(catalogue, PNG, sku="PLATE")) == (404, "unknown_product")
    assert code(await catalogue.get(f"/v1/photos/{'0' * 64}.png")) == (404, "not_found")
    assert code(await catalogue.get("/v1/photos/..%2fsecret")) in ((400, "malformed"), (404, "not_found"))
