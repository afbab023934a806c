"""An example of each message: every field set, the same ones each time."""

from datetime import UTC, datetime
from typing import Any, TypeVar, get_type_hints

import msgspec
from msgspec import inspect

from sagamart.blueprints.shop_map import Told
from sagamart.messaging.message import Message, derived_id, new_id, new_trace

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
REQUEST_ID = new_id(AT, bytes(range(10)))
TRACE = new_trace(bytes(range(1, 25)))

KNOWN: dict[str, Any] = {
    "order_id": "ord_" + REQUEST_ID.replace("-", ""),
    "customer_id": "cus_019aa4c5e8007000800000000000a11a",
    "sku": "CUP-BLUE",
    "title": "Blue cup",
    "currency": "RUB",
    "language": "en",
    "quantity": 2,
    "price_minor": 45_000,
    "total_minor": 90_000,
    "amount_minor": 90_000,
    "available_minor": 50_000,
    "version": 3,
}
"""What a field of this name holds; others hold whatever their type allows first."""


def example_of(told: Told) -> Message[Any]:
    """A message of this type as its first producer would send it."""
    body = example_body(told.kind)
    source = told.producers[0] if told.producers else "http"
    return Message(
        id=derived_id(REQUEST_ID, source, told.name, 0),
        type=told.name,
        key=body.key,
        source=source,
        at=AT,
        correlation=REQUEST_ID,
        body=body,
        cause=REQUEST_ID,
        node="shop-1",
        schema=told.version,
        trace=TRACE,
    )


S = TypeVar("S", bound=msgspec.Struct)


def example_body(kind: type[S]) -> S:
    """A body with every field set."""
    return msgspec.convert(_value(inspect.type_info(kind), ""), kind)


def bare(kind: type[S], **fields: Any) -> S:
    """A struct with these fields, examples for the others that it requires, and nothing that it does not."""
    whole = inspect.type_info(kind)
    assert isinstance(whole, inspect.StructType)  # noqa: S101  what else would a struct be
    needed = {field.name: field.type for field in whole.fields if field.required and field.name not in fields}
    return kind(
        **{name: msgspec.convert(_value(wanted, name), _hint(kind, name)) for name, wanted in needed.items()}, **fields
    )


def _hint(kind: type[msgspec.Struct], name: str) -> Any:
    return get_type_hints(kind, include_extras=True)[name]


def _value(wanted: inspect.Type, name: str) -> Any:  # noqa: PLR0911  one answer for each kind of type
    match wanted:
        case inspect.StructType(fields=fields):
            return {field.encode_name: _value(field.type, field.name) for field in fields}
        case inspect.UnionType(types=types):
            return _value(next(one for one in types if not isinstance(one, inspect.NoneType)), name)
        case inspect.LiteralType(values=values):
            return KNOWN[name] if KNOWN.get(name) in values else min(values, key=str)
        case inspect.CollectionType(item_type=item) | inspect.VarTupleType(item_type=item):
            return [_value(item, name)]
        case inspect.TupleType(item_types=items):
            return [_value(item, name) for item in items]
        case inspect.NamedTupleType(fields=fields):
            return [_value(field.type, field.name) for field in fields]
        case inspect.DictType(key_type=key, value_type=value):
            return {_value(key, name): _value(value, name)}
        case _:
            return _plain(wanted, name)


def _plain(wanted: inspect.Type, name: str) -> Any:  # noqa: PLR0911  one answer for each kind of type
    match wanted:
        case inspect.StrType():
            return KNOWN.get(name, name or "text")
        case inspect.IntType(ge=least):
            return KNOWN.get(name, 1 if least is None else max(1, least))
        case inspect.FloatType():
            return 1.5
        case inspect.BoolType():
            return True
        case inspect.DateTimeType():
            return AT.isoformat()
        case inspect.DateType():
            return AT.date().isoformat()
        case inspect.BytesType():
            return "c2FnYW1hcnQ="
        case _:
            raise TypeError(f"no example is known for {name}: {wanted}")
