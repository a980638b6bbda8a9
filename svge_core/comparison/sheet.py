"""A comparison as one page: the drawings with what differs marked, scores, pairs, and what the numbers are."""

import textwrap

from svge_core.cells import change_in_words
from svge_core.comparison.comparison import Comparison
from svge_core.comparison.wording import (
    distance_in_words,
    edits_of_pair,
    function_in_words,
    meanings_in_words,
    value_in_words,
)
from svge_core.drawing import (
    THEMES,
    PageBlock,
    PageText,
    ThemeName,
    cell_block,
    lines_block,
    page_to_pdf,
    table_block,
)

#: points that the drawings of a page may be wide together, and that each may be high
DRAWINGS_WIDTH, DRAWING_HEIGHT = 1_000.0, 300.0
#: letters of a line of what the numbers are, and of a name below a drawing
LINE, NAME_LINE = 230, 52


def comparison_to_pdf(comparison: Comparison, theme: ThemeName = "light", reference: int = 0) -> bytes:
    """One page as PDF, of vectors.

    Args:
        comparison: to be shown.
        theme: of the page.
        reference: position of the cell that the others' differences are marked from.

    Raises:
        SvgeError: if it cannot be drawn.
    """
    muted = THEMES[theme].muted
    count = len(comparison.cells)
    head = [
        PageText(f"{count} architectures of {comparison.space.title}", 16, bold=True),
        PageText(
            f"SVGe Explorer, checkpoint {comparison.checkpoint[:16]}. Marked: what differs from {reference + 1}.",
            9,
            colour=muted,
        ),
    ]
    panels = [_panel(comparison, place, reference, theme) for place in range(count)]
    tables = [[_scores(comparison, theme)], [_pairs(comparison, theme)]]
    return page_to_pdf(
        [[[lines_block(head, theme=theme)]], panels, tables, [[_meanings(comparison, theme)]]], theme=theme
    )


def _panel(comparison: Comparison, place: int, reference: int, theme: ThemeName) -> list[PageBlock]:
    cells, space = comparison.architectures, comparison.space
    title = PageText(f"{place + 1}: {comparison.names[place]}", 12, bold=True)
    names = textwrap.wrap(space.format(cells[place]), NAME_LINE, max_lines=4, placeholder=" …")
    below = [PageText(line, 8) for line in names]
    if place != reference:
        words = change_in_words(comparison.change(reference, place), cells[reference], cells[place])
        below.append(PageText(f"from {reference + 1}: {words}", 9, bold=True, colour=THEMES[theme].accent))
    drawing = cell_block(cells[place], space, theme=theme, highlight=comparison.marks(reference)[place])
    fitted = drawing.within(DRAWINGS_WIDTH / len(cells), DRAWING_HEIGHT)
    return [lines_block([title], theme=theme), fitted, lines_block(below, theme=theme)]


def _scores(comparison: Comparison, theme: ThemeName) -> PageBlock:
    titles = [f"{number}: {name}" for number, name in enumerate(comparison.names, start=1)]
    rows = [[PageText(text, bold=True) for text in ("", *titles)]]
    for row in comparison.rows:
        if row.meaning.detail:
            continue
        predicted = row.kind == "predicted"
        cells = [PageText(f"{row.title}, {row.kind}")]
        for place in range(len(titles)):
            best = place in row.best
            text = value_in_words(row, place) + (" best" if best else "")
            cells.append(PageText(text, bold=best, italic=predicted))
        rows.append(cells)
    return table_block(rows, theme=theme)


def _pairs(comparison: Comparison, theme: ThemeName) -> PageBlock:
    rows = [[PageText(text, bold=True) for text in ("Pair", "Edits", "Computes", "Latent distance")]]
    for pair in comparison.pairs:
        words = (edits_of_pair(pair), function_in_words(pair), distance_in_words(pair))
        rows.append([PageText(text) for text in (f"{pair.first + 1} and {pair.second + 1}", *words)])
    return table_block(rows, theme=theme, right=False)


def _meanings(comparison: Comparison, theme: ThemeName) -> PageBlock:
    """What the numbers are, wrapped."""
    notes = [*meanings_in_words(comparison.rows), f"Computes the same: {comparison.space.equivalence}"]
    lines = [line for note in notes for line in textwrap.wrap(note, LINE, subsequent_indent="    ")]
    return lines_block([PageText(line, 8, colour=THEMES[theme].muted) for line in lines], theme=theme)
