"""What every page of the shop is built on: forms that no other site can send, cookies, headers, languages, errors."""

import hashlib
import tomllib
from pathlib import Path
from re import findall
from string import Formatter
from typing import Any

import httpx
import pytest

from sagamart.platform.http import Language
from sagamart.web import WebSection, money, texts
from sagamart.web.static_files import addresses
from web_shop import open_pages

WEB = Path("src/sagamart/web")
TOKENS = {"access_token": "access-2", "token_type": "Bearer", "expires_in": 600, "refresh_token": "refresh-2"}


def test_a_form_without_the_visitors_token_is_refused() -> None:
    with open_pages() as shop:
        shop.look("/login")

        answer = shop.browser.post("/login", data={"email": "anna@sagamart.example", "password": "sagamart-demo"})

        assert answer.status_code == 403
        assert "too old, or did not come from this page" in answer.text
        assert not shop.api.asked


def test_a_form_with_a_token_of_somebody_else_is_refused() -> None:
    with open_pages() as shop:
        shop.look("/login")

        answer = shop.browser.post("/login", data={"csrf": "A" * 22, "email": "a@b.example", "password": "x"})

        assert answer.status_code == 403
        assert not shop.api.asked


def test_a_form_that_another_site_sends_is_refused_even_with_the_right_token() -> None:
    with open_pages() as shop:
        shop.browser.headers["Sec-Fetch-Site"] = "cross-site"

        answer = shop.send("/preferences", theme="dark", back="/")

        assert answer.status_code == 403


def test_tokens_are_kept_where_no_script_sees_them() -> None:
    with open_pages(WebSection(https=True), "https://shop.example") as shop:
        shop.log_in()
        sent = [one for one in _cookies_of_login(shop) if "access-1" in one or "refresh-1" in one]

        assert len(sent) == 2
        for one in sent:
            assert one.startswith("__Host-")
            assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= set(one.split("; "))
        assert "access-1" not in shop.look("/").text


def _cookies_of_login(shop: Any) -> list[str]:
    answer = shop.send("/login", email="anna@sagamart.example", password="sagamart-demo")
    found: list[str] = answer.headers.get_list("set-cookie")
    return found


def test_over_plain_http_cookies_have_no_name_that_browsers_would_refuse() -> None:
    with open_pages() as shop:
        shop.log_in()

        assert shop.browser.cookies["access"] == "access-1"
        assert shop.browser.cookies["refresh"] == "refresh-1"


def test_an_access_token_that_has_run_out_is_renewed_by_the_refresh_token() -> None:
    with open_pages() as shop:
        shop.log_in()
        shop.browser.cookies.delete("access")
        shop.answers["POST /v1/tokens/refresh"] = {**TOKENS, "refresh_expires_at": "2999-01-01T00:00:00Z"}

        shop.look("/")

        assert shop.api.body("POST /v1/tokens/refresh") == {"refresh_token": "refresh-1"}
        assert shop.api.last("GET /v1/products").headers["authorization"] == "Bearer access-2"
        assert shop.browser.cookies["refresh"] == "refresh-2"


def test_a_log_in_that_has_ended_is_forgotten_and_the_visitor_browses_on() -> None:
    with open_pages() as shop:
        shop.log_in()
        shop.browser.cookies.delete("access")
        shop.answers["POST /v1/tokens/refresh"] = (401, "session_invalid")

        answer = shop.look("/")

        assert answer.status_code == 200
        assert "authorization" not in shop.api.last("GET /v1/products").headers
        assert "refresh" not in shop.browser.cookies


def test_logging_out_ends_the_log_in_at_the_shop_too() -> None:
    with open_pages() as shop:
        shop.log_in()
        shop.answers["POST /v1/tokens/revocation"] = {}

        answer = shop.send("/logout")

        assert shop.api.body("POST /v1/tokens/revocation") == {"refresh_token": "refresh-1"}
        assert answer.headers["location"] == "/"
        assert "access" not in shop.browser.cookies


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/a\nb", ""])
def test_no_form_leads_to_another_site(back: str) -> None:
    with open_pages() as shop:
        assert shop.send("/preferences", theme="dark", back=back).headers["location"] == "/"


def test_a_path_of_this_site_is_gone_back_to() -> None:
    with open_pages() as shop:
        assert shop.send("/preferences", theme="dark", back="/?q=tea").headers["location"] == "/?q=tea"


def test_pages_may_run_and_paint_nothing_but_files_of_this_site() -> None:
    with open_pages() as shop:
        answer = shop.look("/")
        policy = dict(one.strip().split(" ", 1) for one in answer.headers["content-security-policy"].split(";"))

        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in answer.headers


def test_no_template_has_a_script_or_a_style_in_its_text() -> None:
    for template in sorted((WEB / "templates").rglob("*.*")):
        text = template.read_text(encoding="utf-8")
        assert not findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text), template.name


