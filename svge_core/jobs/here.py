"""What was trained and timed on this machine, as columns: what pages show beside the known scores, without a page."""

from pathlib import Path

from svge_core.data import Scores
from svge_core.errors import DataError
from svge_core.jobs.cell_training import CellTrainingJobs, trained_scores
from svge_core.jobs.latencies import latency_scores, measured_cells
from svge_core.spaces import AbstractSearchSpace, get_space

#: folders of results in a folder of runs
TRAININGS, LATENCIES = "cells", "latencies"


def scores_from_here(space: AbstractSearchSpace | str, runs: str | Path) -> Scores:
    """Results of the app's trainings and latency measurements as columns over all cells of a space.

    Args:
        space: of the cells.
        runs: the folder of the app's runs; it is only read.

    Raises:
        DataError: if nothing of the space was trained or timed there.
    """
    space, folder = get_space(space), Path(runs)
    trained = trained_scores(space, CellTrainingJobs(folder / TRAININGS).results(space.name))
    timed = latency_scores(space, measured_cells(space.name, folder / LATENCIES))
    found = [scores for scores in (trained, timed) if scores is not None]
    if not found:
        raise DataError(
            f"No cell of {space.title} was trained or timed in {str(folder)[:120]!r}: expected the folder of the app's "
            f"runs, which holds {TRAININGS} or {LATENCIES}."
        )
    return found[0].with_columns(*found[1:])
