"""Photos of products: what counts as one, and its routes.

Rules:
- The first bytes say what a picture is; what the client calls it is not asked.
- A photo's name is the digest of its bytes, so it may be kept by every cache for ever.
- Photos of 1 MiB at most (the bound of all bodies); `UPLOADS_MAX` are taken in at a time.
"""

import asyncio
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

from litestar import Request, Response, delete, get, put
from litestar.params import PathParameter

from sagamart.contracts.catalogue import SKU_PATTERN
from sagamart.messaging.requests import Overloaded
from sagamart.platform.http import Ask, Caller, NotFound, Problem, Queries, roles
from sagamart.shop.catalogue.messages import HidePhoto, ShowPhoto
from sagamart.shop.catalogue.records import Product

UPLOADS_MAX = 4
FRESH_S = 31_536_000
"""A year: the longest that caches honour (RFC 9111 knows no for ever)."""

MEDIA_TYPES: Mapping[str, str] = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}

SkuInPath = Annotated[str, PathParameter(pattern=SKU_PATTERN)]
PhotoId = Annotated[
    str, PathParameter(pattern=r"^[0-9a-f]{64}\.(png|jpg|webp)$(?!\n)", description="A product's `photo`")
]

_uploads = asyncio.Semaphore(UPLOADS_MAX)


def kind_of(content: bytes) -> str | None:
    """What a picture is by its signature: png, jpg, webp; None for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    return None


def photo_id_of(content: bytes) -> str | None:
    """The id of a photo with these bytes; None where they are no picture that is taken."""
    kind = kind_of(content)
    return None if kind is None else f"{sha256(content).hexdigest()}.{kind}"


@put(
    "/v1/products/{sku:str}/photo",
    guards=[roles("OPERATOR", "ADMIN")],
    opt={"takes": ("image/png", "image/jpeg", "image/webp")},
)
async def put_photo(
    request: Request[Any, Any, Any], sku: SkuInPath, ask: Ask, caller: Caller, expected_version: int
) -> Response[Product]:
    """Show a product by this picture: PNG, JPEG or WebP, its bytes as the body, under the product's If-Match."""
    if _uploads.locked():
        raise Overloaded
    async with _uploads:
        content = await request.body()
        photo_id = photo_id_of(content)
        if photo_id is None:
            raise Problem(415, "no_picture", "Send a PNG, JPEG or WebP picture")
        show = ShowPhoto(sku, caller.id, expected_version, photo_id, content)
        return await ask(show, content=(photo_id, expected_version))


@delete("/v1/products/{sku:str}/photo", guards=[roles("OPERATOR", "ADMIN")], status_code=200)
async def delete_photo(sku: SkuInPath, ask: Ask, caller: Caller, expected_version: int) -> Response[Product]:
    """Show a product without a photo, under its If-Match."""
    return await ask(HidePhoto(sku, caller.id, expected_version), content=expected_version)


@get("/v1/photos/{photo_id:str}", opt={"gives": tuple(MEDIA_TYPES.values()), "also": (304,)})
async def read_photo(request: Request[Any, Any, Any], photo_id: PhotoId, queries: Queries) -> Response[bytes]:
    """A photo's bytes, for caches to keep."""
    name, _, kind = photo_id.partition(".")
    headers = {"ETag": f'"{name}"', "Cache-Control": f"public, max-age={FRESH_S}, immutable"}
    if f'"{name}"' in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    content = await queries.photo_content(photo_id=photo_id)
    if content is None:
        raise NotFound("There is no such photo")
    return Response(content, media_type=MEDIA_TYPES[kind], headers=headers)


ROUTES = (put_photo, delete_photo, read_photo)
