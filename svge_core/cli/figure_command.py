"""``figure``: figures for papers, one function for each kind."""

import argparse

from svge_core.cli.common import emit
from svge_core.cli.own_parts import opened
from svge_core.cli.reading import named_cells
from svge_core.comparison import compare_cells
from svge_core.errors import DataError, SvgeError
from svge_core.explorer import CellFilter, find_cell
from svge_core.figures.paper import (
    MapChoice,
    PaperFigure,
    cell_sheet,
    compare_sheet,
    front_sheet,
    map_sheet,
    path_sheet,
    race_sheet,
)
from svge_core.interpolation import lay_path
from svge_core.search import Lineup
from svge_core.search.runs import RunView, list_runs, read_run

#: of races in one figure
_LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def map_figure(arguments: argparse.Namespace) -> int:
    """The map of a space."""
    explorer = opened(arguments)
    key, values = arguments.keep or ("", None)
    conditions = CellFilter(
        key,
        values,
        arguments.params,
        tuple(arguments.contains or ()),
        tuple(arguments.without or ()),
        arguments.held_out,
        arguments.where,
    )
    if arguments.range is not None and not arguments.range[0] < arguments.range[1]:
        raise DataError("The ends of the colours are two numbers, the lower one first.")
    choice = MapChoice(
        arguments.colour,
        arguments.plane,
        arguments.outline or (),
        tuple(arguments.parts or ()),
        conditions,
        tuple(named_cells(explorer.space, arguments.cell or ())),
        arguments.range,
        arguments.ranks,
        arguments.contours,
        arguments.surface,
    )
    return _written(arguments, map_sheet(explorer, choice, arguments.width))


def path_figure(arguments: argparse.Namespace) -> int:
    """A path between two architectures."""
    explorer = opened(arguments)
    start, end = named_cells(explorer.space, (arguments.start, arguments.end))
    path = lay_path(explorer, start, end, arguments.kind, arguments.stops, constrained=arguments.constrained)
    return _written(arguments, path_sheet(explorer, path, arguments.score, arguments.width))


def race_figure(arguments: argparse.Namespace) -> int:
    """Best value so far."""
    lineup = _lineup(arguments)
    figure = race_sheet(lineup, goal=arguments.goal - 1, regret=arguments.gap, width=arguments.width)
    return _written(arguments, figure)


def front_figure(arguments: argparse.Namespace) -> int:
    """Pareto fronts."""
    lineup = _lineup(arguments)
    figure = front_sheet(lineup, across=arguments.across - 1, up=arguments.up - 1, width=arguments.width)
    return _written(arguments, figure)


def compare_figure(arguments: argparse.Namespace) -> int:
    """Architectures side by side."""
    explorer = opened(arguments)
    compared = compare_cells(explorer, named_cells(explorer.space, arguments.cells))
    if arguments.reference > len(compared.cells):
        raise SvgeError(f"There are {len(compared.cells)} architectures; there is no number {arguments.reference}.")
    return _written(arguments, compare_sheet(compared, arguments.reference - 1, arguments.width))


def cell_figure(arguments: argparse.Namespace) -> int:
    """One architecture."""
    explorer = opened(arguments)
    return _written(arguments, cell_sheet(explorer, find_cell(explorer.space, arguments.arch), arguments.width))


def _lineup(arguments: argparse.Namespace) -> Lineup:
    """Runs by race, with a letter each where there are several."""
    if len(arguments.names) > len(_LABELS):
        raise SvgeError(f"A figure holds at most {len(_LABELS)} races; got {len(arguments.names)}.")
    several = len(arguments.names) > 1
    return [
        (_LABELS[place] if several else "", _runs(arguments.storage, name))
        for place, name in enumerate(arguments.names)
    ]


def _runs(storage: str, name: str) -> list[RunView]:
    """The run of that name, or the runs of a race of that name."""
    runs = list_runs(storage)
    race = [
        run.name
        for run in runs
        if run.config is not None
        and run.config.race
        and name in (run.config.race, f"{run.config.space}/{run.config.race}")
    ]
    found = [name] if any(run.name == name for run in runs) else race
    return [read_run(storage, one) for one in found or [name]]  # an unknown one says which runs there are


def _written(arguments: argparse.Namespace, figure: PaperFigure) -> int:
    """Write the figure, and say so."""
    figure.save(arguments.out)
    emit(arguments, {"file": str(arguments.out), "title": figure.title}, f"wrote {figure.title} to {arguments.out}")
    return 0
