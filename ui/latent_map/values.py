"""What the map shows and what it reports, as values that check themselves."""

import math
import re
from dataclasses import dataclass
from typing import Literal

MarkKind = Literal["focus", "decoded", "basket", "neighbour", "start", "end", "path", "trail", "pending"]


LassoMode = Literal["new", "add", "remove"]
MapStatus = Literal["ready", "no-webgl2", "context-lost", "fetch-failed"]


_HEX = re.compile(r"#[0-9a-fA-F]{6}")


# Legible on white and on near-black: the usual maps end in a purple or a yellow that vanishes on one of the two.
# Lightness rises steadily from L* 44 to 80, so that it also reads in grey and with colour-blind eyes.
SEQUENTIAL: tuple[str, ...] = ("#6e54c0", "#4b78c9", "#2b96b4", "#2eae8a", "#7fbf4d", "#e2c117")


CATEGORICAL: tuple[str, ...] = (
    "#4e79a7",
    "#f28e2b",
    "#59a14f",
    "#e15759",
    "#9c6bb0",
    "#2fa5a0",
    "#c99a1e",
    "#d37295",
    "#9c755f",
    "#7f8791",
)


@dataclass(frozen=True, slots=True)
class MapPoints:
    """Where the points are; constant for one checkpoint and plane.

    Attributes:
        digest: content hash of the layout. The browser remembers the camera under it.
        xy_url: from :func:`publish_array`, float32 ``(n, 2)``. A row that is not finite is never drawn nor hit.
        n: number of points.
        labels_url: from :func:`publish_text`, one line a point, fetched when a point is first hovered; without it a
            point is named by its row, so leave it out only where that is the official index.
    """

    digest: str
    xy_url: str
    n: int
    labels_url: str | None = None


@dataclass(frozen=True, slots=True)
class MapColour:
    """How the points are coloured; constant for one column.

    Attributes:
        values_url: from :func:`publish_array`, one number a point; NaN means no value and is drawn grey. With
            ``categories`` the values are category numbers.
        title: what the number is, as the legend and the tooltip show it; say here whether it was measured or predicted.
        unit: such as ``"%"``; may be empty.
        low: value at the left end of the colour bar; lower ones take the same colour.
        high: value at the right end.
        palette: ``#rrggbb`` stops from low to high, at least two; with ``categories`` one colour for each.
        categories: names. When given, a legend replaces the colour bar.
        on_top: which end is drawn last where points overlap. ``"low"`` suits errors and latencies.
        low_clipped: there are values below ``low``, and the legend says so.
        high_clipped: there are values above ``high``, or it stands for itself and for all above.
        scale: how values become places of the palette between ``low`` and ``high``: by their size, or by their rank
            among the points, so that equal numbers of points take equal parts of it; equal values share a place.
    """

    values_url: str
    title: str
    unit: str
    low: float
    high: float
    palette: tuple[str, ...]
    categories: tuple[str, ...] = ()
    on_top: Literal["high", "low"] = "high"
    low_clipped: bool = False
    high_clipped: bool = False
    scale: Literal["values", "ranks"] = "values"

    def __post_init__(self) -> None:
        bad = [stop for stop in self.palette if not _HEX.fullmatch(stop)]
        if bad:
            raise ValueError(f"palette: {bad[0]!r} is not a colour like '#1f77b4'")
        if self.categories:
            if len(self.palette) != len(self.categories):
                raise ValueError(f"{len(self.categories)} categories need as many colours, not {len(self.palette)}")
        elif len(self.palette) < 2:
            raise ValueError("palette: a colour bar needs at least two stops")
        elif not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"low must be below high, both finite; got {self.low} and {self.high}")


@dataclass(frozen=True, slots=True)
class MapMark:
    """One marked place, drawn above the points.

    Attributes:
        x: map coordinate.
        y: map coordinate, upwards.
        kind: decides the shape: ``focus`` a crosshair, ``decoded`` a diamond (an architecture decoded between the
            points), ``basket`` a filled disc with its number, ``neighbour`` a ring, ``start`` and ``end`` discs A and
            B, ``path`` and ``trail`` dots, ``pending`` a dashed crosshair.
        label: short text beside the mark; up to two characters replace the letter of ``start`` and ``end``.
        number: a rank or step, shown with the label.
    """

    x: float
    y: float
    kind: MarkKind
    label: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class MapLine:
    """A line through map coordinates: an interpolation ``path`` (strong) or a search ``trail`` (thin)."""

    xy: tuple[tuple[float, float], ...]
    kind: Literal["path", "trail"]


