"""The routes of the customer's page."""

from typing import Any
from urllib.parse import parse_qs

from litestar import MediaType, Request, Response, get, post

from sagamart.bank import page
from sagamart.bank.api import Desk
from sagamart.bank.cards import kind_of, plain
from sagamart.bank.records import PaymentRecord
from sagamart.platform.http import Language, Malformed

FORM_FIELDS_MAX = 5


@get("/confirm/{token:str}", include_in_schema=False)
async def ask_customer(token: str, desk: Desk, language: Language) -> Response[str]:
    """The question, or what became of it."""
    payment, merchant = await desk.bank.by_token(token)
    return _html(payment, merchant, language)


@post("/confirm/{token:str}", include_in_schema=False, status_code=303)
async def hear_customer(token: str, request: Request[Any, Any, Any], desk: Desk, language: Language) -> Response[str]:
    """The customer's word; then back to the shop, or the outcome where there is no way back."""
    answer, card = _said(await request.body())
    payment, merchant = await desk.bank.by_token(token)
    needs_card = payment.status == "needs_confirmation" and payment.card is None
    if answer == "confirm" and needs_card and kind_of(card) is None:
        return _html(payment, merchant, language, "no_such_card")
    heard = await desk.bank.decide(payment.payment_id, "confirm" if answer == "confirm" else "decline", card)
    address = page.return_address(heard)
    if address is None:
        return _html(heard, merchant, language)
    return Response("", status_code=303, headers={"Location": address})


def _said(body: bytes) -> tuple[str, str]:
    """The button, and the card.  Raises Malformed for what is no form of ours."""
    try:
        fields = parse_qs(body.decode(), max_num_fields=FORM_FIELDS_MAX)
    except ValueError as error:
        raise Malformed("body", "is no form") from error
    answer = fields.get("answer", [""])[0]
    if answer not in ("confirm", "decline"):
        raise Malformed("answer", "confirm or decline")
    return answer, plain(fields.get("card", [""])[0])


def _html(payment: PaymentRecord, merchant: str, language: Language, note: page.Note = "") -> Response[str]:
    return Response(
        page.page(payment, merchant, language, note),
        status_code=422 if note else 200,
        media_type=MediaType.HTML,
        headers={
            "Content-Security-Policy": page.content_policy(payment),
            "Content-Language": language,
            "Referrer-Policy": "no-referrer",
        },
    )


ROUTES = (ask_customer, hear_customer)
