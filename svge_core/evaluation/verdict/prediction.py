"""What to predict scores from: structure features or the latent, fitted on labels or by distance alone."""

from collections.abc import Mapping
from typing import Literal

from svge_core.data import meaning_from_dict, score_name
from svge_core.evaluation.latent import SAME_TAU, QualityContent, ScoreNeighbours
from svge_core.evaluation.verdict.distances import judged
from svge_core.evaluation.verdict.sentence import Sentence, tau_words
from svge_core.predictors import SHORT_NAME, PredictorInfo, features_in_words

Better = Literal["latent", "other", "same"]
NOT_BY_DISTANCE = ", not from distances in this latent"


def predict_from(
    quality: QualityContent | None, infos: Mapping[str, PredictorInfo], digest: str, indexed: bool = True
) -> Sentence:
    """Whether structure features or the latent predict better, fitted on labels and by distance alone."""
    if not indexed:
        return Sentence(
            "There is nothing to predict from", "labels are kept by index, and cells of this space have none"
        )
    near = None if quality is None or quality.checkpoint != digest else judged(quality)
    if near is not None and near.latent.kendall_tau is None:
        near = None
    own = {key: info for key, info in infos.items() if info.checkpoint == digest}
    measured = {key: info for key, info in own.items() if _held_out(info, "surrogate") is not None}
    if measured:
        info = measured.get(near.key if near else "") or next(iter(measured.values()))
        return _fitted(info, near if near is not None and near.key == info.score else None)
    why = "no predictor has been fitted"
    if infos:
        why = "no predictor records how it does on unseen cells" if own else "predictors are of earlier weights only"
    return Sentence(why[0].upper() + why[1:], command="fit") if near is None else _unfitted(near, why)


def _held_out(info: PredictorInfo, name: Literal["surrogate", "joint"]) -> float | None:
    row = info.held_out.get(name)
    return None if row is None else row.kendall_tau


def _compared(own: float, other: float) -> Better:
    """Which tau is higher, that of the latent or the other."""
    if abs(own - other) <= SAME_TAU:
        return "same"
    return "latent" if own > other else "other"


def _by_distance(near: ScoreNeighbours) -> tuple[Better, str]:
    """How nearest latents rank beside the better of one-hot codes and structure features, and which that is."""
    taus = {"structure features": near.structure.kendall_tau, "one-hot codes": near.one_hot.kendall_tau}
    known = {name: tau for name, tau in taus.items() if tau is not None}
    best = max(known, key=known.__getitem__, default="structure features")
    return _compared(near.latent.kendall_tau or 0.0, known.get(best, 0.0)), best


def _fitted(info: PredictorInfo, near: ScoreNeighbours | None) -> Sentence:
    """What predictors fitted on labels say, and how that stands to distances."""
    surrogate, joint = _held_out(info, "surrogate"), _held_out(info, "joint")
    assert surrogate is not None, "it was chosen for having one"
    features = features_in_words(info.beside)
    better: Better = "other" if joint is None else _compared(joint, surrogate)
    claim = _claims(features)[better]
    evidence = (
        f"{SHORT_NAME} on {features}, fitted on {info.labels:,} labels, rank {info.held_out['surrogate'].of:,} "
        f"held-out cells by {_score(info)} with Kendall tau {tau_words(surrogate)}, "
    )
    evidence += f"the joint head on the latent {tau_words(joint)}" if joint is not None else "no joint head is recorded"
    if near is None:
        return Sentence(claim, evidence)
    nearest, best = _by_distance(near)
    if nearest == "other":
        claim += NOT_BY_DISTANCE
    elif better == "other":
        words = "better than" if nearest == "latent" else "as well as"
        claim += f" with a fitted predictor; distances in this latent rank {words} those of {best}"
    evidence += f", nearest latents alone {tau_words(near.latent.kendall_tau)} ({near.latent.cells:,} cells)"
    return Sentence(claim, evidence)


def _unfitted(near: ScoreNeighbours, why: str) -> Sentence:
    """What nearest neighbours say where no predictor was fitted."""
    nearest, best = _by_distance(near)
    own, structured, coded = (tau_words(near.fit(name).kendall_tau) for name in ("latent", "structure", "one_hot"))
    evidence = (
        f"nearest neighbours rank {near.latent.cells:,} cells by {score_name(near.score)} with Kendall tau {own} in "
        f"the latent, {structured} by structure features, {coded} by one-hot codes; {why}"
    )
    return Sentence(_claims(best)[nearest] + (NOT_BY_DISTANCE if nearest == "other" else ""), evidence, "fit")


def _claims(other: str) -> dict[Better, str]:
    return {
        "other": f"Predict from {other}",
        "latent": "Predict from the latent",
        "same": f"Predict from the latent as well as from {other}",
    }


def _score(info: PredictorInfo) -> str:
    return info.score if info.meaning is None else score_name(meaning_from_dict(info.meaning))
