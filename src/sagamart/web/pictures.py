"""A picture for a product that has no photo: a small quilt of plain shapes, always the same for the same product."""

import hashlib
from collections.abc import Callable, Sequence

from litestar import Response, get

from sagamart.web.templates import environment

COLUMNS, ROWS, TILE = 4, 4, 100
NAME_CHARS_MAX = 200
KEPT = "public, max-age=86400"

PALETTES: Sequence[tuple[str, ...]] = (
    ("#f4e9dc", "#e07a5f", "#3d405b", "#81b29a", "#f2cc8f"),
    ("#e8eef2", "#335c81", "#274060", "#e4b363", "#ef6461"),
    ("#f3efe0", "#22577a", "#38a3a5", "#80ed99", "#f4a259"),
    ("#efe6f4", "#5f4b8b", "#e69a8d", "#f2b5d4", "#7bdff2"),
    ("#f0ead2", "#6c584c", "#a98467", "#adc178", "#dde5b6"),
    ("#e9edc9", "#bc4749", "#386641", "#6a994e", "#f2a65a"),
    ("#e6ecf5", "#14213d", "#fca311", "#5c7aea", "#b8c9f0"),
    ("#fbeee6", "#9d4edd", "#ff7b54", "#ffb26b", "#3c6e71"),
)
"""The ground, then what is on it."""

Shape = Callable[[int, int], str]


def _quarter(turn: int) -> Shape:
    corners = ((0, 0, 1, 0, 1), (1, 0, 0, 1, 1), (1, 1, 0, 0, 1), (0, 1, 1, 1, 1))[turn]

    def path(x: int, y: int) -> str:
        cx, cy = x + corners[0] * TILE, y + corners[1] * TILE
        dx, dy = (1 - 2 * corners[0]) * TILE, (1 - 2 * corners[1]) * TILE
        sweep = 1 if dx * dy > 0 else 0
        return f"M{cx} {cy}h{dx}A{TILE} {TILE} 0 0 {sweep} {cx} {cy + dy}z"

    return path


def _triangle(turn: int) -> Shape:
    ends = (((0, 0), (1, 0), (0, 1)), ((1, 0), (1, 1), (0, 0)), ((1, 1), (0, 1), (1, 0)), ((0, 1), (0, 0), (1, 1)))[
        turn
    ]
    return lambda x, y: "M" + "L".join(f"{x + a * TILE} {y + b * TILE}" for a, b in ends) + "z"


def _disc(radius: int) -> Shape:
    half = TILE // 2

    def path(x: int, y: int) -> str:
        arc = f"a{radius} {radius} 0 1 0"
        return f"M{x + half - radius} {y + half}{arc} {2 * radius} 0{arc} {-2 * radius} 0z"

    return path


def _square(x: int, y: int) -> str:
    return f"M{x} {y}h{TILE}v{TILE}h-{TILE}z"


SHAPES: Sequence[Shape] = (
    *(_quarter(turn) for turn in range(4)),
    *(_triangle(turn) for turn in range(4)),
    _disc(50),
    _disc(26),
    _square,
)


@get("/pictures/{name:str}")
async def picture(name: str) -> Response[str]:
    """The picture of a product: `/pictures/MUG-BLUE.svg`."""
    drawn = drawing(name[:NAME_CHARS_MAX].removesuffix(".svg"))
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": KEPT})


def drawing(sku: str) -> str:
    """The picture as SVG, without a style or a script in it."""
    digits = hashlib.sha256(sku.encode()).digest()
    ground, *colours = PALETTES[digits[0] % len(PALETTES)]
    tiles: dict[str, list[str]] = {}
    for place in range(COLUMNS * ROWS):
        left, top = place % COLUMNS * TILE, place // COLUMNS * TILE
        one, two = digits[1 + place % 31], digits[31 - place % 31]
        colour = colours[one % len(colours)]
        tiles.setdefault(colour, []).append(SHAPES[two % len(SHAPES)](left, top))
    return environment.get_template("picture.svg").render(
        width=COLUMNS * TILE, height=ROWS * TILE, ground=ground, tiles=tiles
    )
