"""The structure surrogate: a Gaussian process and boosted trees on structure features, with a calibrated interval.

Where the covariance of infinitely wide networks is known (:mod:`svge_core.features.kernel`), its first components are a
group of features beside the structure: no label is in them.

The mean is a weighted average of the two in the transformed unit: the process is smooth where the trees are steps, and
on NAS-Bench-101 and 201 their errors differ enough that the average ranks better than either. Where every gene has its
own effect (ENAS) trees are the worse model; the weight is that of least squared error on the left-out folds. The
standard deviation is the process's, scaled so that intervals of the average cover what they should.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.data import Prediction, check_size
from svge_core.errors import DataError
from svge_core.features import (
    REFERENCE_CELLS,
    FeatureScaling,
    KernelComponents,
    feature_scaling,
    has_kernel,
    structure_features,
)
from svge_core.predictors.calibration import TargetTransform, conformal_factor, fold_numbers, local_factors
from svge_core.predictors.gaussian_process import GaussianProcess, fit_parameters
from svge_core.predictors.names import Beside, full_name
from svge_core.predictors.trees import MANY_LABELS, TreeEnsemble
from svge_core.spaces import SPACES, AbstractSearchSpace

#: fewer cannot carry a 90 % interval, nor folds to calibrate it on
MIN_LABELS = 10
_FOLDS = 5
#: hyper-parameters are fitted on at most so many labels (a random subset); the posterior always uses all of them
_MAX_FOR_PARAMETERS = 300
#: components of the covariance of infinitely wide networks
KERNEL_COMPONENTS = 16
#: correlation of cross-validated errors from which two fits are of one surrogate
_SAME = 0.99


#: cells to posterior means (cells, latent)
Encode = Callable[[Sequence[Cell]], Float[np.ndarray, "cells latent"]]


@dataclass(frozen=True)
class LatentGroup:
    """A model's latents as one more group of features.

    Attributes:
        encode: the model.
        mean: of the codes of random cells (latent).
        scale: their standard deviation times the root of the number of dimensions (latent).
    """

    encode: Encode
    mean: Float[np.ndarray, " latent"]
    scale: Float[np.ndarray, " latent"]

    @classmethod
    def of(cls, space: AbstractSearchSpace, encode: Encode) -> "LatentGroup":
        """Scaled by random cells of the space; no label is needed."""
        rng = np.random.default_rng(0)
        codes = encode([space.random_cell(rng) for _ in range(REFERENCE_CELLS)])
        spread = np.maximum(codes.std(axis=0), 1e-9)
        return cls(encode, codes.mean(axis=0), spread * np.sqrt(codes.shape[1]))

    def apply(self, cells: Sequence[Cell]) -> Float[np.ndarray, "cells latent"]:
        """Scaled codes."""
        return (self.encode(cells) - self.mean) / self.scale


@dataclass(frozen=True)
class StructureSurrogate:
    """A fitted surrogate; made by :meth:`fit` or :meth:`load`.

    Attributes:
        space: the search space of the cells.
        scaling: of the features.
        transform: of the targets, fitted on all labels.
        posterior: the Gaussian process conditioned on all labels.
        trees: boosted trees grown on all labels.
        values: the labels, original unit (labels).
        scores: cross-validated absolute errors in predicted standard deviations, by label (labels).
        level: of the interval.
        seed: that drew the folds.
        latent: the latents it sees beside the structure features; None for none.
        trees_share: weight of the trees in the mean, chosen by the left-out folds.
        predicted: cross-validated predictions behind ``scores``, transformed unit (labels). The interval's factor
            depends on them; None, in files of before they were stored, is a single factor for all cells.
        kernel: components of the covariance of infinitely wide networks that it sees too; None for none.
    """

    space: AbstractSearchSpace
    scaling: FeatureScaling
    transform: TargetTransform
    posterior: GaussianProcess
    trees: TreeEnsemble
    values: Float[np.ndarray, " labels"]
    scores: Float[np.ndarray, " labels"]
    level: float
    seed: int
    latent: LatentGroup | None = None
    trees_share: float = 0.5
    predicted: Float[np.ndarray, " labels"] | None = None
    kernel: KernelComponents | None = None

    @property
    def num_labels(self) -> int:
        """How many labels it was fitted on."""
        return len(self.values)

    @property
    def beside(self) -> tuple[Beside, ...]:
        """The groups of features that it sees beside the structure."""
        found: list[Beside] = ["latents"] if self.latent is not None else []
        return (*found, "covariance") if self.kernel is not None else tuple(found)

    @classmethod
    def fit(
        cls,
        space: AbstractSearchSpace,
        cells: Sequence[Cell],
        values: Sequence[float] | np.ndarray,
        *,
        seed: int,
        level: float = 0.9,
        single_runs: bool = False,
        scaling: FeatureScaling | None = None,
        encode: Encode | None = None,
        kernel: bool = True,
    ) -> "StructureSurrogate":
        """Fit a surrogate to labelled cells.

        Args:
            space: the search space of the cells.
            cells: at least 10.
            values: one finite score per cell, any unit, higher or lower is better alike.
            seed: draws the folds of the calibration and, of many labels, those the hyper-parameters are fitted on.
            level: share of measurements the interval is made to cover.
            single_runs: whether labels are single training runs, some of which failed; see the calibration.
            scaling: of the features; by default that of the space, :func:`feature_scaling`.
            encode: a model of the space, trained without labels. From 1,000 labels on its latents are a group of
                features too; with fewer they gain nothing (measured on the designing half of NAS-Bench-101's labels).
            kernel: whether the covariance of infinitely wide networks is a group of features too, where it is known.

        Raises:
            DataError: if the space is unknown, there are too few labels, a score is missing or not finite, all scores
                are equal, or the level is impossible for so few labels.
        """
        labels = _checked(space, cells, values)
        conformal_factor(np.zeros(len(labels)), level)  # a bad level is said before the work
        scaling = scaling or feature_scaling(space.name)
        latent = LatentGroup.of(space, encode) if encode is not None and len(labels) >= MANY_LABELS else None
        known = KernelComponents.of(space, KERNEL_COMPONENTS) if kernel and has_kernel(space) else None
        features = scaling.apply(structure_features(space, cells).values)
        features += [more for more in _beside_structure(cells, latent, known) if more.size]
        return cls._of_features(space, scaling, latent, known, features, labels, seed, level, single_runs)

    @classmethod
    def _of_features(
        cls,
        space: AbstractSearchSpace,
        scaling: FeatureScaling,
        latent: LatentGroup | None,
        kernel: KernelComponents | None,
        features: Sequence[np.ndarray],
        labels: np.ndarray,
        seed: int,
        level: float,
        single_runs: bool,
    ) -> "StructureSurrogate":
        """:meth:`fit` from scaled features on."""
        rng = np.random.default_rng(seed)
        transform, posterior, trees = _condition(features, labels, rng, single_runs)
        folds = fold_numbers(len(labels), _FOLDS, rng)
        truth, smooth, stepped, std, predicted = np.empty((5, len(labels)))
        fold_transforms = []
        for number in range(_FOLDS):
            seen, held = folds != number, folds == number
            fold_transform, process, grown = _condition([x[seen] for x in features], labels[seen], rng, single_runs)
            left_out = [x[held] for x in features]
            truth[held] = fold_transform.forward(labels[held])
            smooth[held], std[held] = process.predict(left_out)
            stepped[held] = grown.predict(np.concatenate(left_out, axis=1))
            fold_transforms.append(fold_transform)
        share = best_share(smooth, stepped, truth)
        scores = np.abs(truth - (1 - share) * smooth - share * stepped) / std
        for number, fold_transform in enumerate(fold_transforms):
            held = folds == number
            in_fold = (1 - share) * smooth[held] + share * stepped[held]
            predicted[held] = transform.forward(fold_transform.backward(in_fold))
        return cls(
            space,
            scaling,
            transform,
            posterior,
            trees,
            labels,
            scores,
            float(level),
            int(seed),
            latent,
            share,
            predicted,
            kernel,
        )

    def recalibrated(self) -> "StructureSurrogate":
        """The same surrogate with an interval fitted anew: its mean stays what it is, to the last bit.

        The folds are fitted again to the features and labels that it keeps.

        Raises:
            DataError: if that gives another surrogate than this one, because the program grows others by now.
        """
        again = self._of_features(
            self.space,
            self.scaling,
            self.latent,
            self.kernel,
            self.posterior.features,
            self.values,
            self.seed,
            self.level,
            single_runs=self.transform.power_share == 1.0,
        )
        # another processor may break ties among splits in another way, which moves a few scores
        if again.trees_share != self.trees_share or np.corrcoef(again.scores, self.scores)[0, 1] < _SAME:
            raise DataError(
                "The stored surrogate's folds cannot be fitted again: this program gives other cross-validated errors "
                "than it keeps. Fit it as a whole."
            )
        return replace(self, predicted=again.predicted)

    def predict(self, cells: Sequence[Cell]) -> Prediction:
        """Predict cells of the same space; equal features give equal predictions.

        Mean and standard deviation are calibrated by one factor for all cells, the interval by the factors of
        :func:`svge_core.predictors.calibration.local_factors`.

        Raises:
            DataError: if a cell carries an operation the space does not know.
        """
        raw = structure_features(self.space, cells).values
        # many cells differ only in dead parts: 15,625 NAS-Bench-201 strings have 8,629 distinct rows
        more = _beside_structure(cells, self.latent, self.kernel)
        distinct, back = np.unique(np.concatenate([raw, *more], axis=1), axis=0, return_inverse=True)
        groups = self.scaling.apply(distinct[:, : raw.shape[1]])
        ends = np.cumsum([raw.shape[1], *(group.shape[1] for group in more)])[:-1]
        groups += [group for group in np.split(distinct, ends, axis=1)[1:] if group.size]
        z_mean, z_std = self.posterior.predict(groups)
        if self.trees_share > 0:
            stepped = self.trees.predict(np.concatenate(groups, axis=1))
            z_mean = (1 - self.trees_share) * z_mean + self.trees_share * stepped
        nodes, weights = np.polynomial.hermite_e.hermegauss(15)
        weights = weights / weights.sum()
        factor = conformal_factor(self.scores, self.level)
        calibrated = z_std * factor / _normal_quantile(0.5 + self.level / 2)
        draws = self.transform.backward(z_mean[:, None] + calibrated[:, None] * nodes)
        mean = draws @ weights
        std = np.sqrt(((draws - mean[:, None]) ** 2) @ weights)
        if self.predicted is not None:
            factor = local_factors(self.scores, self.predicted, self.level, z_mean)
        low = self.transform.backward(z_mean - factor * z_std)
        high = self.transform.backward(z_mean + factor * z_std)
        if self.predicted is not None:  # the mean of a skewed distribution can lie outside of its central part
            low, high = np.minimum(low, mean), np.maximum(high, mean)
        back = back.reshape(-1)
        mean, std, low, high = (column[back] for column in (mean, std, low, high))
        return Prediction("", mean, low, high, self.level, full_name(self.beside), self.num_labels, std=std)


def _beside_structure(
    cells: Sequence[Cell], latent: LatentGroup | None, kernel: KernelComponents | None
) -> list[np.ndarray]:
    """The groups of features beside structure; one that there is not has no column."""
    none = np.empty((len(cells), 0))
    # the square root as for the others: a group's squared distances are means over its columns
    covariance = none if kernel is None else kernel.scores(cells) / np.sqrt(kernel.directions.shape[1])
    return [none if latent is None else latent.apply(cells), covariance]


def _condition(
    features: Sequence[np.ndarray], labels: np.ndarray, rng: np.random.Generator, single_runs: bool = False
) -> tuple[TargetTransform, GaussianProcess, TreeEnsemble]:
    """Transform, hyper-parameters and posterior of some labels, and the trees grown on them."""
    transform = TargetTransform.fit(labels, single_runs=single_runs)
    targets = transform.forward(labels)
    chosen = np.arange(len(labels))
    if len(labels) > _MAX_FOR_PARAMETERS:
        chosen = rng.choice(len(labels), _MAX_FOR_PARAMETERS, replace=False)
    parameters = fit_parameters([x[chosen] for x in features], targets[chosen])
    trees = TreeEnsemble.fit(np.concatenate(list(features), axis=1), targets, int(rng.integers(2**20)))
    return transform, GaussianProcess(parameters, features, targets), trees


def best_share(
    smooth: Float[np.ndarray, " labels"], stepped: Float[np.ndarray, " labels"], truth: Float[np.ndarray, " labels"]
) -> float:
    """Weight w in [0, 1] of least squared error of (1 - w) smooth + w stepped, in closed form, rounded to a tenth."""
    apart = stepped - smooth
    power = float(apart @ apart)
    share = 0.0 if power == 0 else float(apart @ (truth - smooth)) / power
    return round(min(max(share, 0.0), 1.0), 1)


def _checked(space: AbstractSearchSpace, cells: Sequence[Cell], values: Sequence[float] | np.ndarray) -> np.ndarray:
    if space.name not in SPACES:
        raise DataError(f"Unknown search space {space.name!r}: expected one of {', '.join(sorted(SPACES))}.")
    labels = np.asarray(values, dtype=np.float64)
    if labels.ndim != 1 or len(labels) != len(cells):
        raise DataError(
            f"Every cell needs one score: got {len(cells)} cells and scores of shape {labels.shape}. "
            "Give two lists of the same length."
        )
    if len(labels) < MIN_LABELS:
        raise DataError(f"A surrogate needs at least {MIN_LABELS} labelled cells; got {len(labels)}. Add labels.")
    bad = np.flatnonzero(~np.isfinite(labels))
    if len(bad):
        raise DataError(
            f"Scores must be finite numbers: {len(bad)} of {len(labels)} are not, the first is {labels[bad[0]]} at "
            f"position {bad[0]}. Drop those cells."
        )
    check_size(labels)
    if np.ptp(labels) == 0:
        raise DataError(f"All {len(labels)} scores equal {labels[0]:g}: there is nothing to learn. Add other labels.")
    return labels


def _normal_quantile(probability: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(probability)
