"""From a checkpoint folder to an `Explorer`, with words on what is missing."""

from pathlib import Path

import torch

from svge_core.atlas import chart_scores, load_atlas
from svge_core.checkpoints import load_checkpoint
from svge_core.data import analytic_scores, load_scores
from svge_core.errors import DataError
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.predictor_source import PredictorSource

#: folder of the predictors beside a checkpoint
PREDICTORS = "predictors"


def open_explorer(folder: str | Path, device: str | torch.device = "cpu") -> Explorer:
    """Open a checkpoint folder with its atlas, predictors and the known scores of its space.

    What is merely missing (measured values, predictors) is left out and named in ``notices``; what is damaged raises.

    Raises:
        CheckpointError: checkpoint or atlas missing, damaged or not belonging together.
    """
    folder = Path(folder)
    checkpoint = load_checkpoint(folder, device=device)
    space = checkpoint.model.space
    atlas = load_atlas(checkpoint, space)
    notices: list[str] = []
    if not space.enumerated:
        scores = chart_scores(space, atlas.indices)
    else:
        try:
            scores = load_scores(space)
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
