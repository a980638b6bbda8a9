"""From a checkpoint folder to an `Explorer`, with words on what is missing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from svge_core.atlas import chart_scores, load_atlas
from svge_core.checkpoints import Checkpoint, load_checkpoint
from svge_core.data import Scores, analytic_scores, load_scores
from svge_core.errors import DataError
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.predictor_source import PredictorSource
from svge_core.spaces import AbstractSearchSpace

#: folder of the predictors beside a checkpoint
PREDICTORS = "predictors"


def open_explorer(folder: str | Path, device: str | torch.device = "cpu") -> Explorer:
    """Open a checkpoint folder with its atlas, predictors and the known scores of its space.

    What is merely missing (measured values, predictors) is left out and named in ``notices``; what is damaged raises.

    Raises:
        CheckpointError: checkpoint or atlas missing, damaged or not belonging together.
    """
    return assemble_explorer(load_checkpoint(Path(folder), device=device))


def assemble_explorer(
    checkpoint: Checkpoint, read_scores: Callable[[AbstractSearchSpace], Scores] = load_scores
) -> Explorer:
    """The same of a checkpoint that is open already.

    Args:
        checkpoint: the model.
        read_scores: gives the known scores of a listed space, as :func:`svge_core.data.load_scores` does.

    Raises:
        CheckpointError: if the atlas is missing, damaged or not of this checkpoint.
    """
    folder, space = checkpoint.folder, checkpoint.model.space
    atlas = load_atlas(checkpoint, space)
    notices: list[str] = []
    if not space.enumerated:
        scores = chart_scores(space, atlas.cells(space, np.arange(len(atlas))))
    else:
        try:
            scores = read_scores(space)
        except DataError as error:
            scores = analytic_scores(space)
            notices.append(f"No measured values are shown. {error}")
    predictors: PredictorSource | None = None
    if (folder / PREDICTORS).is_dir():
        # what predicts is loaded only where there is something to predict with
        from svge_core.predictors import load_predictors

        predictors = load_predictors(checkpoint, space)
    if predictors is None or not predictors.score_keys:
        predictors = None
        notices.append("This checkpoint has no predictors, so no accuracy is predicted.")
    return Explorer(space, checkpoint, atlas, scores, predictors, tuple(notices))
