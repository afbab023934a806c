"""Messages that were written once can be read for ever: what stands in the repository holds, and each rule bites."""

import json
from pathlib import Path
from typing import Any, Literal

import jsonschema
import msgspec
import pytest

from sagamart.blueprints.asyncapi import asyncapi
from sagamart.blueprints.cloud_events import ATTRIBUTES, event_of, headers_of
from sagamart.blueprints.compatibility import incompatible
from sagamart.blueprints.examples import example_of
from sagamart.blueprints.recordings import missing, unreadable
from sagamart.blueprints.schemas import breaks, schema_of
from sagamart.blueprints.shop_map import Told, contracts_of, shop_services
from sagamart.blueprints.writing import RECORDED, SCHEMAS, blueprints
from sagamart.messaging.message import Body
from sagamart.messaging.transport import kafka_envelope

TOP = Path(__file__).parents[2]
OFFICIAL = Path(__file__).parent / "vendor" / "asyncapi-3.0.0.json"
SERVICES = shop_services()
CONTRACTS = contracts_of(SERVICES)


class Line(msgspec.Struct, frozen=True):
    sku: str
    quantity: int


class Shipped(Body, frozen=True):
    order_id: str
    weight_g: int
    carrier: Literal["post", "bike"]
    lines: tuple[Line, ...]
    note: str | None = None

    @property
    def key(self) -> str:
        return self.order_id


def shipped(version: int = 1, name: str = "Shipped", *, leave_out: str = "", **fields: Any) -> type[Body]:
    """Shipped with these fields in place of its own: a type, or a type and a default."""
    own = {
        "order_id": str,
        "weight_g": int,
        "carrier": Literal["post", "bike"],
        "lines": tuple[Line, ...],
        "note": (str | None, None),
    }
    merged = {**own, **fields}
    listed = [
        (field, *kind) if isinstance(kind, tuple) and not hasattr(kind, "__origin__") else (field, kind)
        for field, kind in merged.items()
        if field != leave_out
    ]
    space = {"schema_version": version, "key": property(lambda self: self.order_id), "__annotations__": {}}
    made: Any = msgspec.defstruct(name, sorted(listed, key=len), bases=(Body,), frozen=True, namespace=space)
    found: type[Body] = made
    return found


class OtherLine(msgspec.Struct, frozen=True):
    sku: str
    quantity: str


class LessLine(msgspec.Struct, frozen=True):
    sku: str


def test_what_is_written_down_is_what_the_code_says() -> None:
    assert blueprints(TOP).stale == [], "run `make docs` and commit what it writes"


def test_no_message_that_was_written_before_is_broken() -> None:
    assert blueprints(TOP).broken == []


def test_every_version_that_has_a_schema_has_a_recorded_message() -> None:
    assert {path.name for path in (TOP / SCHEMAS).iterdir()} == {path.name for path in (TOP / RECORDED).iterdir()}


def test_the_asyncapi_document_is_one() -> None:
    jsonschema.Draft7Validator(json.loads(OFFICIAL.read_text())).validate(asyncapi(SERVICES))


def test_the_official_schema_would_refuse_another_document() -> None:
    document = asyncapi(SERVICES)
    document["operations"]["orders.send"]["action"] = "shout"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(json.loads(OFFICIAL.read_text())).validate(document)


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi(SERVICES)

    def follow(part: Any) -> None:
        if isinstance(part, dict):
            reference = part.get("$ref")
            place: Any = document
            for name in str(reference).split("/")[1:] if reference else ():
                place = place[name]
            for value in part.values():
                follow(value)
        elif isinstance(part, list):
            for value in part:
                follow(value)

    follow(document)


@pytest.mark.parametrize("told", CONTRACTS.values(), ids=list(CONTRACTS))
def test_an_example_is_what_its_schema_and_its_attributes_allow(told: Told) -> None:
    event = event_of(example_of(told))
    jsonschema.Draft202012Validator(schema_of(told.kind)).validate(event.pop("data"))
    assert set(event) <= set(ATTRIBUTES)
    assert set(ATTRIBUTES) - set(event) <= {"aggregateversion", "aggregatestatus"}


@pytest.mark.parametrize("told", CONTRACTS.values(), ids=list(CONTRACTS))
def test_what_is_written_down_is_what_kafka_carries(told: Told) -> None:
    message = example_of(told)
    carried = {name: value.decode() for name, value in kafka_envelope.headers_of(told.name) if isinstance(value, bytes)}
    assert carried == headers_of(message)
    assert json.loads(kafka_envelope.value_of(message)) == event_of(message)


def test_the_event_of_an_order_tells_its_version_and_status() -> None:
    event = event_of(example_of(CONTRACTS["OrderCompleted"]))
    assert (event["source"], event["aggregateversion"]) == ("orders", 3)
    assert event["aggregatestatus"] in {"booked", "completed"}
    assert event["traceparent"].startswith("00-")


