"""Forms: what browsers send back.

Rules:
- Every form is checked before any page sees it: its token must be the one in the visitor's cookie, and a browser that
  says that another site sends it is believed.
- A field that was not sent is empty.
"""

import hmac
from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.datastructures import UploadFile

from sagamart.web.visit import visit_of

FORM_BYTES_MAX = 6 * 1024 * 1024
"""A form with a photo in it; the API has its own, tighter bounds."""

SHEET_FORM_BYTES_MAX = 17 * 1024 * 1024
"""A form with a file of products in it: the 16 MiB that the API takes, and what a form adds to a file."""

FORM = "sagamart_form"
UNSAFE = frozenset(("POST", "PUT", "PATCH", "DELETE"))


class FormRefusedError(Exception):
    """The form is not one that this browser got from us."""


class Form:
    """The fields of a form."""

    def __init__(self, fields: Mapping[str, list[Any]]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """A field's text, without the space around it."""
        return self.raw(name).strip()

    def raw(self, name: str) -> str:
        """A field's text as it was typed, such as a password's."""
        found = [one for one in self._fields.get(name, ()) if isinstance(one, str)]
        return found[0] if found else ""

    def texts(self, name: str) -> list[str]:
        """All fields of one name."""
        return [one.strip() for one in self._fields.get(name, ()) if isinstance(one, str)]

    def number(self, name: str) -> int | None:
        """A field's whole number; None where it is none."""
        text = self.text(name)
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004  digits

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self._fields.get(name))

    def file(self, name: str) -> UploadFile | None:
        """A file that was chosen."""
        found = [one for one in self._fields.get(name, ()) if isinstance(one, UploadFile)]
        return found[0] if found and found[0].filename else None

    def fields(self, *names: str) -> dict[str, str]:
        """These fields' texts, to be shown again."""
        return {name: self.text(name) for name in names}


async def read_form(request: Request[Any, Any, Any]) -> None:
    """Read a form before its handler does.  Raises FormRefusedError."""
    if request.method not in UNSAFE:
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise FormRefusedError
    sent = await request.form()
    form = Form({name: sent.getall(name) for name in sent})
    visit = visit_of(request)
    if not hmac.compare_digest(form.raw("csrf").encode(), visit.csrf.encode()):
        raise FormRefusedError
    scope: Any = request.scope
    scope[FORM] = form


def form_of(request: Request[Any, Any, Any]) -> Form:
    """The `form` of a handler."""
    scope: Any = request.scope
    form: Form = scope[FORM]
    return form
