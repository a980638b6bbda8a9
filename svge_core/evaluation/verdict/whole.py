"""The three sentences together, of a checkpoint's recorded numbers."""

from collections.abc import Iterable, Mapping

from svge_core.checkpoints import Checkpoint, MetricRow
from svge_core.data import has_indices
from svge_core.errors import CheckpointError
from svge_core.evaluation import latent
from svge_core.evaluation.latent import QualityContent
from svge_core.evaluation.verdict.distances import follows
from svge_core.evaluation.verdict.prediction import predict_from
from svge_core.evaluation.verdict.reconstruction import reconstructs
from svge_core.evaluation.verdict.sentence import Sentence
from svge_core.predictors import PredictorInfo, stored_infos


def verdict_of(checkpoint: Checkpoint) -> tuple[Sentence, Sentence, Sentence]:
    """The verdict on a checkpoint from the files in its folder; a damaged one is said in its sentence."""
    indexed, digest = has_indices(checkpoint.model.space), checkpoint.digest
    quality, infos, problems = None, dict[str, PredictorInfo](), dict[str, Sentence]()
    try:
        quality = latent.load(checkpoint.folder, checkpoint.meta.space)
    except CheckpointError as error:
        problems["distances"] = Sentence("What distances follow cannot be read", _clause(error), "quality")
    try:
        infos = stored_infos(checkpoint.folder)
    except CheckpointError as error:
        problems["prediction"] = Sentence("What to predict from cannot be read", _clause(error), "fit")
    first, second, third = verdict(checkpoint.meta.metrics, quality, infos, digest=digest, indexed=indexed)
    return first, problems.get("distances", second), problems.get("prediction", third)


def verdict(
    metrics: Iterable[MetricRow],
    quality: QualityContent | None,
    infos: Mapping[str, PredictorInfo],
    *,
    digest: str,
    indexed: bool = True,
) -> tuple[Sentence, Sentence, Sentence]:
    """What is reconstructed, what distances follow and what to predict from.

    Args:
        metrics: rows of ``meta.json``.
        quality: what ``quality.json`` holds; None where there is none.
        infos: what is known of the predictors, by the key of the score.
        digest: of the weights; what was measured on others is not of this checkpoint.
        indexed: whether cells of the space have an index, without which neither distances are measured nor labels kept.
    """
    return reconstructs(metrics), follows(quality, digest, indexed), predict_from(quality, infos, digest, indexed)


def _clause(error: Exception) -> str:
    """An error for the inside of a sentence, whose full stop is the sentence's."""
    return str(error).removesuffix(".")
