"""A visit: one request of a browser, with everything that a page needs to answer it.

    @get("/wallet")
    async def wallet(visit: Visit) -> Response[str]:
        return visit.page("wallet.html", wallet=await visit.api.get("/v1/wallet"))

Rules:
- Every form carries the visit's token, and is refused without it (`forms.py`): no other site can send one.
- Where a visitor goes on to is always a path of this site.
- The API is told a trace only where the pages make spans, or the browser has named one: any other would be one that
  nobody wants, and the API follows its clients' wishes.
"""

import re
import secrets
from typing import Any, Literal
from urllib.parse import quote, urlencode

import httpx
import msgspec
from litestar import MediaType, Request, Response

from sagamart.platform.http import Language
from sagamart.platform.http.languages import language_of
from sagamart.platform.http.tracing import trace_in
from sagamart.platform.traceparent import sent_trace
from sagamart.web import texts
from sagamart.web.api_client import Api, Origin, Renewals
from sagamart.web.cookies import CHOICE_S, Cookies
from sagamart.web.templates import rendered

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")

CSRF_BYTES = 16
SEE_OTHER = 303
BESIDE = "beside"
"""The cookie that says what the shop has that only a demonstration has."""

VISIT = "sagamart_visit"
"""Where a request's scope carries the visit."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path of this site: no other host, no backslash that a browser would read as a slash, no control character."""


class Pages(msgspec.Struct, frozen=True):
    """What all visits share."""

    http: httpx.AsyncClient
    https: bool = False
    traced: bool = False
    renewals: Renewals = msgspec.field(default_factory=Renewals)


class Visit:
    """One request of a browser."""

    def __init__(self, request: Request[Any, Any, Any], pages: Pages) -> None:
        self.request = request
        self.cookies = Cookies(request.headers.get("cookie", ""), https=pages.https)
        self.language = self._language()
        self.theme = self._theme()
        self.api = Api(pages.http, pages.renewals, self.cookies, self._origin(traced=pages.traced))
        self._told = self.cookies.read("told")

    @property
    def path(self) -> str:
        """Where the visitor is, with the question in it."""
        scope = self.request.scope
        query = scope["query_string"].decode("latin-1")
        path = quote(scope["path"], safe="/:@!$&'()*+,;=~-._")
        return f"{path}?{query}" if query else path

    @property
    def is_fragment(self) -> bool:
        """Whether a script asks for a part of the page only."""
        headers = self.request.headers
        return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"

    @property
    def csrf(self) -> str:
        """The token that every form carries."""
        known = self.cookies.read("csrf")
        if not _TOKEN.fullmatch(known):
            known = secrets.token_urlsafe(CSRF_BYTES)
            self.cookies.set("csrf", known)
        return known

    @property
    def pieces(self) -> int:
        """How many pieces lie in the basket, as far as this browser was told last."""
        known = self.cookies.read("pieces")
        return int(known) if known.isascii() and known.isdecimal() else 0

    @property
    def roles(self) -> frozenset[str]:
        """The visitor's roles at log-in, to show the right links by; what they may do, the API decides."""
        return frozenset(filter(None, self.cookies.read("roles").split(".")))

    @property
    def is_staff(self) -> bool:
        """Whether the visitor works in the shop, as far as this browser was told."""
        return bool(self.roles - {"CUSTOMER"})

    @property
    def beside(self) -> frozenset[str]:
        """What the shop has that only a demonstration has, as far as this browser was told."""
        return frozenset(filter(None, self.cookies.read(BESIDE).split(".")))

    def keep_beside(self, name: str, *, there: bool) -> None:
        """Keep in mind whether the shop has this."""
        known = self.beside - {name} | ({name} if there else set())
        if not known:
            self.cookies.drop(BESIDE)
        elif known != self.beside:
            self.cookies.set(BESIDE, ".".join(sorted(known)))

    def question(self, name: str) -> str:
        """A field of the address's question; empty where there is none."""
        return str(self.request.query_params.get(name, "")).strip()

    def path_of(self, *parts: str) -> str:
        """A path whose further parts are names as they come, such as a sku."""
        return "/".join([parts[0], *(quote(part, safe="") for part in parts[1:])])

    def is_at(self, path: str) -> bool:
        """Whether the visitor is at this page, or below it."""
        now: str = self.request.scope["path"]
        return now == path or (path != "/" and now.startswith(f"{path}/"))

    def say(self, key: str, **facts: Any) -> str:
        """A text in the visitor's language."""
        return texts.said(self.language, key, **facts)

    def page(self, template: str, *, status: int = 200, **facts: Any) -> Response[str]:
        """A page, or a part of one, from a template in `templates/`."""
        told = "" if self.is_fragment else self._told
        if told:
            self.cookies.drop("told")
        content = rendered(template, self, told if texts.is_text(told) else "", facts)
        headers = {"Vary": "HX-Request, Cookie, Accept-Language", "Content-Language": self.language}
        return Response(content, status_code=status, media_type=MediaType.HTML, headers=headers)

    def go(self, path: str, *, told: str = "", **query: str) -> Response[None]:
        """On to another page of this site, which says the text of this key first."""
        if told:
            self.cookies.set("told", told)
        target = f"{here(path)}?{urlencode(query)}" if query else here(path)
        return Response(None, status_code=SEE_OTHER, headers={"Location": target})

    def choose(self, *, language: str = "", theme: str = "") -> None:
        """Have pages in this language, or these colours, from now on; what there is not is ignored."""
        if language in texts.LANGUAGES:
            self.cookies.set("language", language, age_s=CHOICE_S)
        if theme in THEMES:
            self.cookies.set("theme", theme, age_s=CHOICE_S)

    def leave(self) -> None:
        """Forget who the visitor was."""
        self.api.forget()
        for name in ("roles", "pieces", BESIDE):
            self.cookies.drop(name)
        self.renew_csrf()

    def renew_csrf(self) -> None:
        """Use another token from now on: after logging in, nobody may know it from before."""
        self.cookies.set("csrf", secrets.token_urlsafe(CSRF_BYTES))

    def _origin(self, *, traced: bool) -> Origin:
        scope: Any = self.request.scope
        client = (scope.get("client") or ("",))[0]
        before = self.request.headers.get("x-forwarded-for")
        headers = {"Accept-Language": self.language, "X-Forwarded-For": f"{before}, {client}" if before else client}
        trace = trace_in(scope) if traced else sent_trace(scope["headers"])
        return Origin(client, headers if trace is None else {**headers, "traceparent": trace})

    def _language(self) -> Language:
        chosen = self.cookies.read("language")
        accepted = language_of(self.request.headers.get("accept-language", ""))
        return next((one for one in texts.LANGUAGES if one == chosen), accepted)

    def _theme(self) -> Theme:
        chosen = self.cookies.read("theme")
        return next((one for one in THEMES if one == chosen), "auto")


def here(path: str, otherwise: str = "/") -> str:
    """`path` if it is one of this site."""
    return path if _PATH.fullmatch(path) else otherwise


def visit_of(request: Request[Any, Any, Any]) -> Visit:
    """The `visit` of a handler: one for each request."""
    scope: Any = request.scope
    known = scope.get(VISIT)
    if known is None:
        known = scope[VISIT] = Visit(request, request.app.state["pages"])
    return known  # type: ignore[no-any-return]  # the scope is a dict of anything
