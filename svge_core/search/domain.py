"""Which cells a search may propose: a whole space, or the cells of it whose value is known."""

from collections.abc import Collection, Iterable
from functools import cached_property, lru_cache

import numpy as np

from svge_core.cells import Cell
from svge_core.data import count_of
from svge_core.errors import DataError
from svge_core.search.history import History
from svge_core.search.rules import Rules
from svge_core.spaces import AbstractSearchSpace

#: draws of one fresh random cell before a space is taken for exhausted
_TRIES = 10_000
#: members of a class whose neighbours are looked at; the largest class of NAS-Bench-201 has 275, all of them useless
_CLASS = 32


class Domain:
    """The cells that may be proposed, all in canonical form.

    Args:
        space: the search space.
        known: the only cells that may be proposed, for tables that do not cover their space; None for all of the space.
        distinct: whether cells that compute the same (``space.key``) are one cell: of each of these classes only one
            cell is proposed, the first known one, and its neighbours are those of the whole class.
        words: what the known cells have in common, for people.
        rules: what a cell has to meet; None for nothing. Where few cells do, they become the known ones.

    Raises:
        DataError: if ``known`` is empty, or no cell meets the rules.
    """

    def __init__(
        self,
        space: AbstractSearchSpace,
        known: Iterable[Cell] | None = None,
        *,
        distinct: bool = False,
        words: str = "with a known value",
        rules: Rules | None = None,
    ) -> None:
        self.space, self.distinct, self.rules = space, distinct, rules
        self._words = "" if known is None else words
        self._representative = lru_cache(maxsize=65_536)(self._first_of_class)
        self.known: tuple[Cell, ...] | None = None
        if known is not None:
            known = tuple(dict.fromkeys(space.canonical(cell) for cell in known))
        if rules is not None and known != ():
            known = rules.listed() if known is None else rules.kept(known)
            self._words = ", ".join(filter(None, [self._words, rules.words]))
        if known is not None:
            self.known = tuple(dict.fromkeys(map(space.canonical, known)))
            if distinct:
                self._all_known = frozenset(self.known)
                self.known = tuple(dict.fromkeys(map(self.canonical, self.known)))
        if self.known is not None and not self.known:
            raise DataError(f"No cell of {space.title} has a known value: there is nothing to search.")
        self.neighbours = lru_cache(maxsize=4096)(self._neighbours)

    @cached_property
    def _members(self) -> frozenset[Cell]:
        return frozenset(self.known or ())

    def canonical(self, cell: Cell) -> Cell:
        """The cell that stands for a member here: its canonical form, or the one for all that compute the same.

        Raises:
            InvalidCellError: if the cell is no relabelling of a member.
        """
        form = self.space.canonical(cell)
        return self._representative(form) if self.distinct else form

    def seen(self, history: History) -> History:
        """A history of any cells as one of the cells of this domain."""
        return history.mapped(self.canonical) if self.distinct else history

    def _first_of_class(self, form: Cell) -> Cell:
        members = self.space.equivalents(form)
        if self.known is None:
            return next(filter(self.__contains__, members), members[0])
        return next((cell for cell in members if cell in self._all_known), members[0])

    @property
    def size(self) -> int | None:
        """Number of cells; None where it is not known."""
        if self.known is not None:
            return len(self.known)
        return None if self.distinct or self.rules is not None else self.space.size

    @property
    def title(self) -> str:
        """What is searched, in words."""
        once = ", equivalent cells once" if self.distinct else ""
        if self.known is None and self.rules is None:
            return f"{self.space.title}{once}"
        if self.known is None:
            return f"{self.space.title}, restricted to cells {self._words}{once}"
        cells = count_of(len(self.known), "cell")
        return f"{self.space.title}, restricted to the {cells} {self._words}{once}"

    def __contains__(self, cell: Cell) -> bool:
        if self.known is not None:
            return cell in self._members
        return self.rules is None or self.rules.meets(cell)

    def _neighbours(self, cell: Cell) -> tuple[Cell, ...]:
        """All canonical cells one edit away that may be proposed, in the space's order."""
        around = [cell]
        if self.distinct:
            around = list(self.space.equivalents(cell)[:_CLASS])
        found = dict.fromkeys(self.canonical(other) for member in around for other in self.space.neighbours(member))
        found.pop(cell, None)
        return tuple(other for other in found if other in self)

    def random_cell(self, rng: np.random.Generator) -> Cell:
        """One cell: of a restricted domain uniformly, else as the space draws.

        Raises:
            DataError: if the rules are so narrow that none is found.
        """
        for _ in range(_TRIES):
            if (cell := self._draw(rng)) is not None:
                return cell
        raise DataError(f"None of {_TRIES:,} random cells of {self.space.title} is {self._words}: widen the limits.")

    def _draw(self, rng: np.random.Generator) -> Cell | None:
        """One random cell; None where it does not meet the rules."""
        if self.known is not None:
            return self.known[int(rng.integers(len(self.known)))]
        if self.rules is None:
            return self.canonical(self.space.random_cell(rng))
        cell = self.rules.draw(rng)
        cell = None if cell is None else self.canonical(cell)
        return cell if cell is not None and cell in self else None

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
            cell = self._draw(rng)
            if cell is not None and cell not in taken:
                found.setdefault(cell)
        if len(found) < count and self.known is None and self.space.enumerated:  # next to nothing is left: look for it
            gone = found.keys() | set(taken)
            every = dict.fromkeys(map(self.canonical, self.space.enumerate()))
            free = [cell for cell in every if cell not in gone and cell in self]
            found |= dict.fromkeys(free[i] for i in rng.permutation(len(free))[: count - len(found)])
        return list(found)
