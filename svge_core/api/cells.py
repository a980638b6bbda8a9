"""Architectures in a line of code: drawn, written to a file, put side by side, joined by a path."""

from collections.abc import Sequence
from pathlib import Path

from svge_core import drawing, exporting
from svge_core.cells import Cell, Highlight
from svge_core.checks import many_cells, one_cell, yes_or_no
from svge_core.comparison import Comparison, compare_cells, save_comparison
from svge_core.data import analytic_scores, load_scores
from svge_core.errors import DataError, InvalidCellError, SvgeError
from svge_core.explorer import Explorer
from svge_core.interpolation import LatentPath, PathKind, lay_path
from svge_core.spaces import SPACES, AbstractSearchSpace, get_space

#: places of a path, A and B included
STOPS = 21


def draw(
    cell: Cell,
    space: AbstractSearchSpace | str,
    path: str | Path | None = None,
    *,
    theme: drawing.ThemeName = "light",
    view: drawing.View | None = None,
    highlight: Highlight | None = None,
) -> str:
    """The drawing of a cell as SVG; a notebook shows it with ``IPython.display.SVG``.

    Args:
        cell: any graph with labels; it need not be a member of the space.
        space: that gives the operations their colours.
        path: also write the drawing there, in the form its suffix names: .svg, .png, .pdf or .dot.
        theme: of the ground it will stand on.
        view: feature maps or operations; maps by default, where the space has them.
        highlight: nodes and edges to mark.

    Raises:
        SvgeError: if the cell cannot be drawn, or the file not be written.
    """
    space, cell = get_space(space), one_cell(cell)
    svg = drawing.to_svg(cell, space, theme=theme, view=view, highlight=highlight)
    if path is None:
        return svg
    path = Path(path)
    form = path.suffix.lower()
    if form == ".svg":
        content = svg.encode()
    elif form == ".png":
        content = drawing.to_png(cell, space, theme=theme, view=view, highlight=highlight)
    elif form == ".pdf":
        content = drawing.to_pdf(cell, space, theme=theme, view=view, highlight=highlight)
    elif form == ".dot":
        content = drawing.to_dot(cell, space, theme=theme, view=view, highlight=highlight).encode()
    else:
        raise SvgeError(f"Cannot draw to {path.name!r}: expected .svg, .png, .pdf or .dot.")
    exporting.write_atomic(path, content)
    return svg


def export(
    cells: Sequence[Cell],
    path: str | Path,
    *,
    space: AbstractSearchSpace | str | None = None,
    explorer: Explorer | None = None,
    theme: drawing.ThemeName = "light",
) -> None:
    """Write architectures and what is known of them: .json, .csv, .parquet, .txt, .html, .zip; one alone as a drawing.

    Args:
        cells: members of one space.
        path: of the file; its suffix names the form; drawings are .svg, .png, .pdf and .dot.
        space: of the cells; by default the only registered one that they all belong to.
        explorer: gives predictions and latents beside the measured values.
        theme: of drawings.

    Raises:
        SvgeError: if the cells are of no one space, the suffix is unknown, or the file cannot be written.
    """
    cells = many_cells(cells)
    if explorer is not None:
        exporting.save(explorer.export_items(cells), explorer.space, Path(path), theme)
        return
    space = space_of(cells) if space is None else get_space(space)
    try:
        scores = load_scores(space)
    except DataError:  # what is measured is not installed here
        scores = analytic_scores(space)
    items = [exporting.item_for(space.canonical(cell), space, scores) for cell in cells]
    exporting.save(items, space, Path(path), theme)


def space_of(cells: Sequence[Cell]) -> AbstractSearchSpace:
    """The registered search space that all cells are members of.

    Raises:
        SvgeError: if there is none, or more than one.
    """
    found = [space for space in SPACES.values() if all(_member(cell, space) for cell in cells)] if cells else []
    if len(found) != 1:
        names = ", ".join(space.name for space in found) or "none"
        raise SvgeError(f"The space of {len(cells)} cells is not clear ({names} has them all): name it with space=.")
    return found[0]


def _member(cell: Cell, space: AbstractSearchSpace) -> bool:
    try:
        space.validate(cell)
    except InvalidCellError:
        return False
    return True


def compare(
    explorer: Explorer, cells: Sequence[Cell], path: str | Path | None = None, *, theme: drawing.ThemeName = "light"
) -> Comparison:
    """Two to four cells side by side: every score, and of every pair the edits and the distance in the latent space.

    Args:
        explorer: an open checkpoint.
        cells: different members of its space.
        path: also write the comparison there: .pdf (one page), .json, or .csv with the table of pairs beside it.
        theme: of a page.

    Raises:
        SvgeError: if they are too few or too many, one is no member or there twice, or the file cannot be written.
    """
    compared = compare_cells(_open(explorer), many_cells(cells))
    if path is not None:
        save_comparison(explorer, compared, Path(path), theme)
    return compared


def interpolate(
    explorer: Explorer,
    start: Cell,
    end: Cell,
    kind: PathKind = "linear",
    *,
    stops: int = STOPS,
    constrained: bool = False,
) -> LatentPath:
    """A path through the latent space from one cell to another, every stop decoded.

    Args:
        explorer: an open checkpoint.
        start: a member of its space.
        end: another.
        kind: linear, spherical, or graph (over neighbouring cells).
        stops: how many, both ends included; a graph path has as many as it needs.
        constrained: keep the decoder inside the space, so that no stop is invalid.

    Raises:
        SvgeError: if the number of stops is out of range, or no path over neighbours joins the ends.
        InvalidCellError: if an end is no member.
    """
    yes_or_no("constrained", constrained)
    return lay_path(_open(explorer), start, end, kind, stops, constrained=constrained)


def _open(explorer: Explorer) -> Explorer:
    """The explorer, if it is one: users may give a path."""
    if not isinstance(explorer, Explorer):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SvgeError(f"Expected an open explorer, from open_explorer(folder); got {explorer!r:.80}.")
    return explorer
