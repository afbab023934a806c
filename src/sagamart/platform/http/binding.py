"""Binding: a handler gets what it names (`ask`, `caller`, …) in one plain call, and is guarded before its body is read.

Litestar's own injection starts a task group where a handler names two things, and its guards copy the handler for each
request: together 40 % of what `POST /v1/orders` cost.  So the names are filled in here, and guards made by
`roles` and `logged_in` become one check before the request is parsed.
"""

import inspect
from collections.abc import Callable, Mapping
from copy import copy
from functools import wraps
from typing import Any, get_type_hints

import msgspec
from litestar import Request
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg

from sagamart.platform.http.bodies import DECODE
from sagamart.platform.http.callers import ROLES, let_in
from sagamart.platform.http.parameters import marked

GIVEN = "sagamart_given"
"""Where a bound route carries the names that are filled in: the API document reads them."""

Provider = Callable[[Request[Any, Any, Any]], Any]


def bind(route: HTTPRouteHandler, providers: Mapping[str, Provider]) -> HTTPRouteHandler:
    """The same route, its function's parameters of these names filled in, its guards of ours checked first."""
    bound = copy(route)
    given = tuple(name for name in inspect.signature(route.fn).parameters if name in providers)
    bound.opt = {**route.opt, GIVEN: given, DECODE: _decode(route)}
    ours = [guard for guard in route.guards or () if hasattr(guard, ROLES)]
    if ours:
        bound.guards = [guard for guard in route.guards or () if guard not in ours]
        bound.opt = {**bound.opt, ROLES: tuple(getattr(guard, ROLES) for guard in ours)}
    bound.sync_to_thread = None  # what is bound is async
    return bound(_filled(route, providers))


def _decode(route: HTTPRouteHandler) -> Callable[[bytes], Any]:
    hint = get_type_hints(route.fn, include_extras=True).get("data", Any)
    return msgspec.json.Decoder(Any if _is_form(hint) else hint).decode


def _is_form(hint: Any) -> bool:
    """Whether a body is marked as a form, which is read by other means."""
    marks = getattr(hint, "__metadata__", ())
    return any(isinstance(mark, BodyKwarg) and mark.media_type != RequestEncodingType.JSON for mark in marks)


def _filled(route: HTTPRouteHandler, providers: Mapping[str, Provider]) -> Any:
    function: Any = route.fn
    signature = inspect.signature(function, eval_str=True)
    given = {name: providers[name] for name in signature.parameters if name in providers}
    wants_request = "request" in signature.parameters
    is_async = inspect.iscoroutinefunction(function)

    @wraps(function)
    async def filled(request: Request[Any, Any, Any], **named: Any) -> Any:
        for name, provider in given.items():
            named[name] = provider(request)
        if wants_request:
            named["request"] = request
        answer = function(**named)
        return await answer if is_async else answer

    left = [
        marked(one.replace(kind=one.KEYWORD_ONLY), route.paths)
        for name, one in signature.parameters.items()
        if name not in given
    ]
    if not wants_request:
        left.append(inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request[Any, Any, Any]))
    filled.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]  # what inspect reads
    filled.__annotations__ = {one.name: one.annotation for one in left if one.annotation is not one.empty}
    filled.__annotations__["return"] = signature.return_annotation
    del filled.__dict__["__wrapped__"]
    return filled


async def check_first(request: Request[Any, Any, Any]) -> None:
    """Turn away a caller who may not do this, before anything of the request is parsed."""
    for allowed in request.route_handler.opt.get(ROLES, ()):
        await let_in(request, allowed)
