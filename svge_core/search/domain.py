"""Which cells a search may propose: a whole space, or the cells of it whose value is known."""

from collections.abc import Collection, Iterable
from functools import cached_property, lru_cache

import numpy as np

from svge_core.cells import Cell
from svge_core.errors import DataError
from svge_core.spaces import AbstractSearchSpace

#: draws of one fresh random cell before a space is taken for exhausted
_TRIES = 10_000


class Domain:
    """The cells that may be proposed, all in canonical form.

    Args:
        space: the search space.
        known: the only cells that may be proposed, for tables that do not cover their space; None for all of the space.

    Raises:
        DataError: if ``known`` is empty.
    """

    def __init__(self, space: AbstractSearchSpace, known: Iterable[Cell] | None = None) -> None:
        self.space = space
        self.known = None if known is None else tuple(dict.fromkeys(space.canonical(cell) for cell in known))
        if self.known is not None and not self.known:
            raise DataError(f"No cell of {space.title} has a known value: there is nothing to search.")
        self.neighbours = lru_cache(maxsize=4096)(self._neighbours)

    @cached_property
    def _members(self) -> frozenset[Cell]:
        return frozenset(self.known or ())

    @property
    def size(self) -> int | None:
        """Number of cells; None where it is not known."""
        return self.space.size if self.known is None else len(self.known)

    @property
    def title(self) -> str:
        """What is searched, in words."""
        if self.known is None:
            return self.space.title
        return f"{self.space.title}, restricted to the {len(self.known):,} cells with a known value"

    def __contains__(self, cell: Cell) -> bool:
        return self.known is None or cell in self._members

    def _neighbours(self, cell: Cell) -> tuple[Cell, ...]:
        """All canonical cells one edit away that may be proposed, in the space's order."""
        found = dict.fromkeys(self.space.canonical(other) for other in self.space.neighbours(cell))
        found.pop(cell, None)
        return tuple(other for other in found if other in self)

    def random_cell(self, rng: np.random.Generator) -> Cell:
        """One cell: of a restricted domain uniformly, else as the space draws."""
        if self.known is not None:
            return self.known[int(rng.integers(len(self.known)))]
        return self.space.canonical(self.space.random_cell(rng))

    def fresh(self, rng: np.random.Generator, count: int, taken: Collection[Cell]) -> list[Cell]:
        """Distinct random cells that are not taken; fewer than asked for where there are no more."""
        if self.known is not None and len(self.known) < 4 * (len(taken) + count):
            free = [cell for cell in self.known if cell not in taken]
            order = rng.permutation(len(free))[:count]
            return [free[i] for i in order]
        found: dict[Cell, None] = {}
        for _ in range(_TRIES + 10 * count):
            if len(found) == count:
                break
            cell = self.random_cell(rng)
            if cell not in taken:
                found.setdefault(cell)
        if len(found) < count and self.known is None and self.space.enumerated:  # next to nothing is left: look for it
            gone = found.keys() | set(taken)
            every = dict.fromkeys(map(self.space.canonical, self.space.enumerate()))
            free = [cell for cell in every if cell not in gone]
            found |= dict.fromkeys(free[i] for i in rng.permutation(len(free))[: count - len(found)])
        return list(found)
