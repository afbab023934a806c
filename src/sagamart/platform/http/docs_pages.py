"""The API's documents and their pages: `/openapi.json`, `/docs`, and the same for each service.  They need no internet.

The documents are made when first asked for: a process that nobody asks does not pay for them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler

from sagamart.platform.http.problems import NotFound

SWAGGER_VERSION = "5.35.0"
ASSETS: Mapping[str, tuple[str, str]] = {
    "swagger-ui.css": ("vendor/swagger_ui/swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": ("vendor/swagger_ui/swagger-ui-bundle.js", "text/javascript"),
    "start.js": ("docs_start.js", "text/javascript"),
}
_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/{version}/swagger-ui.css">
</head>
<body>
<nav>{links}</nav>
<div id="swagger" data-url="{url}"></div>
<script src="/docs/{version}/swagger-ui-bundle.js"></script>
<script src="/docs/{version}/start.js"></script>
</body>
</html>
"""


def docs_routes(services: Sequence[str], write: Callable[[str | None], bytes]) -> list[HTTPRouteHandler]:
    """The routes; `write` makes the document of a service, or of all (None)."""
    written = cache(write)

    def known(name: str) -> str:
        if name not in services:
            raise NotFound(f"No service {name!r} runs here")
        return name

    def page(title: str, url: str) -> Response[str]:
        pages = {"all": "/docs", **{name: f"/services/{name}/docs" for name in services}}
        links = " · ".join(f'<a href="{address}">{name}</a>' for name, address in pages.items())
        text = _PAGE.format(title=title, version=SWAGGER_VERSION, links=links, url=url)
        return Response(text, media_type=MediaType.HTML, headers={"Content-Security-Policy": _CONTENT_POLICY})

    @get("/openapi.json", include_in_schema=False)
    async def joined_document() -> Response[bytes]:
        return Response(written(None), media_type="application/json")

    @get("/services/{name:str}/openapi.json", include_in_schema=False)
    async def service_document(name: str) -> Response[bytes]:
        return Response(written(known(name)), media_type="application/json")

    @get("/docs", include_in_schema=False)
    async def joined_page() -> Response[str]:
        return page("sagamart", "/openapi.json")

    @get("/services/{name:str}/docs", include_in_schema=False)
    async def service_page(name: str) -> Response[str]:
        return page(f"sagamart: {known(name)}", f"/services/{name}/openapi.json")

    return [joined_document, service_document, joined_page, service_page, docs_asset]


@get(f"/docs/{SWAGGER_VERSION}/{{asset:str}}", include_in_schema=False)
async def docs_asset(asset: str) -> Response[bytes]:
    """A file of the page; its address holds the version, so that it may be kept for ever."""
    if asset not in ASSETS:
        raise NotFound
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(asset_bytes(asset), media_type=ASSETS[asset][1], headers=headers)


@cache
def asset_bytes(asset: str) -> bytes:
    """The file's content."""
    return files("sagamart.platform.http").joinpath(ASSETS[asset][0]).read_bytes()
