"""What this machine knows about a space: analytic sizes, bundled values, imported tables."""

import contextlib
import hashlib

import numpy as np

from svge_core.data.meaning import ScoreMeaning
from svge_core.data.scores import Scores, scores_from_columns
from svge_core.files import cache_dir, keep_arrays
from svge_core.spaces import AbstractSearchSpace, get_space, resolve

#: analytic costs of spaces larger than this are kept in the user's cache folder
CACHE_FROM_ROWS = 100_000


def load_scores(space: AbstractSearchSpace | str) -> Scores:
    """What this machine knows about a space: analytic sizes, bundled values, imported tables.

    Raises:
        DataError: if a table that comes with the program, or the package that bundles the measured values, is missing
            or damaged. :func:`analytic_scores` works
            without it.
        SvgeError: if there is no such space.
    """
    from svge_core.data.importers import with_imported, with_shipped

    space = get_space(space)
    scores = analytic_scores(space)
    if (bundled := space.bundled_scores()) is not None:
        scores = scores.with_columns(resolve(bundled)())
    return with_imported(with_shipped(scores, space), space)


def analytic_scores(space: AbstractSearchSpace) -> Scores:
    """Parameters and multiply-accumulates of every cell; no rows for a space that is not enumerated.

    No columns for a space whose cells have no cost.
    """
    if not space.has_cost:
        return scores_from_columns(space.name, {}, {}, space.size if space.size and space.enumerated else 0)
    if space.size is None or not space.enumerated:
        costs, any_cell = np.empty((0, 2)), space.random_cell(np.random.default_rng(0))
    else:
        costs, any_cell = _costs(space, space.size), space.from_index(0)
    network = space.cost(any_cell).network
    columns = {"params_m": costs[:, 0], "flops_m": costs[:, 1]}
    titles = {"params_m": "Parameters", "flops_m": "FLOPs (multiply-accumulates)"}
    meanings = {
        key: ScoreMeaning(
            key,
            title,
            "million",
            "min",
            "",
            "",
            None,
            "",
            "analytic",
            network,
            role="cost",
            origin="analytic",
            single_run=False,
        )
        for key, title in titles.items()
    }
    return scores_from_columns(space.name, columns, meanings)


def _costs(space: AbstractSearchSpace, size: int) -> np.ndarray:
    """(cells, 2) parameters and multiply-accumulates in millions, from the cache for large spaces."""
    if size <= CACHE_FROM_ROWS:
        return space.costs()
    # a sample computed afresh names the file, so a changed formula or order never meets an old table
    sample = [space.cost(space.from_index(int(index))) for index in np.linspace(0, size - 1, 64)]
    probe = np.array([(cost.params_m, cost.flops_m) for cost in sample])
    state = hashlib.blake2b(f"{space.name} {size}".encode() + probe.tobytes(), digest_size=8)
    path = cache_dir() / f"costs-{space.name}-{state.hexdigest()}.npy"
    with contextlib.suppress(OSError, ValueError):  # not there yet, or damaged: compute it
        costs = np.load(path, allow_pickle=False)
        if costs.shape == (size, 2) and costs.dtype == np.float64 and np.isfinite(costs).all():
            return costs
    costs = space.costs()
    keep_arrays(path, costs)
    return costs