@dataclass(frozen=True, slots=True)
class MapBackground:
    """Greyness of sparse zones, drawn under the points.

    Attributes:
        width: columns of the grid.
        height: rows of the grid.
        extent: (x_min, x_max, y_min, y_max) that the grid covers; everything beyond is fully grey.
        opacity: ``width * height`` bytes, 0 clear to 255 grey, row by row, the first row at y_min.
    """

    width: int
    height: int
    extent: tuple[float, float, float, float]
    opacity: bytes

    def __post_init__(self) -> None:
        if len(self.opacity) != self.width * self.height:
            raise ValueError(f"opacity: expected {self.width} x {self.height} bytes, got {len(self.opacity)}")


@dataclass(frozen=True, slots=True)
class MapField:
    """A grid of numbers over the map: densities of points, or values between them.

    Attributes:
        url: from :func:`publish_array`, ``width * height`` floats row by row, the first row at y_min; NaN for none.
        width: columns of the grid, the outer ones on the edges of the extent.
        height: rows of the grid.
        extent: (x_min, x_max, y_min, y_max) that the grid covers.
        levels: of densities, where a contour is drawn, ascending.
        words: what the legend says of it.
    """

    url: str
    width: int
    height: int
    extent: tuple[float, float, float, float]
    levels: tuple[float, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class MapRegion:
    """A name that stands on the map where there is room for it.

    Attributes:
        x: map coordinate of its middle.
        y: the same, upwards.
        reach: distance that the region reaches around it: where that is most of the view, the name is left out.
        name: short text.
    """

    x: float
    y: float
    reach: float
    name: str


@dataclass(frozen=True, slots=True)
class MapBrush:
    """A range of the column's values that keeps its colours, as it was drawn on the legend.

    Attributes:
        low: lowest value; None where it was drawn to the end of the legend, and nothing below is left out.
        high: highest value; None likewise.
    """

    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class MapFlight:
    """A flight of the camera to a place.

    Attributes:
        number: a new one is a new flight.
        x: map coordinate.
        y: map coordinate, upwards.
    """

    number: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class MapTwin:
    """Another map on the same page that shows the same cells.

    Attributes:
        key: of the other map.
        same_rows: row for row the same cells: what is pointed at on one has a ring on the other.
        track: where the stops of a way that is played over the other lie on this one; None for those that do not.
        second: this one stands beside the other, and not the other way round.
    """

    key: str
    same_rows: bool
    track: tuple[tuple[float, float] | None, ...] = ()
    second: bool = False


@dataclass(frozen=True, slots=True)
class MapClick:
    """A chosen place: a point with its row number, or empty space with its exact coordinates.

    Attributes:
        kind: ``"point"`` where a point lies within reach, else ``"empty"``; with Alt or Shift held always ``"empty"``.
        index: row of the point, else ``None``.
        x: coordinate of the point, or of the place itself.
        y: the same, upwards.
        source: ``"pointer"``, or ``"key"`` for a step with the arrow keys.
    """

    kind: Literal["point", "empty"]
    index: int | None
    x: float
    y: float
    source: Literal["pointer", "key"]


@dataclass(frozen=True, slots=True)
class MapLasso:
    """A drawn outline in map coordinates, at most some 200 corners; see ``svge_core.atlas.select_in_polygon``.

    Attributes:
        polygon: its corners.
        mode: ``"new"`` takes the place of what was selected, ``"add"`` and ``"remove"`` change it.
    """

    polygon: tuple[tuple[float, float], ...]
    mode: LassoMode = "new"


@dataclass(frozen=True, slots=True)
class MapEvents:
    """What happened on the map since the last run. Pages usually need only the callbacks.

    Attributes:
        click: set only in the run that a click caused.
        lasso: set only in the run that a lasso caused.
        cleared: true only in the run that Escape caused.
        status: what the browser says about the map.
    """

    click: MapClick | None
    lasso: MapLasso | None
    cleared: bool
    status: MapStatus
