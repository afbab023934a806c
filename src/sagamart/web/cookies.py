"""Cookies of the pages.  None of them can be read by scripts, and none is sent along from another site.

Rules:
- Where browsers come by https, cookies are Secure and named `__Host-…`, so that no other host can plant one.
- SameSite=Lax: whoever comes back from the bank's page is still logged in.
"""

import re
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

PREFIX = "__Host-"
CHOICE_S = 31_536_000
"""For so long language and colours stay as chosen."""

_PLAIN = re.compile(r"[!#-+\--:<-\[\]-~]*")
"""What a cookie's value may hold (RFC 6265, 4.1.1)."""


class Cookies:
    """The cookies that a browser sent, and those to be sent back."""

    def __init__(self, header: str, *, https: bool) -> None:
        self._https = https
        self._sent = _parsed(header)
        self._changes: dict[str, str] = {}

    def read(self, name: str) -> str:
        """A cookie's value; empty where there is none."""
        return self._sent.get(self._full(name), "")

    def set(self, name: str, value: str, *, age_s: int | None = None) -> None:
        """Send a cookie, for so long or until the browser is closed.  Raises ValueError for what no cookie holds."""
        if not _PLAIN.fullmatch(value):
            raise ValueError(f"no cookie can hold what {name} is to be")
        age = "" if age_s is None else f"; Max-Age={age_s}"
        secure = "; Secure" if self._https else ""
        full = self._full(name)
        self._sent[full] = value
        self._changes[full] = f"{full}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"

    def drop(self, name: str) -> None:
        """Have the browser forget a cookie, if it has it."""
        if self._full(name) in self._sent:
            self.set(name, "", age_s=0)
            del self._sent[self._full(name)]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What is sent back."""
        return [(b"set-cookie", line.encode("latin-1")) for line in self._changes.values()]

    def _full(self, name: str) -> str:
        return f"{PREFIX}{name}" if self._https else name


def _parsed(header: str) -> dict[str, str]:
    found: Mapping[str, str] = {}
    try:
        found = {name: one.value for name, one in SimpleCookie(header).items()}
    except CookieError:
        return {}
    return dict(found)
