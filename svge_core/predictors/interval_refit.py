"""The intervals of a stored predictor, fitted anew: ``svge fit --intervals``. What it predicts stays as it is."""

import msgspec
import numpy as np
from jaxtyping import Float, Int

from svge_core.atlas import load_chart
from svge_core.checkpoints import Checkpoint
from svge_core.data import ScoreMeaning
from svge_core.errors import DataError
from svge_core.files import write_columns
from svge_core.predictors.checkpoint_predictors import (
    SURROGATE,
    WHOLE,
    columns_at,
    encoder_of,
    held_out_results,
    known_labels,
    load_joint,
    load_predictors,
    predicted_columns,
)
from svge_core.predictors.cross_validation import cross_validated
from svge_core.predictors.predictor_info import FOLDER, PredictorInfo, write_info
from svge_core.predictors.surrogate_file import load_surrogate, save_surrogate


def refit_intervals(
    checkpoint: Checkpoint,
    meaning: ScoreMeaning,
    indices: Int[np.ndarray, " labelled"],
    values: Float[np.ndarray, " labelled"],
) -> PredictorInfo:
    """Fit the intervals of the score's predictor again, by today's calibration, on the labels that it was fitted on.

    The surrogate's means and the joint head keep every bit, and so do their results on held-out cells; the intervals of
    all stored predictions, their coverage and width are computed anew.

    Args:
        checkpoint: beside which the predictor is stored.
        meaning: of the score; its key names the predictor.
        indices: official indices of labelled cells, among them those it was fitted on; each once.
        values: their scores; cells whose value is NaN are left out.

    Returns:
        the information stored with the predictor.

    Raises:
        DataError: if there is no predictor of the score, or it was fitted on other labels than these.
        CheckpointError: if a file of it is damaged.
    """
    space, key = checkpoint.model.space, meaning.key
    predictors = load_predictors(checkpoint, space)
    info, folder = predictors.info(key), checkpoint.folder / FOLDER / key
    indices, values = known_labels(key, indices, values)
    used = predictors.training_indices(key)
    rows = np.searchsorted(indices, used).clip(max=max(len(indices) - 1, 0))
    surrogate = load_surrogate(folder / SURROGATE, encoder_of(checkpoint.model))
    if not len(indices) or not (indices[rows] == used).all() or not np.array_equal(values[rows], surrogate.values):
        raise DataError(
            f"The predictor of {key!r} was fitted on {len(used):,} labels that are not all among these "
            f"{len(indices):,}: give those of its command ({info.command or 'not recorded'}), or fit it as a whole."
        )
    surrogate = surrogate.recalibrated()
    joint, chart, stored = load_joint(folder, checkpoint, info), load_chart(checkpoint), predictors.whole_space(key)
    columns = predicted_columns(surrogate, joint, space, chart)
    found = held_out_results(values, rows, columns_at(indices, chart, columns, surrogate, joint, space))
    held_out = dict(info.held_out)
    if "surrogate" in held_out:
        new = found["surrogate"]
        held_out["surrogate"] = msgspec.structs.replace(
            held_out["surrogate"],
            coverage=new.coverage,
            mean_width=new.mean_width,
            coverage_fifths=new.coverage_fifths,
        )
    across = info.cross_validated and cross_validated(
        space,
        [space.from_index(int(index)) for index in used],
        surrogate.values,
        seed=surrogate.seed,
        level=surrogate.level,
        single_runs=meaning.single_run,
        encode=encoder_of(checkpoint.model),
    )
    info = msgspec.structs.replace(info, held_out=held_out, cross_validated=across)
    # another processor sums in another order: what is stored of the predictions stays
    assert stored.joint is not None
    kept = {name: column.astype(np.float32) for name, column in (("mean", stored.mean), ("joint", stored.joint))}
    save_surrogate(surrogate, folder / SURROGATE)
    write_columns(folder / WHOLE, {**columns, **kept})
    write_info(folder, info)
    return info
