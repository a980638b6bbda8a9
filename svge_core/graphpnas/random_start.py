"""The random architectures that GraphPNAS starts from, as its authors draw them."""

import numpy as np

from svge_core.cells import INPUT, OUTPUT, Cell
from svge_core.spaces import AbstractSearchSpace, NASBench201
from svge_core.spaces.nasbench101 import NASBench101

#: probability of an edge of a random NAS-Bench-101 cell
_EDGE = 0.25
_TRIES = 100_000


def explore(space: AbstractSearchSpace, rng: np.random.Generator) -> Cell:
    """One random cell in canonical form.

    NAS-Bench-201: uniform over the four operations, never "none", so 4,096 of the 15,625 cells. NAS-Bench-101: 3 to 7
    vertices, each edge with probability 1/4, uniform operations, drawn again until it is a member. Other spaces: as the
    space draws.
    """
    if isinstance(space, NASBench201):
        genes = rng.integers(1, len(space.operations), size=len(space.gene_choices))
        return space.from_genotype(tuple(int(gene) for gene in genes))
    if isinstance(space, NASBench101):
        nodes = int(rng.integers(3, space.max_nodes + 1))
        for _ in range(_TRIES):
            ops = [space.operations[int(i)] for i in rng.integers(len(space.operations), size=nodes - 2)]
            bits: np.ndarray = np.triu(rng.random((nodes, nodes)) < _EDGE, 1)
            # every vertex but the ends needs an edge in and one out; checked here, as most draws fail
            if not (bits[:, 1:].any(axis=0).all() and bits[:-1].any(axis=1).all()):
                continue
            cell = Cell((INPUT, *ops, OUTPUT), tuple((int(u), int(v)) for u, v in np.argwhere(bits)))
            if space.is_valid(cell):
                return space.canonical(cell)
            nodes = int(rng.integers(3, space.max_nodes + 1))
    return space.canonical(space.random_cell(rng))
