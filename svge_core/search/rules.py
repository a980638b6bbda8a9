"""What a cell has to be before a search may propose it: small enough, or the same as another in some of its genes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

import numpy as np
from jaxtyping import Bool, Float, Int

from svge_core.cells import Cell
from svge_core.errors import DataError, InvalidCellError
from svge_core.spaces import AbstractSearchSpace

#: cells that a rule may leave to be listed one by one; of more, members are drawn until one keeps to it
MAX_LISTED_CELLS = 20_000
#: members of a space that cannot be listed that are drawn to see whether a limit leaves any
_PROBES = 500
#: what may be limited, in the order of the columns of :meth:`AbstractSearchSpace.costs_of`
COSTS = ("params_m", "flops_m")
_SIGNS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
_LIMIT = re.compile(
    rf"({'|'.join(COSTS)})\s*(<=|>=|<|>)\s*(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True)
class CostLimit:
    """A bound of parameters or multiply-accumulates.

    Attributes:
        key: ``params_m`` or ``flops_m``.
        sign: ``<``, ``<=``, ``>`` or ``>=``.
        bound: in millions.
    """

    key: str
    sign: str
    bound: float

    @property
    def words(self) -> str:
        """As people write it."""
        return f"{self.key} {self.sign} {self.bound:g}"

    def column(self, costs: Float[np.ndarray, "cells 2"]) -> Float[np.ndarray, " cells"]:
        """What is limited."""
        return costs[:, COSTS.index(self.key)]

    def kept(self, costs: Float[np.ndarray, "cells 2"]) -> Bool[np.ndarray, " cells"]:
        """True for the cells within the bound."""
        return _SIGNS[self.sign](self.column(costs), self.bound)


def parse_limit(text: str) -> CostLimit:
    """A limit such as ``params_m<0.5``.

    Raises:
        DataError: with what is expected.
    """
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise DataError(
            f"{text[:60]!r} is no limit: expected params_m or flops_m, then <, <=, > or >=, then millions, such as "
            "params_m<0.5."
        )
    return CostLimit(found[1].lower(), found[2], float(found[3]))


@dataclass(frozen=True)
class FixedGenes:
    """The genes of one cell, all but some of them fixed.

    Attributes:
        cell: in words, for people.
        genes: its choice at every gene.
        free: positions, from 0, that may be anything.
    """

    cell: str
    genes: tuple[int, ...]
    free: tuple[int, ...]

    @property
    def words(self) -> str:
        """What is fixed, for people."""
        what = "gene" if len(self.free) == 1 else "genes"
        return f"like {self.cell} but for {what} {', '.join(map(str, self.free))}"

    def kept(self, genes: Sequence[int]) -> bool:
        """Whether a genotype has the fixed genes."""
        fixed = enumerate(zip(genes, self.genes, strict=True))
        return all(one == other or place in self.free for place, (one, other) in fixed)


def fixed_genes(space: AbstractSearchSpace, like: str, free: Sequence[int]) -> FixedGenes:
    """Fix all genes of a cell but some.

    Args:
        space: of the cell.
        like: the cell, in any form that people write it.
        free: positions of the other genes, from 0.

    Raises:
        DataError: if there is no such gene, or genes of the space have no places of their own.
        ParseError: if there is no such cell.
    """
    from svge_core.explorer import find_cell  # torch and pandas come with it, and the help of the commands imports this

    if not space.genes_have_places:
        raise DataError(
            f"Parts of a cell of {space.title} cannot be fixed: its nodes have no order of their own, so a gene says "
            "something else in every cell."
        )
    count = len(space.gene_choices)
    if wrong := [place for place in free if not 0 <= place < count]:
        raise DataError(f"{space.title} has the genes 0 to {count - 1}; got {wrong[0]}.", settings=("free",))
    cell = space.canonical(find_cell(space, like))
    shown = space.format(cell)
    shown = shown if len(shown) <= 120 else f"{shown[:117]}..."
    return FixedGenes(shown, tuple(space.genotype(cell)), tuple(sorted(set(free))))


class Rules:
    """All that a cell has to meet.

    Args:
        space: of the cells.
        limits: bounds, all of which must hold.
        fixed: genes that must be as they are; None for none.

    Raises:
        DataError: if costs are limited and cells of the space have none.
    """

    def __init__(
        self, space: AbstractSearchSpace, limits: Sequence[CostLimit] = (), fixed: FixedGenes | None = None
    ) -> None:
        if limits and not space.has_cost:
            raise DataError(
                f"Cells of {space.title} have no parameters and no FLOPs, so they cannot be limited.",
                settings=("where",),
            )
        self.space, self.limits, self.fixed = space, tuple(limits), fixed
        self.meets = lru_cache(maxsize=65_536)(self._meets)

    @property
    def words(self) -> str:
        """What is asked for, for people."""
        limits = f"with {' and '.join(limit.words for limit in self.limits)}" if self.limits else ""
        return ", ".join(filter(None, [limits, "" if self.fixed is None else self.fixed.words]))

    def _meets(self, cell: Cell) -> bool:
        """Whether one canonical cell meets all rules."""
        if self.fixed is not None and not self.fixed.kept(self.space.genotype(cell)):
            return False
        if not self.limits:
            return True
        cost = self.space.cost(cell)
        costs = np.array([[cost.params_m, cost.flops_m]])
        return all(bool(limit.kept(costs)[0]) for limit in self.limits)

    def kept(self, cells: Iterable[Cell]) -> tuple[Cell, ...]:
        """The cells of a list that meet all rules.

        Raises:
            DataError: if none does, with the value that comes nearest to a limit.
        """
        fixed = self.fixed
        found = [cell for cell in cells if fixed is None or fixed.kept(self.space.genotype(cell))]
        if not found:
            raise DataError(f"No cell that may be proposed is {'' if fixed is None else fixed.words}.")
        if not self.limits:
            return tuple(found)
        return tuple(found[row] for row in self._rows(self.space.costs_of(found), "that may be proposed"))

    def listed(self) -> tuple[Cell, ...] | None:
        """All cells that meet the rules; None where there are too many to list, or their number is not known.

        Raises:
            DataError: as :meth:`kept`.
        """
        if self.fixed is not None:
            choices = [
                range(count) if place in self.fixed.free else (self.fixed.genes[place],)
                for place, count in enumerate(self.space.gene_choices)
            ]
            if prod(map(len, choices)) <= MAX_LISTED_CELLS:
                members = (self._member(genes) for genes in product(*choices))
                return self.kept(dict.fromkeys(cell for cell in members if cell is not None))
        elif self.space.enumerated:
            rows = self.indices()
            return None if len(rows) > MAX_LISTED_CELLS else tuple(map(self.space.from_index, rows.tolist()))
        if self.limits:
            rng = np.random.default_rng(0)
            drawn = [cell for cell in (self.draw(rng) for _ in range(_PROBES)) if cell is not None]
            self._rows(self.space.costs_of(drawn), f"among {len(drawn)} random ones")
        return None

    def indices(self) -> Int[np.ndarray, " cells"]:
        """Official indices of the cells within all limits, in an enumerated space; fixed genes are not looked at.

        Raises:
            DataError: as :meth:`kept`.
        """
        return self._rows(self.space.costs(), f"of {self.space.title}")

    def draw(self, rng: np.random.Generator) -> Cell | None:
        """A random canonical cell with the fixed genes, whatever it costs; None where that is no member."""
        cell = self.space.canonical(self.space.random_cell(rng))
        if self.fixed is None:
            return cell
        genes = list(self.fixed.genes)
        drawn = self.space.genotype(cell)
        for place in self.fixed.free:
            genes[place] = drawn[place]
        return self._member(genes)

    def _member(self, genes: Iterable[int]) -> Cell | None:
        try:
            return self.space.canonical(self.space.from_genotype(tuple(genes)))
        except InvalidCellError:
            return None

    def _rows(self, costs: Float[np.ndarray, "cells 2"], which: str) -> np.ndarray:
        """Rows of the cells within all limits (rows).

        Raises:
            DataError: if there are none.
        """
        each = [limit.kept(costs) for limit in self.limits]
        for limit, kept in zip(self.limits, each, strict=True):
            if not kept.any():
                least = limit.sign.startswith("<")
                value = float((np.min if least else np.max)(limit.column(costs)))
                raise DataError(
                    f"No cell {which} has {limit.words}: the {'smallest' if least else 'largest'} has {value:.6g}.",
                    settings=("where",),
                )
        rows = np.flatnonzero(np.logical_and.reduce(each))
        if not len(rows):
            raise DataError(f"No cell {which} has {' and '.join(limit.words for limit in self.limits)} at once.")
        return rows


def rules_of(space: AbstractSearchSpace, where: Sequence[str], like: str, free: Sequence[int]) -> Rules | None:
    """What is asked for in words; None for nothing.

    Args:
        space: of the cells.
        where: limits, see :func:`parse_limit`.
        like: a cell whose genes are fixed, in any form that people write it; empty for none.
        free: positions of the genes that are not, from 0.

    Raises:
        SvgeError: if that cannot be understood.
    """
    if bool(like) != bool(len(free)):
        raise DataError(
            "Parts of a cell are fixed by the cell and the genes that stay free: give both.", settings=("like", "free")
        )
    if not where and not like:
        return None
    fixed = fixed_genes(space, like, free) if like else None
    return Rules(space, tuple(map(parse_limit, where)), fixed)
