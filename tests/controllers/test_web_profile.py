"""The profile's page over an API that a test plays: what one logs in with is changed with the present password."""

from web_examples import fill
from web_shop import open_pages


def test_another_password_is_wished_for_as_it_was_typed() -> None:
    with open_pages() as shop:
        fill(shop)
        shop.answers["PUT /v1/me/password"] = {}

        answer = shop.send("/profile/password", current_password=" old words ", password=" new words ")

        assert answer.headers["location"] == "/profile"
        assert shop.api.body("PUT /v1/me/password") == {"current_password": " old words ", "password": " new words "}
        assert "Your other log-ins have ended" in shop.look("/profile").text


def test_another_e_mail_waits_for_its_letter_and_the_page_says_so() -> None:
    with open_pages() as shop:
        fill(shop)
        shop.answers["POST /v1/me/email"] = {}

        shop.send("/profile/email", email=" anna@new.example ", email_password="old words")

        wanted = {"email": "anna@new.example", "current_password": "old words"}
        assert shop.api.body("POST /v1/me/email") == wanted
        page = shop.look("/profile").text
        assert "A letter is on its way to the new e-mail" in page
        assert "anna@new.example waits for your confirmation" in page


def test_a_wrong_present_password_is_said_in_the_readers_language_and_logs_nobody_out() -> None:
    with open_pages() as shop:
        fill(shop)
        shop.answers["PUT /v1/me/password"] = (403, "wrong_password")

        answer = shop.send("/profile/password", current_password="a guess", password="new words")

        assert answer.headers["location"] == "/profile"
        assert "не ваш нынешний пароль" in shop.look("/profile", **{"Accept-Language": "ru"}).text
