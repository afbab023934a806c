"""A sheet to draw on.  It knows shapes and how wide a text is, and nothing of what is drawn.

All is dark on white, in the colours of `docs/pictures/architecture.svg`; lengths are pixels.
"""

from collections.abc import Sequence
from typing import Literal
from xml.sax.saxutils import escape

INK, BACK = "#33415c", "#9c4f10"
FONT_PX = 13
SMALL_PX = 11
LINE_PX = 16
"""From one line of text to the next."""

ROUND_PX = {"act": 2, "row": 1}

Look = Literal["bold", "quiet", "plain", "title"]
Shape = Literal["box", "core", "end", "db", "note", "act", "row"]
Stroke = Literal["flow", "back", "life", "reply", "line"]

STYLE = f"""
    text {{ fill: #1c2536; }}
    .box {{ fill: #ffffff; stroke: {INK}; stroke-width: 1.5; }}
    .core {{ fill: #e8eefc; stroke: {INK}; stroke-width: 1.5; }}
    .end {{ fill: #eef0f4; stroke: {INK}; stroke-width: 3; }}
    .db {{ fill: #eef7ee; stroke: #2f6b3c; stroke-width: 1.5; }}
    .note {{ fill: #fff8e6; stroke: #8a6d1f; stroke-width: 1; }}
    .act {{ fill: #d5e0fa; stroke: {INK}; stroke-width: 1; }}
    .row {{ fill: #2f6b3c; stroke: none; }}
    .quiet {{ fill: #475066; font-size: {SMALL_PX}px; }}
    .bold {{ font-weight: 600; }}
    .title {{ font-weight: 600; font-size: 18px; }}
    .flow, .back, .reply, .life, .line {{ stroke: {INK}; stroke-width: 1.5; fill: none; }}
    .flow {{ marker-end: url(#head); }}
    .back {{ stroke: {BACK}; stroke-dasharray: 6 4; marker-end: url(#headb); }}
    .reply {{ stroke-dasharray: 3 3; marker-end: url(#head); }}
    .life {{ stroke: #aab2c3; stroke-width: 1; }}
  """

_NARROW, _WIDE = "fijlrtI.,:;|' ()/-", "mwMWABCDGHKNOQRUVX_@→≤"


def width_of(text: str, look: Look = "plain") -> float:
    """How wide a text will be at most, whichever common sans-serif font the reader has."""
    size = {"quiet": SMALL_PX, "title": 18}.get(look, FONT_PX)
    ems = sum(0.36 if char in _NARROW else 0.8 if char in _WIDE else 0.6 for char in text)
    return ems * size * (1.04 if look in ("bold", "title") else 1)


class Sheet:
    """Shapes in the order in which they were drawn."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._parts: list[str] = []
        self._width = self._height = 0.0

    def box(self, x: float, y: float, width: float, height: float, shape: Shape = "box") -> None:
        """A rectangle."""
        self._reach(x + width, y + height)
        place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
        self._parts.append(f'<rect class="{shape}" {place} rx="{ROUND_PX.get(shape, 6)}"/>')

    def cylinder(self, x: float, y: float, width: float, height: float) -> None:
        """A database."""
        self._reach(x + width, y + height)
        half = _n(width / 2)
        side = f"M{_n(x)} {_n(y + 8)} v{_n(height - 16)} a{half} 8 0 0 0 {_n(width)} 0 v-{_n(height - 16)}"
        self._parts.append(f'<path class="db" d="{side}"/>')
        self._parts.append(f'<ellipse class="db" cx="{_n(x + width / 2)}" cy="{_n(y + 8)}" rx="{half}" ry="8"/>')

    def text(self, x: float, y: float, text: str, look: Look = "plain", *, anchor: str = "start") -> None:
        """A line of text, `y` being where its letters stand."""
        width = width_of(text, look)
        self._reach(x + {"start": width, "middle": width / 2}.get(anchor, 0), y + 4)
        name = "" if look == "plain" else f' class="{look}"'
        side = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._parts.append(f'<text x="{_n(x)}" y="{_n(y)}"{name}{side}>{escape(text)}</text>')

    def line(self, points: Sequence[tuple[float, float]], stroke: Stroke = "flow") -> None:
        """A line through these points."""
        for x, y in points:
            self._reach(x, y)
        path = "M" + " L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        self._parts.append(f'<path class="{stroke}" d="{path}"/>')

    def svg(self, margin_px: int = 24) -> str:
        """The finished drawing."""
        width, height = _n(self._width + margin_px), _n(self._height + margin_px)
        size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        font = f'font-family="system-ui, sans-serif" font-size="{FONT_PX}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
                f"  <title>{escape(self.title)}</title>",
                f"  <style>{STYLE}</style>",
                f"  <defs>{_head('head', INK)}{_head('headb', BACK)}</defs>",
                f'  <rect width="{width}" height="{height}" fill="#ffffff"/>',
                *(f"  {part}" for part in self._parts),
                "</svg>\n",
            ]
        )

    def _reach(self, x: float, y: float) -> None:
        self._width, self._height = max(self._width, x), max(self._height, y)


def _head(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 L10 5 L0 10 z" fill="{colour}"/></marker>'
    )


def _n(number: float) -> str:
    """A length without noise."""
    return f"{number:.1f}".removesuffix(".0")
