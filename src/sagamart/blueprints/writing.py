"""Everything that is written down from the code, and whether what stands in the repository is what would be written."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec

from sagamart.blueprints.api_reference import api_reference
from sagamart.blueprints.asyncapi import asyncapi
from sagamart.blueprints.calls_document import calls_document
from sagamart.blueprints.catalogue import catalogue
from sagamart.blueprints.compatibility import incompatible
from sagamart.blueprints.diagrams import diagrams
from sagamart.blueprints.problems_reference import problems_reference
from sagamart.blueprints.recordings import file_name, missing
from sagamart.blueprints.runs import drawings_of_runs
from sagamart.blueprints.schemas import schema_of
from sagamart.blueprints.shop_map import contracts_of, shop_services
from sagamart.platform.metrics_document import metrics_document
from sagamart.settings import ShopSettings
from sagamart.slices import services_of

MESSAGES = Path("docs/reference/messages")
CALLS = Path("docs/reference/calls-openapi.json")
METRICS = Path("docs/reference/metrics.md")
API = Path("docs/reference/api.md")
PROBLEMS = Path("docs/reference/problems.md")
SCHEMAS = MESSAGES / "schemas"
RECORDED = Path("tests/recorded")


DIAGRAMS = Path("docs/diagrams")


class Blueprints(msgspec.Struct, frozen=True):
    """What would be written under `top`, the repository; recordings that exist are left as they are."""

    top: Path
    texts: Mapping[Path, str]
    broken: list[str]

    @property
    def left_over(self) -> list[Path]:
        """Drawings of what is no more."""
        drawn = (place.relative_to(self.top) for place in (self.top / DIAGRAMS).glob("*"))
        return sorted(path for path in drawn if path not in self.texts)

    @property
    def stale(self) -> list[Path]:
        """Files that are not what they should be, missing ones and left over ones included."""
        differing = [path for path, text in self.texts.items() if not _holds(self.top / path, text)]
        return sorted([*differing, *self.left_over])

    def write(self) -> None:
        """Bring the files up to date."""
        for path in self.left_over:
            (self.top / path).unlink()
        for path, text in self.texts.items():
            place = self.top / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)


def blueprints(top: Path) -> Blueprints:
    """Draw everything up for the repository at `top`."""
    services = shop_services()
    thin = services_of(ShopSettings(style="http-events"))
    contracts = {**contracts_of(thin.values()), **contracts_of(services)}
    texts = {
        MESSAGES / "README.md": catalogue(services),
        MESSAGES / "asyncapi.json": _json(asyncapi(services)),
        MESSAGES / "asyncapi-http-events.json": _json(asyncapi(list(thin.values()))),
        METRICS: metrics_document(),
        API: api_reference(),
        PROBLEMS: problems_reference(),
        CALLS: _json(calls_document(services_of(ShopSettings(style="http")), version("sagamart"))),
        **{SCHEMAS / file_name(told): _json(schema_of(told.kind)) for told in contracts.values()},
    }
    texts |= {DIAGRAMS / name: text for name, text in diagrams(services).items()}
    texts |= drawings_of_runs(top)
    texts |= {place.relative_to(top): text for place, text in missing(contracts, top / RECORDED).items()}
    return Blueprints(top, texts, incompatible(contracts, top / SCHEMAS, top / RECORDED))


def _json(document: object) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _holds(place: Path, text: str) -> bool:
    return place.exists() and place.read_text() == text
