"""How a demo looks: a table that lives on a terminal, plain lines anywhere else."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from sagamart.demo.journeys import Journey, basket, line, way
from sagamart.platform.money import money

REFRESHES_PER_S = 15
LINES_BESIDE_ROWS = 6
"""Lines of a terminal that the table leaves to its frame and the summary."""

STYLES = {"completed": "green", "cancelled": "yellow"}


class Display:
    """Shows journeys while they go on."""

    def __init__(self, console: Console, url: str) -> None:
        self._console = console
        self._url = url
        self._journeys: list[Journey] = []
        self._live = Live(console=console, refresh_per_second=REFRESHES_PER_S) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        else:
            self._print(f"Orders at {self._url}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begun(self, journey: Journey) -> None:
        """An order is being placed."""
        self._journeys.append(journey)
        self.moved()

    def moved(self) -> None:
        """An order was seen in some status."""
        if self._live is not None:
            rows_max = max(1, self._console.height - LINES_BESIDE_ROWS)
            self._live.update(table(self._journeys[-rows_max:], self._url))

    def ended(self, journey: Journey) -> None:
        """An order is over."""
        if self._live is None:
            self._print(line(journey))
        else:
            self.moved()

    def end(self, text: str) -> None:
        """All orders are over."""
        if self._live is not None:
            self._live.update(table(self._journeys, self._url), refresh=True)
            self._live.stop()
        self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def table(journeys: list[Journey], url: str) -> Table:
    """Journeys as a table, one a row."""
    drawn = Table(title=f"Orders at {url}", expand=True)
    for name in ("#", "order", "customer"):
        drawn.add_column(name, no_wrap=True)
    drawn.add_column("lines", overflow="fold", ratio=2)
    drawn.add_column("total", justify="right", no_wrap=True)
    drawn.add_column("way, in ms", overflow="fold", ratio=3)
    drawn.add_column("outcome", overflow="fold", ratio=3)
    for journey in journeys:
        drawn.add_row(
            str(journey.number),
            f"…{journey.order_id[-8:]}" if journey.order_id else "",
            journey.customer,
            basket(journey),
            money(journey.total_minor, journey.currency, "en") if journey.order_id else "",
            way(journey),
            journey.outcome,
            style=STYLES.get(journey.ended_as, "red" if journey.outcome else None),
        )
    return drawn
