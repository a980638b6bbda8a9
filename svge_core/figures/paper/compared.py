"""Two to four architectures side by side: drawings with what differs marked, and their scores."""

from svge_core.comparison import Comparison, edits_of_pair
from svge_core.drawing import THEMES, cell_strokes
from svge_core.figures.paper.forms import PaperWidth
from svge_core.figures.paper.protocol import row_lines
from svge_core.figures.paper.sheet import NOTE, SIZE, PaperFigure, Sheet
from svge_core.figures.paper.strokes import grid_for, put_drawing
from svge_core.figures.paper.table import LINE, Entry, ground, put_table, score_entries

#: inches of the lines above a drawing, between rows of drawings, and that a drawing may be high
HEAD, GAP, HIGHEST = 0.32, 0.06, 2.6


def compare_sheet(comparison: Comparison, reference: int = 0, width: PaperWidth = "double") -> PaperFigure:
    """Drawings beside each other and the table of their scores.

    Args:
        comparison: two to four cells.
        reference: position of the cell that the others' differences are marked from.
        width: of a column.

    Raises:
        SvgeError: if there is no cell at that position.
    """
    space, cells = comparison.space, comparison.architectures
    marks = comparison.marks(reference)
    drawings = [cell_strokes(cell, space, highlight=mark) for cell, mark in zip(cells, marks, strict=True)]
    rows = [row for row in comparison.rows if not row.meaning.detail and row.meaning.role in ("accuracy", "cost")]
    rows += [row for row in comparison.rows if row.meaning.origin == "user" and row not in rows]
    titles = [f"{number}: {name}" for number, name in enumerate(comparison.names, start=1)]

    def height(wide: float) -> float:
        grid = grid_for(drawings, wide, HIGHEST)
        return -(-len(cells) // grid.columns) * (HEAD + grid.tall + GAP) + LINE * len(lines(wide)) + 0.08

    def lines(wide: float) -> list[list[Entry]]:
        """The table, without intervals where there is no room for them."""
        head = [Entry(text, bold=True) for text in ("", *titles)]
        return [head, *score_entries(rows, brief=wide < 1.6 * len(cells))] if rows else []

    def draw(sheet: Sheet) -> None:
        grid = grid_for(drawings, sheet.wide, HIGHEST)
        for place, drawing in enumerate(drawings):
            row, column = divmod(place, grid.columns)
            each = sheet.wide / min(grid.columns, len(cells) - row * grid.columns)
            top = row * (HEAD + grid.tall + GAP)
            head, middle = ground(sheet, top, HEAD), (column + 0.5) * each
            head.text(middle, 0.08, titles[place], ha="center", va="center", fontsize=SIZE, weight="bold")
            if place != reference:
                below = f"{edits_of_pair(comparison.pair(reference, place))} from {reference + 1}"
                head.text(middle, 0.22, below, ha="center", va="center", fontsize=NOTE, color=THEMES["light"].muted)
            axes = sheet.place(column * each, top + HEAD, each, grid.tall)
            put_drawing(axes, drawing, grid.scale, wide=72 * each, tall=72 * grid.tall)
        if rows:
            down = -(-len(cells) // grid.columns)
            put_table(sheet, lines(sheet.wide), down * (HEAD + grid.tall + GAP) + 0.03)

    names = [f"{number}: {space.format(cell)}" for number, cell in enumerate(cells, start=1)]
    notes = (f"{space.title}. Marked: what differs from {reference + 1}.", *names, *row_lines(rows))
    title = f"{len(cells)} architectures of {space.title} side by side"
    return PaperFigure(f"{space.name}-comparison", title, height, draw, notes, width)
