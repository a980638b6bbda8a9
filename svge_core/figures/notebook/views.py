"""Values that show themselves in Jupyter. Every text is escaped; where Plotly is missing, a map is a picture."""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from svge_core.atlas import PlaneName
from svge_core.cells import Cell
from svge_core.comparison import score_rows, value_in_words
from svge_core.drawing import PageText, rich_block, rich_drawing, rich_table, to_svg
from svge_core.explorer import Explorer, Inspection, charted_name, column_names, map_column, short_name
from svge_core.figures.paper import MapChoice, PaperFigure, map_sheet, path_sheet
from svge_core.figures.style import new_figure
from svge_core.interpolation import LatentPath

if TYPE_CHECKING:
    import plotly.graph_objects

#: points of an interactive map: more make a notebook of tens of megabytes
MOST_POINTS = 20_000
_PLOTLY = "application/vnd.plotly.v1+json"


@dataclass(frozen=True)
class MapView:
    """A map: interactive where Plotly is installed, else a picture.

    Attributes:
        explorer: an open checkpoint.
        colour: key of the column; empty for the first there is.
        plane: the map; None for the first there is.
    """

    explorer: Explorer
    colour: str = ""
    plane: PlaneName | None = None

    @property
    def figure(self) -> PaperFigure:
        """The same map for a paper."""
        return map_sheet(self.explorer, MapChoice(self.colour, self.plane), "text")

    def plotly(self) -> "plotly.graph_objects.Figure":
        """The interactive map; of a larger chart a random sample of 20,000 cells, which its title says.

        Raises:
            DataError: if there is no such column.
        """
        explorer, plane = self.explorer, self.plane or self.explorer.plane_names[0]
        shown = map_column(explorer, self.colour or column_names(explorer)[0].key)
        rows = np.flatnonzero(np.isfinite(shown.values))
        count = len(rows)
        if count > MOST_POINTS:
            rows = np.sort(np.random.default_rng(0).choice(rows, MOST_POINTS, replace=False))
        xy, values = explorer.atlas.planes[plane].xy[rows], shown.values[rows]
        words = [shown.categories[int(value)] for value in values] if shown.categories else [f"{v:.5g}" for v in values]
        figure = new_figure("light", height=520)
        figure.add_scattergl(
            x=xy[:, 0],
            y=xy[:, 1],
            mode="markers",
            text=[f"{charted_name(explorer, int(row))}: {escape(w)}" for row, w in zip(rows, words, strict=True)],
            hovertemplate="%{text}<extra></extra>",
            marker={
                "size": 4,
                "color": values,
                "colorscale": "Viridis",
                "reversescale": shown.direction == "min",
                "cmin": shown.low,
                "cmax": shown.high,
                "colorbar": {"title": {"text": escape(shown.unit)}, "thickness": 12},
            },
        )
        sampled = f", {len(rows):,} of {count:,} cells" if len(rows) < count else ""
        figure.update_layout(title={"text": escape(shown.name.title) + sampled, "font": {"size": 14}}, margin={"t": 48})
        figure.update_xaxes(visible=False)
        figure.update_yaxes(visible=False, scaleanchor="x")
        return figure

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """For Jupyter: the interactive map, and a picture for readers that know no Plotly."""
        bundle: dict[str, Any] = {**self.figure.mime_bundle()}
        if importlib.util.find_spec("plotly") is not None:
            bundle[_PLOTLY] = json.loads(str(self.plotly().to_json()))
        return bundle


@dataclass(frozen=True)
class CellView:
    """A cell with its drawing and its scores.

    Attributes:
        explorer: an open checkpoint.
        inspection: all there is to say about it.
    """

    explorer: Explorer
    inspection: Inspection

    @property
    def cell(self) -> Cell:
        """The cell itself."""
        assert self.inspection.cell is not None  # a known cell was asked for
        return self.inspection.cell

    def _repr_svg_(self) -> str:
        return to_svg(self.cell, self.explorer.space)

    def _repr_html_(self) -> str:
        """For Jupyter: name, drawing, and a table of what is measured and predicted."""
        space, found = self.explorer.space, self.inspection
        rows = [
            [f"{row.title}, {row.kind}", PageText(value_in_words(row, 0), italic=row.kind == "predicted")]
            for row in score_rows(self.explorer, [found])
            if not row.meaning.detail
        ]
        name = f"{space.title} {short_name(found.index, found.row)}"
        drawing = rich_drawing(self._repr_svg_(), width=30)
        return rich_block(name, [space.format(self.cell)], drawing, rich_table(("Score", "Value"), rows))


@dataclass(frozen=True)
class PathView:
    """A path with a score along it.

    Attributes:
        explorer: that it was laid with.
        path: from A to B.
        score: key of the score; empty for the first there is.
    """

    explorer: Explorer
    path: LatentPath
    score: str = ""

    @property
    def figure(self) -> PaperFigure:
        """The same path for a paper."""
        return path_sheet(self.explorer, self.path, self.score, "double")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Mapping[str, str]:
        """For Jupyter: cells on the way and the curve of the score."""
        return self.figure.mime_bundle()
