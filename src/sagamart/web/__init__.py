"""The pages for people: storefront, a customer's cabinet, the operators' console.

They use the public HTTP API only, with the visitor's own token: whatever a page can do, a program can do too, and no
rule is written down twice.
"""

from sagamart.web.application import build_pages
from sagamart.web.in_process import InProcess
from sagamart.web.settings import WebSection
from sagamart.web.site import Site

__all__ = ["InProcess", "Site", "WebSection", "build_pages"]
