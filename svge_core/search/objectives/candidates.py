"""A list of one's own: the only cells that a search may propose."""

from dataclasses import dataclass

from svge_core.cells import Cell
from svge_core.data import count_of
from svge_core.errors import DataError
from svge_core.explorer import read_listed
from svge_core.search.objectives.goals import Objective
from svge_core.search.objectives.user_table import UserTable
from svge_core.spaces import AbstractSearchSpace


@dataclass(frozen=True)
class Candidates:
    """What a file of candidates names.

    Attributes:
        file: its name, for people.
        cells: canonical, each once, in the order of the file.
        remarks: what people have to be told: lines that are not used, and cells that stand there again.
    """

    file: str
    cells: tuple[Cell, ...]
    remarks: tuple[str, ...] = ()


def read_candidates(file: UserTable, space: AbstractSearchSpace, objective: Objective) -> Candidates:
    """The cells of a file whose value the objective can tell.

    Args:
        file: its name says how it is read, as :func:`svge_core.explorer.read_listed` does.
        space: of the architectures.
        objective: a table that does not cover its space knows only some of them.

    Raises:
        DataError: if the file cannot be used, or no line of it can.
    """
    known = None if objective.known is None else frozenset(objective.known)
    titles = ", ".join(goal.meaning.title for goal in objective.goals)
    found: dict[Cell, str] = {}
    unused: list[str] = []
    again: dict[Cell, list[str]] = {}
    for listed in read_listed(file.name, file.content, space):
        if listed.cell is None:
            unused.append(f"{file.name}, {listed.place} is not used: {listed.problem}")
            continue
        cell = space.canonical(listed.cell)
        if known is not None and cell not in known:
            unused.append(f"{file.name}, {listed.place} is not used: it has no value of {titles}.")
        elif cell in found:
            again.setdefault(cell, [found[cell]]).append(listed.place)
        else:
            found[cell] = listed.place
    if not found:
        raise DataError(f"No line of {file.name} can be used: {unused[0]}")
    repeated = [f"{file.name}, {', '.join(places)} are one cell: it counts once." for places in again.values()]
    return Candidates(file.name, tuple(found), (*unused, *repeated))


def budget_remarks(budget: int, candidates: Candidates, left: int) -> list[str]:
    """What has to be said of a budget beside a list.

    Args:
        budget: evaluations that are asked for.
        candidates: the list.
        left: how many cells a search may propose, which is fewer where some of them compute the same.
    """
    said, given = [], len(candidates.cells)
    if left < given:
        said.append(f"Of {count_of(given, 'candidate')} {left:,} may be proposed: see what is searched.")
    if budget > left:
        said.append(f"The budget of {budget:,} is larger than the {count_of(left, 'candidate')}: each is tried once.")
    return said
