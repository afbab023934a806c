"""Parameters: a handler names what it takes in plain Python; where each comes from is worked out and marked here.

In the address: the path.  `data`: the JSON body.  All else: the query, unless marked otherwise.  Litestar's next
version wants every parameter marked; this is the one place that knows.
"""

import inspect
import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Annotated, Any, get_args, get_origin

from litestar.params import BodyKwarg, HeaderParameter, ParameterKwarg, PathParameter, QueryParameter

_IN_PATH = re.compile(r"\{(\w+)")
_UNNAMED = ("header", "cookie", "query")


def marked(parameter: inspect.Parameter, paths: Iterable[str]) -> inspect.Parameter:
    """The parameter with a mark that says where it comes from."""
    hint = parameter.annotation
    if parameter.name == "request" or hint is inspect.Parameter.empty:
        return parameter
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    if parameter.name == "data":
        return (
            parameter
            if hint is bytes or _has(marks, BodyKwarg)
            else parameter.replace(annotation=Annotated[hint, BodyKwarg()])
        )
    if any(isinstance(mark, ParameterKwarg) and type(mark) is not ParameterKwarg for mark in marks):
        return parameter
    place = PathParameter if parameter.name in _names(paths) else QueryParameter
    plain = next((mark for mark in marks if isinstance(mark, ParameterKwarg)), None)
    if plain is None:
        return parameter.replace(annotation=Annotated[hint, place()])
    others = [_placed(mark, place) if mark is plain else mark for mark in marks]
    return parameter.replace(annotation=Annotated[(get_args(hint)[0], *others)])


def _has(marks: Iterable[Any], kind: type) -> bool:
    return any(isinstance(mark, kind) for mark in marks)


def _names(paths: Iterable[str]) -> set[str]:
    return {name for path in paths for name in _IN_PATH.findall(path)}


def _placed(mark: ParameterKwarg, place: type[ParameterKwarg]) -> ParameterKwarg:
    kept = {field.name: getattr(mark, field.name) for field in fields(mark) if field.name not in _UNNAMED}
    return (HeaderParameter if mark.header else place)(**kept)
