"""Templates: Jinja2, with every value escaped, and a missing one an error.

Beside what a page hands in, templates know `visit`, `t("key", …)`, `money`, `moment`, `asset("site.css")`.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sagamart.platform.http import Language
from sagamart.web import money
from sagamart.web.static_files import address_of

if TYPE_CHECKING:
    from sagamart.web.visit import Visit

MONTHS: Mapping[Language, tuple[str, ...]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "ru": ("янв.", "февр.", "марта", "апр.", "мая", "июня", "июля", "авг.", "сент.", "окт.", "нояб.", "дек."),
}
KEY_BYTES = 18

environment = Environment(
    loader=PackageLoader("sagamart.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def rendered(template: str, visit: "Visit", told: str, facts: Mapping[str, Any]) -> str:
    """The text of a template for a visit; `told` is the text that the page begins with."""
    language = visit.language

    def shown_money(amount_minor: int, currency: str) -> str:
        return money.shown(amount_minor, currency, language)

    def shown_moment(when: str) -> Markup:
        return moment(when, language)

    known = {"visit": visit, "t": visit.say, "told": told, "money": shown_money, "moment": shown_moment}
    return environment.get_template(template).render({**known, **facts})


def moment(when: str, language: Language) -> Markup:
    """A time of the API as `<time>`, in UTC; with scripts, browsers show it in their own zone."""
    at = datetime.fromisoformat(when).astimezone(UTC)
    day = f"{at.day} {MONTHS[language][at.month - 1]} {at.year}"
    return Markup('<time datetime="{}">{}, {:%H:%M} UTC</time>').format(at.isoformat(), day, at)


def new_key() -> str:
    """The idempotency key of a form: sent twice, it is one wish."""
    return secrets.token_urlsafe(KEY_BYTES)


environment.globals.update(asset=address_of, new_key=new_key, plain_money=money.plain)
