"""All drawings of the shop, and the page that shows them."""

from collections.abc import Sequence

from sagamart.blueprints.component_diagrams import service_diagram, services_diagram
from sagamart.blueprints.sequence_diagram import sequence_diagram
from sagamart.blueprints.state_diagram import state_diagram
from sagamart.blueprints.ways import WAYS
from sagamart.messaging.service import Service
from sagamart.shop.orders.lifecycle import LIFECYCLE


def diagrams(services: Sequence[Service]) -> dict[str, str]:
    """Each drawing as SVG by the name of its file, and `README.md`."""
    ways = {f"way-{way.name}.svg": sequence_diagram(way) for way in WAYS}
    components = {f"service-{service.name}.svg": service_diagram(service, services) for service in services}
    return {
        "services.svg": services_diagram(services),
        "order-statuses.svg": state_diagram(LIFECYCLE),
        **ways,
        **components,
        "README.md": _page(services),
    }


def _page(services: Sequence[Service]) -> str:
    parts = [
        "# The shop in drawings\n",
        "Drawn by `make docs` from the code; change the code, not these files.\n",
        "## The services\n",
        "Who tells what to whom, read off what each service handles and emits. Brown goes back up.\n",
        "![The services](services.svg)\n",
        "## The way of an order\n",
        "The table in [`lifecycle.py`](../../src/sagamart/shop/orders/lifecycle.py), drawn.",
        "The main way goes down, brown is what undoes an order, and the table has every way.\n",
        "![The statuses of an order](order-statuses.svg)\n",
        "## What is said on the way\n",
        "Each is a run of the real deciders over the in-memory twin of the database; the ways are data, in",
        "[`ways.py`](../../src/sagamart/blueprints/ways.py).\n",
        *(f"### {way.title}\n\n![{way.title}](way-{way.name}.svg)\n" for way in WAYS),
        "## Each service\n",
        *(f"### {one.name}\n\n![The service {one.name}](service-{one.name}.svg)\n" for one in services),
    ]
    return "\n".join(parts)
