"""The cell in focus as a figure for a paper."""

from functools import partial

from svge_core.cells import Cell
from svge_core.explorer import Explorer
from svge_core.figures.paper import cell_sheet
from ui.shared.figure_button import FigureOffer, checkpoint_words, figure_button, in_python, opening, own_note, typed


def cell_figure(explorer: Explorer, cell: Cell) -> None:
    """Show the button beside a member of the space."""
    figure_button("cell", partial(_offer, explorer, cell))


def _offer(explorer: Explorer, cell: Cell) -> FigureOffer:
    return FigureOffer(
        "cell",
        f"{explorer.space.name}-cell",
        partial(cell_sheet, explorer, cell),
        [typed(explorer, cell), *checkpoint_words(explorer)],
        f"{opening(explorer)}cell = {in_python(explorer, [cell])}[0]\n"
        "svge.figure_cell(explorer, cell, width={width}, path={path})",
        own_note(explorer),
    )
