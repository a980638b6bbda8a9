"""A small table in a figure: titles to the left, numbers to the right; predictions slanted and grey, the best bold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from svge_core.comparison import ScoreRow, value_in_words
from svge_core.drawing import THEMES
from svge_core.figures.paper.sheet import NOTE, SMALL, Sheet, note_inches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: inches of a line, of the edge, and least between columns
LINE, EDGE, GAP = 0.135, 0.04, 0.08
#: bold letters are wider
_BOLD = 1.1


@dataclass(frozen=True)
class Entry:
    """One text of a table.

    Attributes:
        text: as it is shown.
        predicted: whether it is a prediction.
        bold: whether it is the best or a head.
    """

    text: str
    predicted: bool = False
    bold: bool = False


def score_entries(rows: Sequence[ScoreRow], *, brief: bool = False) -> list[list[Entry]]:
    """One line a row of scores, one column a cell.

    Args:
        rows: of a comparison.
        brief: leave the intervals of predictions away.
    """
    lines = []
    for number, row in enumerate(rows):
        guess = row.kind == "predicted"
        below = number > 0 and rows[number - 1].meaning.key == row.meaning.key
        title = "   predicted" if guess and below else f"{row.title}, predicted" if guess else row.title
        if brief:
            bare = tuple(None if one is None else replace(one, low=None, high=None) for one in row.values)
            row = replace(row, values=bare)
        values = [Entry(value_in_words(row, at), guess, at in row.best) for at in range(len(row.values))]
        lines.append([Entry(title, guess), *values])
    return lines


def put_table(sheet: Sheet, lines: Sequence[Sequence[Entry]], top: float) -> None:
    """Write a table over the whole width, its letters as much smaller as it needs.

    Args:
        sheet: of the figure.
        lines: of equal length, the first one being the head.
        top: inches from the upper edge.
    """
    widths = [max(note_inches(entry.text) * _BOLD for entry in column) for column in zip(*lines, strict=True)]
    room = sheet.wide - 2 * EDGE - GAP * (len(widths) - 1)
    size = min(SMALL, NOTE * room / sum(widths))
    wide = [width * size / NOTE for width in widths]
    gap = (sheet.wide - 2 * EDGE - sum(wide)) / max(len(wide) - 1, 1)
    ends = [EDGE + sum(wide[: place + 1]) + gap * place for place in range(1, len(wide))]
    axes = ground(sheet, top, LINE * len(lines))
    for number, line in enumerate(lines):
        at = LINE * (number + 0.5)
        for place, entry in enumerate(line):
            x, side = (EDGE, "left") if place == 0 else (ends[place - 1], "right")
            axes.text(
                x,
                at,
                entry.text,
                ha=side,
                va="center_baseline",
                fontsize=size,
                color=THEMES["light"].muted if entry.predicted else THEMES["light"].text,
                style="italic" if entry.predicted else "normal",
                weight="bold" if entry.bold else "normal",
            )
        if number == 0:
            axes.axhline(LINE, color=THEMES["light"].line, linewidth=0.5)


def ground(sheet: Sheet, top: float, tall: float) -> "Axes":
    """Axes of the whole width whose numbers are inches, downwards."""
    axes = sheet.place(0.0, top, sheet.wide, tall)
    axes.set_xlim(0, sheet.wide)
    axes.set_ylim(tall, 0)
    return axes
