"""The form of each message as a JSON Schema (2020-12), and which changes of it one version bears.

Rules of a schema version, while a message of it may lie in an outbox, a topic or a timer:
- No field is removed, renamed or given another type; no list of words loses one; no bound gets tighter.
- No field becomes required that was not.
- New fields have a default: unknown ones are ignored by who does not know them yet, so the schemas are open.
- A new word in a list is allowed; who reads the message is brought up before who writes it.

Anything else is a new `schema_version` with an `upcast` from the ones before.
"""

from collections.abc import Iterator, Mapping
from inspect import cleandoc
from typing import Any

import msgspec

from sagamart.messaging.message import Body

Schema = Mapping[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def schema_of(kind: type[Body]) -> dict[str, Any]:
    """The JSON Schema of a message's body, whole in itself."""
    _, parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    own = tidied(parts.pop(kind.__name__))
    identity = {"$schema": DIALECT, "$id": f"urn:sagamart:{kind.__name__}:{kind.schema_version}"}
    return {**identity, **own, **({"$defs": tidied(parts)} if parts else {})}


def tidied(schema: Any) -> Any:
    """The same schema, its descriptions without the indentation of the source."""
    if isinstance(schema, dict):
        return {
            name: cleandoc(value) if name == "description" and isinstance(value, str) else tidied(value)
            for name, value in schema.items()
        }
    return [tidied(one) for one in schema] if isinstance(schema, list) else schema


def breaks(before: Schema, after: Schema) -> list[str]:
    """What a program that writes `after` would break for messages and readers of `before`: `field: what is wrong`."""
    return list(_compared(before, after, "", (before, after)))


def _compared(before: Schema, after: Schema, path: str, roots: tuple[Schema, Schema]) -> Iterator[str]:
    old, new = _resolved(before, roots[0]), _resolved(after, roots[1])
    where = path or "the message"
    if _form(old, roots[0]) != _form(new, roots[1]):
        yield f"{where}: was {_form(old, roots[0])}, is {_form(new, roots[1])}"
        return
    lost = [word for word in old.get("enum", ()) if word not in new.get("enum", ())]
    if lost:
        yield f"{where}: may not be {', '.join(map(str, lost))} any more"
    yield from _bounds(old, new, where)
    yield from _fields(old, new, path, roots)
    for key in ("items", "additionalProperties"):
        if isinstance(old.get(key), dict) and isinstance(new.get(key), dict):
            yield from _compared(old[key], new[key], f"{path}[]", roots)
    for key in ("anyOf", "prefixItems"):
        for one, other in zip(_ordered(old, key, roots[0]), _ordered(new, key, roots[1]), strict=False):
            yield from _compared(one, other, path, roots)


def _fields(old: Schema, new: Schema, path: str, roots: tuple[Schema, Schema]) -> Iterator[str]:
    olds, news = old.get("properties", {}), new.get("properties", {})
    for name in olds:
        if name in news:
            yield from _compared(olds[name], news[name], f"{path}.{name}".lstrip("."), roots)
        else:
            yield f"{path}.{name}: is gone".lstrip(".")
    for name in new.get("required", ()):
        if name not in old.get("required", ()):
            yield f"{path}.{name}: is required now".lstrip(".")


def _bounds(old: Schema, new: Schema, where: str) -> Iterator[str]:
    for names, tighter in ((LOWER_BOUNDS, 1), (UPPER_BOUNDS, -1)):
        for name in names:
            if name in new and (name not in old or (new[name] - old[name]) * tighter > 0):
                yield f"{where}: {name} is {new[name]} now"
    if new.get("pattern", old.get("pattern")) != old.get("pattern"):
        yield f"{where}: must match {new['pattern']} now"


def _form(schema: Schema, root: Schema) -> str:
    """The type of a value in one word or two: what must not change."""
    resolved = _resolved(schema, root)
    if "anyOf" in resolved:
        return " or ".join(sorted(_form(one, root) for one in resolved["anyOf"]))
    if "enum" in resolved:
        return "/".join(sorted({type(word).__name__.replace("str", "string") for word in resolved["enum"]}))
    return str(resolved.get("type", "anything"))


def _ordered(schema: Schema, key: str, root: Schema) -> list[Schema]:
    """Alternatives in an order of their own; places of a tuple as they are."""
    found = list(schema.get(key, ()))
    return sorted(found, key=lambda one: _form(one, root)) if key == "anyOf" else found


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Schema = root["$defs"][reference.rpartition("/")[2]]
    return found
