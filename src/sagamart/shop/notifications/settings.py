"""What an installation says about its channels."""

from typing import Annotated, Literal

from msgspec import Meta

from sagamart.platform.settings import Section


class EmailSection(Section, frozen=True):
    """The mail server.  Without a host nothing is mailed: messages are kept for the list."""

    host: Annotated[str, Meta(description="SMTP server; empty: no e-mail, messages are kept for the list only")] = ""
    port: Annotated[int, Meta(ge=1, le=65535, description="Its port")] = 587
    tls: Annotated[
        Literal["starttls", "tls", "none"], Meta(description="TLS after a greeting, from the first byte, or not at all")
    ] = "starttls"
    user: Annotated[str, Meta(description="Who logs in there; empty: nobody")] = ""
    password: Annotated[str, Meta(description="With which password", extra={"secret": True})] = ""
    sender: Annotated[
        str, Meta(pattern=r"^[^@\s]+@[^@\s]+$(?!\n)", description="The address that letters come from")
    ] = "shop@sagamart.example"
    pages: Annotated[
        str, Meta(pattern=r"^https?://[^\s]+$(?!\n)", description="Address of the pages that letters link to")
    ] = "http://127.0.0.1:8080"
    give_up_s: Annotated[
        float, Meta(ge=1, le=604_800, description="Seconds after which a letter that cannot be sent is given up")
    ] = 86_400.0
    repeat_s: Annotated[
        float,
        Meta(ge=0, le=3_600, description="Seconds before a letter that may or may not have gone out is sent again"),
    ] = 60.0


class SmsSection(Section, frozen=True):
    """The gateway for SMS.  Without an address no SMS goes out."""

    url: Annotated[
        str, Meta(pattern=r"^(https?://[^\s]+)?$(?!\n)", description="Gateway that takes SMS as JSON; empty: no SMS")
    ] = ""
    secret: Annotated[
        str,
        Meta(description="What requests to it are signed with: whsec_ and base64", extra={"secret": True}),
    ] = ""
    give_up_s: Annotated[
        float, Meta(ge=1, le=604_800, description="Seconds after which an SMS that cannot be sent is given up")
    ] = 3600.0


class WebhookSection(Section, frozen=True):
    """Where news of orders may be posted to, by subscription."""

    hosts: Annotated[
        tuple[str, ...], Meta(description="Hosts that webhooks may go to; empty: any on the public internet")
    ] = ()
    private: Annotated[
        bool,
        Meta(description="Whether they may go into private networks too, and by plain HTTP, as in a demonstration"),
    ] = False
    retry_s: Annotated[
        float,
        Meta(gt=0, le=3_600, description="Seconds before a failed delivery is tried again; each time three times that"),
    ] = 5.0
