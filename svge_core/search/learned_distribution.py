"""What GraphPNAS has learned after a number of evaluations: its generator fitted again, sampled beside random cells.

A run's history says everything: the generator that proposed the next cell then is the one that a refit on the best
cells of the first evaluations gives, up to the seed of its weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.errors import DataError, SvgeError
from svge_core.graphpnas import COUNTED, best_by_rank, refit, sample, to_cells, to_graphs, view_of
from svge_core.search.history import History
from svge_core.search.objectives import EvaluationError, Objective
from svge_core.search.searchers import GraphPNASOptions
from svge_core.spaces import AbstractSearchSpace
from svge_core.threads import counting


@dataclass(frozen=True)
class Draws:
    """Independent draws from one distribution over architectures.

    Attributes:
        title: of the distribution, for people.
        drawn: how many draws.
        cells: those that are members of the space, repeats included, in canonical form.
    """

    title: str
    drawn: int
    cells: tuple[Cell, ...]

    @property
    def distinct(self) -> int:
        """How many different members were drawn."""
        return len(set(self.cells))


def draw_learned(
    space: AbstractSearchSpace,
    history: History,
    evaluations: int,
    options: GraphPNASOptions | None = None,
    samples: int = 1_000,
    seed: int = 0,
) -> Draws:
    """Draws from the generator fitted to the best of the first evaluations; nothing is left out, unlike in a search.

    Args:
        space: of the run.
        history: of a run with one goal.
        evaluations: how many of the first it may see, 2 or more.
        options: the settings of the run.
        samples: how many draws.
        seed: of weights and draws.

    Raises:
        DataError: if there are several goals, or too few evaluations.
    """
    if len(history.directions) != 1:
        raise DataError(f"A distribution is learned for one goal; the run has {len(history.directions)}.")
    if not 2 <= evaluations <= len(history):
        raise DataError(f"Expected 2 to {len(history)} evaluations; got {evaluations}.")
    options = options or GraphPNASOptions()
    best, rewards = best_by_rank(history.utilities[:evaluations, 0], options.refit.keep)
    graphs = to_graphs(space, [history.observations[i].cell for i in best])
    generator = refit(view_of(space), graphs, torch.from_numpy(rewards).float(), options.refit, seed)
    drawn = to_cells(space, sample(generator, samples, torch.Generator().manual_seed(seed)))
    return Draws(
        f"GraphPNAS after {evaluations:,} evaluations", samples, tuple(cell for cell in drawn if cell is not None)
    )


def at_random(space: AbstractSearchSpace, samples: int = 1_000, seed: int = 0) -> Draws:
    """Random cells as the space draws them."""
    rng, cells = np.random.default_rng(seed), list[Cell]()
    with counting(COUNTED, "random architectures drawn", samples) as tell:
        for drawn in range(samples):
            cells.append(space.canonical(space.random_cell(rng)))
            tell(drawn + 1)
    return Draws("random architectures", samples, tuple(cells))


def values_of(draws: Draws, objective: Objective) -> Float[np.ndarray, " known"]:
    """The first goal's value of every member drawn, repeats included; members without a value are left out."""
    known: dict[Cell, float | None] = {}
    different = set(draws.cells)
    with counting(COUNTED, "different draws scored", len(different)) as tell:
        for number, cell in enumerate(different):
            try:
                known[cell] = objective.evaluate(cell)[0]
            except EvaluationError:
                known[cell] = None
            tell(number + 1)
    return np.array([value for cell in draws.cells if (value := known[cell]) is not None])


def operation_shares(space: AbstractSearchSpace, cells: Sequence[Cell]) -> Float[np.ndarray, " operations"]:
    """Share of each operation among all operations of the cells, repeats included.

    Raises:
        SvgeError: if there is no cell.
    """
    counts = np.array([sum(cell.ops.count(op) for cell in cells) for op in space.operations], dtype=np.float64)
    if not counts.sum():
        raise SvgeError("There is no operation to count: no architecture was drawn.")
    return counts / counts.sum()


@dataclass(frozen=True)
class EdgeShares:
    """How often there is what on each edge.

    Attributes:
        edges: names of the edges, ``source → target``.
        kinds: what can be on one: operations, or ``edge`` alone.
        shares: of the cells (edges, kinds).
    """

    edges: tuple[str, ...]
    kinds: tuple[str, ...]
    shares: Float[np.ndarray, "edges kinds"]


def edge_shares(space: AbstractSearchSpace, cells: Sequence[Cell]) -> EdgeShares:
    """Share of the cells with each operation on each edge, or where edges have none, with each edge.

    Raises:
        SvgeError: if there is no cell, or GraphPNAS has no view of the space.
    """
    if not cells:
        raise SvgeError("There is no edge to count: no architecture was drawn.")
    view, graphs = view_of(space), to_graphs(space, cells)
    free = [(i, j) for i in range(view.nodes) for j in range(i) if (i, j) not in view.certain]
    labels = np.stack([graphs.edges[:, i, j].numpy() for i, j in free], axis=1)
    kinds = tuple(range(len(view.edge_labels))) if view.edge_labels else (1,)
    shares = np.stack([(labels == kind).mean(axis=0) for kind in kinds], axis=1)
    return EdgeShares(tuple(f"{j} → {i}" for i, j in free), view.edge_labels or ("edge",), shares)


def marks(evaluations: int, warm_up: int, most: int = 8) -> tuple[int, ...]:
    """Evenly spaced numbers of evaluations, from the end of the warm-up to the last one."""
    first = min(warm_up, evaluations)
    return tuple(dict.fromkeys(int(round(mark)) for mark in np.linspace(first, evaluations, most) if mark >= 2))
