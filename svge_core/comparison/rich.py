"""A comparison as it shows itself in a notebook."""

from typing import TYPE_CHECKING

from svge_core.cells import change_in_words
from svge_core.comparison.wording import (
    distance_in_words,
    edits_of_pair,
    function_in_words,
    meanings_in_words,
    value_in_words,
)
from svge_core.drawing import PageText, rich_block, rich_drawing, rich_notes, rich_row, rich_table, to_svg

if TYPE_CHECKING:
    from svge_core.comparison.comparison import Comparison


def comparison_html(comparison: "Comparison") -> str:
    """Drawings with what differs from the first marked, scores, pairs, and what the numbers are."""
    space, cells = comparison.space, comparison.architectures
    titles = [f"{number}: {name}" for number, name in enumerate(comparison.names, start=1)]
    drawings = []
    for place, mark in enumerate(comparison.marks(0)):
        below = [titles[place], space.format(cells[place])]
        if place:
            below.append(f"from 1: {change_in_words(comparison.change(0, place), cells[0], cells[place])}")
        drawings.append(rich_drawing(to_svg(cells[place], space, highlight=mark), below))
    scores: list[list[str | PageText]] = []
    for row in comparison.rows:
        if not row.meaning.detail:
            texts = [
                PageText(value_in_words(row, place), bold=place in row.best, italic=row.kind == "predicted")
                for place in range(len(cells))
            ]
            scores.append([f"{row.title}, {row.kind}", *texts])
    pairs = [
        [
            f"{pair.first + 1} and {pair.second + 1}",
            edits_of_pair(pair),
            function_in_words(pair),
            distance_in_words(pair),
        ]
        for pair in comparison.pairs
    ]
    return rich_block(
        f"{len(cells)} architectures of {space.title}",
        [f"Checkpoint {comparison.checkpoint[:12]}. Marked: what differs from 1. Bold: the best."],
        rich_row(drawings),
        rich_table(("", *titles), scores),
        rich_table(("Pair", "Edits", "Computes", "Latent distance"), pairs),
        rich_notes("What the numbers are", meanings_in_words(comparison.rows)),
    )
