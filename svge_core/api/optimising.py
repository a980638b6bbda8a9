"""For a user's own optimisation: scores read from a file, and our search methods as Optuna samplers."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from svge_core import search
from svge_core.api.model import Model
from svge_core.cells import Cell
from svge_core.checks import many_cells, seed as checked_seed, whole_number, yes_or_no
from svge_core.data.csv import UserScores, import_csv
from svge_core.errors import SvgeError
from svge_core.spaces import AbstractSearchSpace, get_space


def read_scores(path: str | Path, space: AbstractSearchSpace | str) -> UserScores:
    """A CSV file of architectures and scores; every line that cannot be used is named in ``rejected``.

    Raises:
        DataError: if the file as a whole cannot be used.
    """
    return import_csv(get_space(space), Path(path))


def cell_sampler(
    method: str,
    space: AbstractSearchSpace | str,
    model: Model | None = None,
    seed: int = 0,
    *,
    known: Iterable[Cell] | None = None,
    distinct: bool = True,
    where: Sequence[str] = (),
    like: str = "",
    free: Sequence[int] = (),
) -> Any:
    """An ``optuna.samplers.BaseSampler`` that proposes what a search method proposes.

    Args:
        method: its name, as ``svge search --help`` lists them.
        space: the search space or its name.
        model: for methods that search a latent space.
        seed: of all chance; a study that goes on proposes what it would have proposed.
        known: the only cells that may be proposed; None for all of the space.
        distinct: whether cells that compute the same (``space.key``) are proposed once.
        where: limits that a cell must keep, such as ``("params_m<0.5",)``.
        like: a cell, in any form that the space reads, whose genes every proposal has; empty for none.
        free: positions of the genes that may be others, from 0.

    Raises:
        SvgeError: if there is no such method, it needs a model of this space, or no cell may be proposed.
    """
    if model is not None and not isinstance(model, Model):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may give a path
        raise SvgeError(f"Expected a model, from load_checkpoint(folder); got {model!r:.80}.")
    yes_or_no("distinct", distinct)
    if isinstance(where, str) or isinstance(free, int | str):
        got = f"got {where!r:.60} and {free!r:.60}"
        raise SvgeError(f"where and free must be lists, such as ['params_m<0.5'] and [0, 3]; {got}.")
    free = [whole_number("a position in free", place, 0, 10**6) for place in free]
    seed, known = checked_seed(seed), None if known is None else many_cells(known)
    checkpoint = None if model is None else model.checkpoint
    return search.cell_sampler(
        method, space, checkpoint, seed, known=known, distinct=distinct, where=where, like=like, free=free
    )
