"""Target transform and interval calibration of the surrogates.

**Transform.** Accuracies have a long tail of bad cells that would otherwise set the scale of the whole regression. The
targets are replaced by the average of their standardised value and their Yeo-Johnson transform (Yeo & Johnson 2000)
with the exponent of largest likelihood. The transform alone flattens the tail so much that its inverse is wild there;
the average keeps the gain in the middle and a bounded inverse, and works for tails on either side.

Labels of single training runs are another matter: now and then a run fails, and one failure among a hundred labels
says nothing of structure but sets the scale. There (``single_runs``) labels more than three interquartile ranges below
the first quartile are taken for that value, and the transform is Yeo-Johnson's alone.

**Interval.** The labels are split into folds; each fold is predicted by a model that never saw it (transform and
hyper-parameters included), and its score is the absolute error in units of the predicted standard deviation. The
ceil((n + 1) level)-th smallest of the n scores scales the full model's predicted standard deviation: a conformal
interval with cross-validated, normalised scores (Lei et al. 2018; the plain cross-validated method that Barber et al.
2021, "Predictive inference with the jackknife+", start from). Its finite-sample claim, stated plainly: none that is
free of assumptions. Coverage is near ``level`` for exchangeable labels as long as the fitted model hardly changes when
a fold is left out; ``python -m bench.predictor`` measures it. The CV+ interval has a guarantee (about 2 level - 1);
on CIFAR-100 and ImageNet16-120 labels it covered 92 to 95 % at a nominal 90 % and was 8 to 30 % wider (tried with other
target transforms than this one). Labels chosen by a search are not exchangeable with the rest: there the interval is a
guide.

**Where people look.** One factor for all cells covers some parts of the predictions too much and others, often the best
cells, too little (``docs/results/prediction.md`` has the numbers). So the factor of a cell is the same quantile with
weights, highest for labels whose left-out prediction stands near its own: a normal kernel over the ranks of the
predictions, a tenth of the labels wide (localised conformal prediction, Guan 2023, in a simple form: the cell itself
has the weight of one effective label, at infinity). Where that leaves fewer than :data:`EFFECTIVE` effective labels
(Kish 1965) the kernel is widened, so that few labels share a single factor. Width and number were chosen on the
designing half of NAS-Bench-101 and on NAS-Bench-201's CIFAR-100 and ImageNet16-120.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from svge_core.errors import DataError

AnyShape = Float[np.ndarray, "*shape"]

#: grid points of the inverse, and how many standard deviations beyond the seen values it reaches
_GRID = 8001
_REACH = 4.0
_EXPONENT_LIMIT = 5.0
#: width of the kernel that weighs scores by the rank of their prediction, as a share of the labels
_WIDTH = 0.1
#: fewest effective labels behind a local factor: three of them lie beyond it at a level of 90 %
EFFECTIVE = 30
#: ranks at which local factors are computed; linear between them
_RANKS = 41


@dataclass(frozen=True)
class TargetTransform:
    """Monotone map from the original unit to roughly standard normal values and back.

    Attributes:
        centre: median of the labels, original unit.
        scale: standard deviation of the labels, original unit.
        exponent: Yeo-Johnson exponent lambda; 1 is the identity.
        power_mean: mean of the power-transformed labels.
        power_scale: their standard deviation.
        offset: mean of the averaged transform over the labels.
        spread: its standard deviation.
        low: smallest value the inverse reaches, original unit.
        high: largest value the inverse reaches, original unit.
        power_share: weight of the power transform in the average.
        floor: labels below it are taken for it, original unit; -inf for none.
    """

    centre: float
    scale: float
    exponent: float
    power_mean: float
    power_scale: float
    offset: float
    spread: float
    low: float
    high: float
    power_share: float = 0.5
    floor: float = -math.inf

    @classmethod
    def fit(cls, values: Float[np.ndarray, " labels"], *, single_runs: bool = False) -> "TargetTransform":
        """Fit to labels; equal labels give a transform without effect.

        Args:
            values: finite labels.
            single_runs: whether labels are single training runs, some of which failed.
        """
        from scipy.stats import yeojohnson, yeojohnson_normmax

        power_share, floor = (1.0, _floor(values)) if single_runs else (0.5, -math.inf)
        values = np.maximum(values, floor)

        centre, scale = float(np.median(values)), float(np.std(values)) or 1.0
        standard = (values - centre) / scale
        exponent = 1.0 if np.ptp(values) == 0 else float(np.asarray(yeojohnson_normmax(standard)))
        exponent = float(np.clip(exponent, -_EXPONENT_LIMIT, _EXPONENT_LIMIT))
        power = np.asarray(yeojohnson(standard, lmbda=exponent))
        power_mean, power_scale = float(power.mean()), float(power.std()) or 1.0
        mixed = power_share * (power - power_mean) / power_scale + (1 - power_share) * standard
        return cls(
            centre,
            scale,
            exponent,
            power_mean,
            power_scale,
            offset=float(mixed.mean()),
            spread=float(mixed.std()) or 1.0,
            low=float(values.min()) - _REACH * scale,
            high=float(values.max()) + _REACH * scale,
            power_share=power_share,
            floor=floor,
        )

    def forward(self, values: AnyShape) -> AnyShape:
        """Original unit to transformed; values below the floor as the floor."""
        return self._unbounded(np.maximum(np.asarray(values, dtype=np.float64), self.floor))

    def _unbounded(self, values: AnyShape) -> AnyShape:
        from scipy.stats import yeojohnson

        standard = (values - self.centre) / self.scale
        power = (np.asarray(yeojohnson(standard, lmbda=self.exponent)) - self.power_mean) / self.power_scale
        return (self.power_share * power + (1 - self.power_share) * standard - self.offset) / self.spread

    @cached_property
    def _inverse_table(self) -> tuple[np.ndarray, np.ndarray]:
        grid = np.linspace(self.low, self.high, _GRID)
        return self._unbounded(grid), grid

    def backward(self, transformed: AnyShape) -> AnyShape:
        """Transformed to original unit, clipped to [low, high]; linear between 8,001 grid points."""
        return np.interp(transformed, *self._inverse_table)


def _floor(values: Float[np.ndarray, " labels"]) -> float:
    """Three interquartile ranges below the first quartile."""
    first, third = np.percentile(values, [25, 75])
    return float(first - 3 * (third - first))


def fold_numbers(count: int, folds: int, rng: np.random.Generator) -> np.ndarray:
    """A fold for every label: sizes differ by one at most."""
    return rng.permutation(count) % folds


def conformal_factor(scores: Float[np.ndarray, " labels"], level: float) -> float:
    """The ceil((n + 1) level)-th smallest of n absolute scores.

    Raises:
        DataError: if the level is not between 0 and 1, or too high for so few labels.
    """
    if not 0.0 < level < 1.0:
        raise DataError(f"The interval level is a fraction between 0 and 1, such as 0.9; got {level}.")
    count = len(scores)
    rank = math.ceil((count + 1) * level - 1e-9)
    if rank > count:
        raise DataError(
            f"A {level:.0%} interval needs at least {math.ceil(level / (1 - level) - 1e-9)} labels; got {count}. "
            "Add labels or lower the level."
        )
    return float(np.sort(scores)[rank - 1])


def local_factors(
    scores: Float[np.ndarray, " labels"],
    predicted: Float[np.ndarray, " labels"],
    level: float,
    at: Float[np.ndarray, " cells"],
) -> Float[np.ndarray, " cells"]:
    """Factors of predicted standard deviations that suit the predictions of some cells; see the module.

    With equal weights the factor is that of :func:`conformal_factor`; so it is for up to :data:`EFFECTIVE` labels.

    Args:
        scores: absolute errors of left-out predictions in predicted standard deviations.
        predicted: those predictions, of the same labels; only their order counts.
        level: as in :func:`conformal_factor`.
        at: predictions that factors are wanted for, in the unit of ``predicted``.

    Raises:
        DataError: as :func:`conformal_factor`.
    """
    single, count = conformal_factor(scores, level), len(scores)
    fewest = max(EFFECTIVE, math.ceil(3 / (1 - level) - 1e-9))
    if count <= fewest:
        return np.full(len(at), single)
    values, place, repeats = np.unique(predicted, return_inverse=True, return_counts=True)
    middle = (np.cumsum(repeats) - repeats / 2) / count  # equal predictions share a rank
    ranks, ascending = middle[place], np.argsort(scores)
    grid = np.linspace(0.0, 1.0, _RANKS)
    factors = np.empty(_RANKS)
    for number, centre in enumerate(grid):
        weights = _weights(ranks - centre, fewest)
        # the cell itself has the weight of one label: with equal weights this is rank ceil((n + 1) level)
        reached = np.cumsum(weights[ascending]) / (weights.sum() + np.square(weights).sum() / weights.sum())
        factors[number] = scores[ascending[min(np.searchsorted(reached, level - 1e-9), count - 1)]]
    return np.interp(np.interp(at, values, middle), grid, factors)


def _weights(distance: Float[np.ndarray, " labels"], fewest: int) -> Float[np.ndarray, " labels"]:
    """A normal kernel of so many effective labels (squared sum over sum of squares) at least."""
    width = _WIDTH
    while True:
        weights = np.exp(-0.5 * np.square(distance / width))
        if weights.sum() ** 2 >= fewest * np.square(weights).sum():
            return weights
        width *= 1.1