def test_pages_speak_the_language_that_the_browser_reads_until_another_is_chosen() -> None:
    with open_pages() as shop:
        assert '<html lang="en"' in shop.look("/").text
        assert '<html lang="ru"' in shop.look("/", **{"Accept-Language": "ru-RU,ru;q=0.9"}).text

        shop.send("/preferences", language="ru", back="/")

        assert '<html lang="ru"' in shop.look("/", **{"Accept-Language": "en"}).text
        assert shop.api.last("GET /v1/products").headers["accept-language"] == "ru"


def test_colours_stay_as_they_were_chosen() -> None:
    with open_pages() as shop:
        shop.send("/preferences", theme="dark", back="/")

        assert 'data-theme="dark"' in shop.look("/").text


def test_every_text_is_there_in_both_languages_with_the_same_facts() -> None:
    for key, text in texts.all_texts().items():
        forms = {language: [one] if isinstance(one, str) else one for language, one in text.items()}
        facts = {name for one in forms["en"] for _, name, _, _ in Formatter().parse(one) if name}
        assert all(one.strip() for one in [*forms["en"], *forms["ru"]]), key
        assert isinstance(text["en"], str) == isinstance(text["ru"], str), key
        assert isinstance(text["en"], str) or (len(forms["en"]), len(forms["ru"])) == (2, 3), key
        for one in forms["ru"]:
            assert {name for _, name, _, _ in Formatter().parse(one) if name} <= facts, key


def test_every_text_that_a_template_names_exists() -> None:
    for template in sorted((WEB / "templates").rglob("*.html")):
        for key in findall(r"""\bt\("([a-z_.0-9]+)"[,)]""", template.read_text(encoding="utf-8")):
            assert texts.is_text(key), f"{template.name}: {key}"


@pytest.mark.parametrize(("count", "form"), [(1, 0), (2, 1), (5, 2), (11, 2), (21, 0), (22, 1), (112, 2), (0, 2)])
def test_russian_has_three_forms_for_a_number(count: int, form: int) -> None:
    assert texts.plural("ru", count) == form


@pytest.mark.parametrize(
    ("amount_minor", "currency", "language", "shown"),
    [
        (123_450, "RUB", "en", "₽1,234.50"),
        (123_450, "RUB", "ru", "1\u202f234,50\xa0₽"),
        (1_234, "JPY", "en", "¥1,234"),
        (1_234, "JPY", "ru", "1\u202f234\xa0¥"),
        (1_234, "KWD", "en", "KWD\xa01.234"),
        (-5, "EUR", "en", "\u2212€0.05"),
    ],
)
def test_money_has_as_many_decimals_as_its_currency(
    amount_minor: int, currency: str, language: Language, shown: str
) -> None:
    assert money.shown(amount_minor, currency, language) == shown


@pytest.mark.parametrize(
    ("typed", "currency", "amount_minor"),
    [
        ("1 234,50", "RUB", 123_450),
        ("12", "RUB", 1_200),
        ("12", "JPY", 12),
        ("12.5", "JPY", None),
        ("1.234", "KWD", 1_234),
        ("1.234", "RUB", None),
        ("-5", "RUB", None),
        ("1e9", "RUB", None),
        ("", "RUB", None),
    ],
)
def test_what_somebody_types_is_an_exact_amount_or_none(typed: str, currency: str, amount_minor: int | None) -> None:
    assert money.typed(typed, currency) == amount_minor


def test_a_page_that_is_not_there_says_so_in_the_visitors_language() -> None:
    with open_pages() as shop:
        answer = shop.look("/attic", **{"Accept-Language": "ru"})

        assert answer.status_code == 404
        assert "Здесь ничего нет" in answer.text


def test_a_shop_that_cannot_be_reached_is_told_and_nothing_of_the_inside_with_it() -> None:
    with open_pages() as shop:
        shop.answers["GET /v1/products"] = httpx.ConnectError("connection refused by 10.0.0.7")

        answer = shop.look("/")

        assert answer.status_code == 503
        assert "The shop cannot be reached just now" in answer.text
        assert "10.0.0.7" not in answer.text


def test_what_a_page_does_not_expect_is_told_without_its_inside() -> None:
    with open_pages() as shop:
        shop.answers["GET /v1/products"] = {"secret": "inside"}

        answer = shop.look("/")

        assert answer.status_code == 500
        assert "Something went wrong on our side" in answer.text
        assert "inside" not in answer.text.replace("Something went wrong on our side", "")


def test_a_file_is_kept_for_ever_under_a_name_that_holds_its_sum() -> None:
    with open_pages() as shop:
        answer = shop.look(addresses()["site.css"], **{"Accept-Encoding": "gzip"})

        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        assert "font-face" in answer.text
        assert shop.look("/static/site.css").status_code == 404


def test_what_comes_from_elsewhere_is_what_its_list_says() -> None:
    listed = tomllib.loads((WEB / "vendor/manifest.toml").read_text(encoding="utf-8"))["file"]
    there = {one.name for one in (WEB / "vendor").iterdir() if one.suffix in {".js", ".css", ".woff2"}}

    assert {one["name"] for one in listed} == there
    for one in listed:
        assert hashlib.sha256((WEB / "vendor" / one["name"]).read_bytes()).hexdigest() == one["sha256"], one["name"]
        assert one["version"]
        assert one["licence"]
