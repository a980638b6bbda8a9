"""The map as a figure for a paper: as it is shown, with the outline, the filter, and names of the chosen cells."""

from functools import partial

from svge_core.atlas import PlaneName
from svge_core.explorer import CellFilter, Column, Explorer, cell_named
from svge_core.figures.paper import MapChoice, map_sheet
from ui.shared import session
from ui.shared.basket import cells_of
from ui.shared.choices import CellFocus, Focus, Lasso
from ui.shared.figure_button import (
    FigureOffer,
    checkpoint_words,
    figure_button,
    in_python,
    opening,
    own_note,
    typed,
)
from ui.shared.map_look import by_rank, hand_limits

#: names in a figure: the cell in focus and the first of the basket
MOST_NAMES = 12


def map_figure(
    explorer: Explorer,
    plane: PlaneName,
    shown: Column,
    focus: Focus | None,
    outline: Lasso | None,
    *,
    key: str = "map",
    foreign: bool = False,
) -> None:
    """Show the button.

    Args:
        explorer: of the map.
        plane: its layout.
        shown: the column that colours it.
        focus: the cell in focus is named on the figure.
        outline: of the selection, if it was drawn on this map.
        key: of the widgets, unlike that of another map beside it.
        foreign: whether the map is of another checkpoint than the filter.
    """
    figure_button(key, partial(_offer, explorer, plane, shown, focus, outline, foreign))


def _offer(
    explorer: Explorer, plane: PlaneName, shown: Column, focus: Focus | None, outline: Lasso | None, foreign: bool
) -> FigureOffer:
    space, conditions = explorer.space, session.cell_filter()
    cells = [cell_named(space, focus.name)] if isinstance(focus, CellFocus) else []
    cells += cells_of(session.basket(), space)
    named = [cell for cell in dict.fromkeys(map(space.canonical, cells)) if explorer.row_of(cell) is not None]
    limits, display = hand_limits(shown), session.display()
    notes = [own_note(explorer)]
    if outline is None and session.lasso() is not None and display.second.shown:
        notes.append("The outline was drawn on another map: here it makes no cell pale.")
    if foreign and conditions.active:
        # by the first checkpoint's values: predicted ones are others here, and other cells would pass
        notes.append("The filter is about the first map's checkpoint: here it makes no cell pale.")
    choice = MapChoice(
        shown.name.key,
        plane,
        () if outline is None else outline.polygon,
        () if outline is None else outline.parts,
        CellFilter() if foreign else conditions,
        tuple(named[:MOST_NAMES]),
        limits,
        by_rank(shown),
        display.contours,
        display.surface and not shown.categories,
    )
    return FigureOffer(
        "map",
        f"{space.name}-map",
        partial(map_sheet, explorer, choice),
        _words(explorer, choice),
        _call(explorer, choice),
        " ".join(filter(None, notes)),
    )


def _words(explorer: Explorer, choice: MapChoice) -> list[str]:
    """The options that ask for the same."""
    words = [*checkpoint_words(explorer), "--colour", choice.colour, "--plane", str(choice.plane)]
    for cell in choice.cells:
        words += ["--cell", typed(explorer, cell)]
    outlines = [("outline", choice.outline), *choice.parts] if choice.outline else []
    words += [f"--{mode}=" + ";".join(f"{x!r},{y!r}" for x, y in corners) for mode, corners in outlines]
    layers = ("ranks", choice.ranks), ("contours", choice.contours), ("surface", choice.surface)
    words += [f"--{word}" for word, there in layers if there]
    words += [f"--range={choice.limits[0]!r},{choice.limits[1]!r}"] if choice.limits else []
    kept = choice.conditions
    if kept.score is not None:
        words.append(f"--keep={kept.score_key}={kept.score[0]!r},{kept.score[1]!r}")
    if kept.params is not None:
        words.append(f"--params={kept.params[0]!r},{kept.params[1]!r}")
    for option, operations in (("--contains", kept.contains), ("--without", kept.without)):
        for operation in operations:
            words += [option, operation]
    words += ["--held-out"] if kept.held_out_only else []
    return [*words, f"--where={kept.where}"] if kept.where else words


def _call(explorer: Explorer, choice: MapChoice) -> str:
    """The Python lines that ask for the same."""
    given = [repr(choice.colour), f"plane={choice.plane!r}"]
    if choice.cells:
        given.append(f"cells={in_python(explorer, choice.cells)}")
    if choice.outline:
        given.append(f"outline={list(choice.outline)!r}")
    if choice.parts:
        given.append(f"parts={list(choice.parts)!r}")
    layers = ("ranks", choice.ranks), ("contours", choice.contours), ("surface", choice.surface)
    given += [f"{word}=True" for word, there in layers if there]
    given += [f"limits={choice.limits!r}"] if choice.limits else []
    lines = opening(explorer)
    if choice.conditions != CellFilter():
        lines = f"from svge_core.explorer import CellFilter\n{lines}"
        given.append(f"conditions={choice.conditions!r}".replace("{", "{{").replace("}", "}}"))
    return f"{lines}svge.figure_map(explorer, {', '.join(given)}, width={{width}}, path={{path}})"
