"""Letters: a notification as an e-mail in its reader's language, as text and as HTML.

Rules:
- The HTML is escaped by itself; names of people and of products are nobody's markup.
- The Message-ID follows from the dispatch, so a letter that goes out twice is the same letter.
- A one-time link holds its token behind a `#`: what is there reaches no server's log.
"""

from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import blake2b

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from sagamart.contracts.accounts import Contact
from sagamart.messaging.message import Message
from sagamart.shop.notifications.messages import EmailRequested
from sagamart.shop.notifications.records import Kind
from sagamart.shop.notifications.words import GOOD, words

PAGES: dict[Kind, str] = {
    "email_confirmation": "confirm",
    "email_change": "confirm",
    "password_reset": "new-password",
}
"""Where the one-time link of a letter leads."""

_templates = Environment(
    loader=PackageLoader("sagamart.shop.notifications"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def link_of(kind: Kind, pages: str, token: str) -> str:
    """The address that a letter links to."""
    return f"{pages.rstrip('/')}/{PAGES[kind]}#token={token}"


def message_id_of(dispatch_id: str, sender: str) -> str:
    """The same for every attempt, and short, so that its header is not folded (RFC 5322, 3.6.4)."""
    return f"<{blake2b(dispatch_id.encode(), digest_size=16).hexdigest()}@{sender.rpartition('@')[2]}>"


def letter(message: Message[EmailRequested], contact: Contact, sender: str, link: str | None) -> EmailMessage:
    """The letter that a notification becomes."""
    asked = message.body
    said = words(asked.kind, asked.facts, contact.language)
    filled = {"title": said.title, "text": said.text, "name": contact.name, "link": link, "good": GOOD[asked.kind]}
    found = EmailMessage()
    found["Message-ID"] = message_id_of(asked.dispatch_id, sender)
    found["Date"] = format_datetime(message.at)
    found["From"] = sender
    found["To"] = contact.email
    found["Subject"] = said.title
    found["Content-Language"] = contact.language
    found["Auto-Submitted"] = "auto-generated"
    found.set_content(_templates.get_template(f"{contact.language}/letter.txt").render(filled))
    found.add_alternative(_templates.get_template(f"{contact.language}/letter.html").render(filled), subtype="html")
    return found
