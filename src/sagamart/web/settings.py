"""What an installation says about its pages."""

from typing import Annotated, Literal

from msgspec import Meta

from sagamart.platform.settings import Section


class WebSection(Section, frozen=True):
    """The pages for people."""

    pages: Annotated[
        Literal["on", "off"],
        Meta(description="Whether a process that runs the whole shop (or its front door) serves the pages for people"),
    ] = "on"
    api_url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s]+$(?!\n)",
            description="Where `sagamart serve web` finds the API: the address of the shop's front door",
        ),
    ] = "http://127.0.0.1:8080"
    https: Annotated[
        bool,
        Meta(description="Whether browsers reach the pages by https only: cookies are Secure and named __Host- then"),
    ] = False
