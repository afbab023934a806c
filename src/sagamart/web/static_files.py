"""Styles, scripts and pictures that are files: each under a name that holds its content's sum, so that it may be kept.

What comes from elsewhere is in `vendor/`, with its origin in `vendor/manifest.toml`; what is our own is in `static/`.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from litestar import Request, Response, get

from sagamart.platform.http import NotFound

FOLDERS = ("static", "vendor")
MEDIA_TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webp": "image/webp",
    "woff2": "font/woff2",
}
KEPT = "public, max-age=31536000, immutable"
SUM_CHARS = 12

_NAMED = re.compile(rb'url\("([^"/:]+)"\)')


@cache
def contents() -> Mapping[str, bytes]:
    """Every file by its own name; where a style names another file, it names its address."""
    found: dict[str, bytes] = {}
    for folder in FOLDERS:
        for file in files("sagamart.web").joinpath(folder).iterdir():
            if file.name.rpartition(".")[2] in MEDIA_TYPES:
                found[file.name] = file.read_bytes()
    plain = {name: content for name, content in found.items() if not name.endswith(".css")}
    styles = {name: _NAMED.sub(lambda one: _address_in(plain, one[1]), found[name]) for name in found.keys() - plain}
    return {**plain, **styles}


@cache
def addresses() -> Mapping[str, str]:
    """Where each file is: `site.css` -> `/static/site.0123456789ab.css`."""
    return {name: f"/static/{_hashed(name, content)}" for name, content in contents().items()}


def address_of(name: str) -> str:
    """Where a file is.  Raises KeyError where there is none of this name."""
    return addresses()[name]


@get("/static/{name:str}")
async def static_file(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    """A file under its hashed name, packed for whoever can unpack it; under any other name there is none."""
    own = next((one for one, address in addresses().items() if address == f"/static/{name}"), None)
    if own is None:
        raise NotFound
    kind = MEDIA_TYPES[own.rpartition(".")[2]]
    headers = {"Cache-Control": KEPT, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(contents()[own], media_type=kind, headers=headers)
    return Response(packed(own), media_type=kind, headers={**headers, "Content-Encoding": "gzip"})


@cache
def packed(name: str) -> bytes:
    """The same content, packed."""
    return gzip.compress(contents()[name], mtime=0)


def _address_in(plain: Mapping[str, bytes], named: bytes) -> bytes:
    name = named.decode()
    return f'url("/static/{_hashed(name, plain[name])}")'.encode()


def _hashed(name: str, content: bytes) -> str:
    stem, _, kind = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:SUM_CHARS]}.{kind}"
