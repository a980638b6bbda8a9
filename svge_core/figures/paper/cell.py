"""The drawing of one architecture with its name and its scores."""

from svge_core.cells import Cell
from svge_core.comparison import ScoreRow, score_rows, value_in_words
from svge_core.drawing import cell_strokes
from svge_core.explorer import Explorer, short_name
from svge_core.figures.paper.forms import PaperWidth
from svge_core.figures.paper.protocol import row_lines
from svge_core.figures.paper.sheet import SIZE, PaperFigure, Sheet
from svge_core.figures.paper.strokes import grid_for, put_drawing
from svge_core.figures.paper.table import LINE, Entry, ground, put_table

#: inches of the title, and that a drawing may be high
TITLE, HIGHEST = 0.19, 6.0


def cell_sheet(explorer: Explorer, cell: Cell, width: PaperWidth = "single") -> PaperFigure:
    """One cell: its drawing, and below it what is measured and predicted of what architectures are chosen by.

    Args:
        explorer: an open checkpoint.
        cell: a member of its space.
        width: of a column.

    Raises:
        InvalidCellError: if it is no member.
    """
    space, found = explorer.space, explorer.inspect_cell(cell)
    assert found.cell is not None  # a known cell was asked for
    drawing, notation = cell_strokes(found.cell, space), space.format(found.cell)
    every = score_rows(explorer, [found])
    rows = [row for row in every if not row.meaning.detail and _main(row)]
    lines = _table(rows)
    name = f"{space.title} {short_name(found.index, found.row)}"

    def height(wide: float) -> float:
        return TITLE + grid_for([drawing], wide, HIGHEST).tall + LINE * len(lines) + 0.08

    def draw(sheet: Sheet) -> None:
        grid = grid_for([drawing], sheet.wide, HIGHEST)
        scale, tall = grid.scale, grid.tall
        head = ground(sheet, 0.0, TITLE)
        head.text(sheet.wide / 2, TITLE / 2, name, ha="center", va="center", fontsize=SIZE, weight="bold")
        put_drawing(sheet.place(0.0, TITLE, sheet.wide, tall), drawing, scale, wide=72 * sheet.wide, tall=72 * tall)
        if lines:
            put_table(sheet, lines, TITLE + tall + 0.03)

    return PaperFigure(f"{space.name}-cell", name, height, draw, (f"{notation}", *row_lines(rows)), width)


def _main(row: ScoreRow) -> bool:
    return row.meaning.role in ("accuracy", "cost") or row.meaning.origin == "user"


def _table(rows: list[ScoreRow]) -> list[list[Entry]]:
    """A line a score: what is known of it, and what is predicted."""
    known = {row.meaning.key: row for row in rows if row.kind != "predicted"}
    guessed = {row.meaning.key: row for row in rows if row.kind == "predicted"}
    if not rows:
        return []
    level = next((f", {100 * row.level:.0f} % interval" for row in guessed.values() if row.level is not None), "")
    lines = [[Entry("", bold=True), Entry("known", bold=True)]]
    for key in dict.fromkeys([*known, *guessed]):
        row = known.get(key, guessed.get(key))
        assert row is not None
        lines.append([Entry(row.title), Entry(value_in_words(known[key], 0) if key in known else "unknown")])
    if guessed:
        lines[0].append(Entry(f"predicted{level}", True))
        for line, key in zip(lines[1:], dict.fromkeys([*known, *guessed]), strict=True):
            line.append(Entry(value_in_words(guessed[key], 0) if key in guessed else "", True))
    return lines
