"""Problems, as sentences that say what to do.

Each code of the API that a visitor can meet has a text `problem.<code>`; for any other its status says enough.
"""

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from sagamart.platform.http import Problem
from sagamart.web import texts
from sagamart.web.api_client import UNAUTHENTICATED, ApiProblem
from sagamart.web.forms import FormRefusedError
from sagamart.web.visit import Visit, visit_of

NOT_FOUND = 404
SERVER_ERRORS = 500


def key_of(problem: ApiProblem) -> str:
    """The key of the text for a problem."""
    for key in (f"problem.{problem.code}", f"problem.status_{problem.status}"):
        if texts.is_text(key):
            return key
    return "problem.unreachable" if problem.status >= SERVER_ERRORS else "problem.refused"


def page_of(visit: Visit, problem: ApiProblem) -> Response[Any]:
    """The page for a problem; who has to log in is sent there, and back."""
    if problem.status == UNAUTHENTICATED:
        back = visit.path if visit.request.method == "GET" else "/"
        return visit.go("/login", told="login.needed", back=back)
    return visit.page("problem.html", status=problem.status, title_key=_title(problem.status), text_key=key_of(problem))


def _title(status: int) -> str:
    if status == NOT_FOUND:
        return "problem.title_not_found"
    return "problem.title_failed" if status >= SERVER_ERRORS else "problem.title_refused"


def _refused_by_api(request: Request[Any, Any, Any], problem: ApiProblem) -> Response[Any]:
    return page_of(visit_of(request), problem)


def _refused_form(request: Request[Any, Any, Any], _error: FormRefusedError) -> Response[Any]:
    return page_of(visit_of(request), ApiProblem(403, "form_refused"))


def _own(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    return page_of(visit_of(request), ApiProblem(problem.status, problem.code))


def _framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if error.status_code >= SERVER_ERRORS:
        return _unexpected(request, error)
    return page_of(visit_of(request), ApiProblem(error.status_code, ""))


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    structlog.get_logger("sagamart.web").error("page failed", path=request.scope.get("path"), exc_info=error)
    return page_of(visit_of(request), ApiProblem(500, "internal_error"))


HANDLERS: dict[int | type[Exception], Any] = {
    ApiProblem: _refused_by_api,
    FormRefusedError: _refused_form,
    Problem: _own,
    HTTPException: _framework,
    Exception: _unexpected,
}
"""How each exception is answered, for `Litestar(exception_handlers=…)`."""