ANSWERS = {
    "stock": {"StockBooked", "StockChecked", "StockRefused", "ReservationRevoked"},
    "wallet": {"MoneyHeld", "MoneyRefused", "MoneyCaptured", "MoneyRefunded", "TopUpCredited"},
    "payments": {
        "PaymentRedirected",
        "PaymentHeld",
        "PaymentDeclined",
        "PaymentCaptured",
        "PaymentVoided",
        "PaymentRefunded",
        "CaptureRefused",
        "RefundRefused",
        "TopUpPaid",
    },
    "promotions": {"PromoRedeemed", "PromoRefused"},
    "shipping": {
        "ShipmentPending",
        "ShipmentRefused",
        "ShipmentHandedOver",
        "ShipmentDelivered",
        "ShipmentChanged",
        "ShipmentCannotBeChanged",
        "ShipmentStopped",
        "ShipmentCannotBeStopped",
        "ReturnReceived",
    },
    "accounts": {"EmailConfirmationRequested", "PasswordResetRequested", "EmailChangeRequested"},
}
"""What is said of somebody else's aggregate, or by a one-time token (decision 0024)."""


def test_who_owns_an_aggregate_tells_its_version_and_orders_the_status_too() -> None:
    sent = [told for told in CONTRACTS.values() if told.way == "sent"]
    untold = {one.name for one in sent if "version" not in one.kind.__struct_fields__}
    with_status = {one.name for one in sent if "status" in one.kind.__struct_fields__}

    assert untold == set().union(*ANSWERS.values())
    assert with_status == {one.name for one in sent if one.producers == ("orders",)}


@pytest.mark.parametrize(
    ("after", "found"),
    [
        (shipped(leave_out="weight_g"), "weight_g: is gone"),
        (shipped(leave_out="note"), "note: is gone"),
        (shipped(leave_out="weight_g", weight_kg=(int, 0)), "weight_g: is gone"),
        (shipped(weight_g=str), "weight_g: was integer, is string"),
        (shipped(weight_g=int | None), "weight_g: was integer, is integer or null"),
        (shipped(note=(str, "")), "note: was null or string, is string"),
        (shipped(lines=tuple[OtherLine, ...]), "lines[].quantity: was integer, is string"),
        (shipped(lines=tuple[LessLine, ...]), "lines[].quantity: is gone"),
        (shipped(parcel_id=str), "parcel_id: is required now"),
        (shipped(carrier=Literal["post"]), "carrier: may not be bike any more"),
    ],
)
def test_what_would_break_a_message_under_way_is_refused(after: type[Body], found: str) -> None:
    assert found in breaks(schema_of(Shipped), schema_of(after))


def test_a_tighter_bound_is_refused() -> None:
    def bounded(**bounds: int) -> dict[str, Any]:
        return {"type": "object", "properties": {"quantity": {"type": "integer", **bounds}}}

    assert breaks(bounded(minimum=1), bounded(minimum=2)) == ["quantity: minimum is 2 now"]
    assert breaks(bounded(), bounded(maximum=9)) == ["quantity: maximum is 9 now"]
    assert breaks(bounded(minimum=2, maximum=9), bounded(minimum=1)) == []


@pytest.mark.parametrize(
    "after",
    [
        shipped(),
        shipped(parcels=(int, 1)),
        shipped(carrier=Literal["post", "bike", "drone"]),
        shipped(weight_g=(int, 0)),
    ],
)
def test_what_breaks_nobody_is_allowed(after: type[Body]) -> None:
    assert breaks(schema_of(Shipped), schema_of(after)) == []


def said(kind: type[Body]) -> dict[str, Told]:
    return {kind.__name__: Told(kind, ("shipping",), ("orders",))}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where Shipped is written down and recorded."""
    for place, text in missing(said(Shipped), tmp_path).items():
        place.write_text(text)
    return tmp_path


def test_a_recorded_message_is_never_written_anew(folder: Path) -> None:
    assert missing(said(Shipped), folder) == {}
    assert [place.name for place in missing(said(shipped(2)), folder)] == ["Shipped.v2.json"]


def test_a_recorded_message_is_read_by_a_program_that_knows_more(folder: Path) -> None:
    assert unreadable(said(shipped(parcels=(int, 1))), folder) == []


def test_a_new_version_without_an_upcast_is_refused(folder: Path) -> None:
    (finding,) = unreadable(said(shipped(2)), folder)
    assert "no upcast from it is known" in finding


def test_a_new_version_with_an_upcast_reads_the_old_message(folder: Path) -> None:
    class Lifted(Shipped, frozen=True):
        schema_version = 2

        @classmethod
        def upcast(cls, _version: int, fields: dict[str, Any]) -> dict[str, Any]:
            return fields

    Lifted.__name__ = "Shipped"
    assert unreadable(said(Lifted), folder) == []


def test_a_field_that_got_lost_is_found_even_where_its_schema_was_written_anew(folder: Path) -> None:
    (finding,) = unreadable(said(shipped(leave_out="weight_g")), folder)
    assert finding == "Shipped.v1.json: body.weight_g is lost in reading"


def test_a_message_that_nobody_says_any_more_is_missed(folder: Path) -> None:
    findings = incompatible(said(shipped(name="Sent")), folder, folder / "none")
    assert len(findings) == 1
    assert "no service says Shipped any more" in findings[0]


def test_a_finding_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "Shipped.v1.json").write_text(json.dumps(schema_of(Shipped)))
    (finding,) = incompatible(said(shipped(weight_g=str)), folder, tmp_path / "none")
    assert finding.startswith("Shipped.v1.json: weight_g: was integer, is string; keep the field")


def test_a_version_that_went_back_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Shipped.v2.json").write_text(json.dumps(schema_of(Shipped)))
    (finding,) = incompatible(said(Shipped), tmp_path, tmp_path / "none")
    assert "Shipped is at version 1 only" in finding
