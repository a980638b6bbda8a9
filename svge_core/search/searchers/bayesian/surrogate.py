"""The surrogate of the Bayesian searchers: a Gaussian process on rank-normalised targets, its features chosen anew.

Of the representations offered (structure features, latent, both) the one whose leave-one-out predictive likelihood is
greatest is used in that round; all likelihoods are reported.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from svge_core.cells import Cell
from svge_core.data import scaled, unscaled
from svge_core.predictors import JITTER, GaussianProcess, KernelParameters, fit_parameters
from svge_core.search.searchers.bayesian.encodings import Encodings, Representation

#: hyper-parameters are fitted on at most so many observations; the posterior uses all
_MAX_FOR_PARAMETERS = 250
#: most observations that the process is conditioned on
MAX_CONDITIONED = 1_500
#: up to this many observations hyper-parameters are fitted on every ask, then whenever there are so many times more
_ALWAYS, _GROWTH = 30, 1.15


@dataclass(frozen=True)
class Surrogate:
    """A fitted process over cells.

    Attributes:
        encodings: of the cells.
        representation: which one it sees.
        posterior: on standard targets.
        targets: rank-normal values of the observations (observations).
        utilities: their values, greater is better (observations).
        likelihoods: mean leave-one-out log predictive density of every representation tried.
    """

    encodings: Encodings
    representation: Representation
    posterior: GaussianProcess
    targets: Float[np.ndarray, " observations"]
    utilities: Float[np.ndarray, " observations"]
    likelihoods: dict[Representation, float]

    def marginals(self, cells: Sequence[Cell]) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of a measurement of each cell, in standard targets."""
        return self.posterior.predict(self.encodings.groups(cells, self.representation))

    def joint(self, cells: Sequence[Cell]) -> tuple[np.ndarray, np.ndarray]:
        """Mean (cells) and covariance (cells, cells) of measurements of distinct cells, in standard targets."""
        mean, covariance = self.posterior.joint(self.encodings.groups(cells, self.representation))
        return mean, covariance + (self.posterior.parameters.noise + JITTER) * np.eye(len(mean))

    def in_unit(self, mean: np.ndarray, std: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations as utilities: ranks turned back by interpolation, linear beyond the seen.

        Of equal utilities the standard deviation is 0. What lies beyond float64 is its largest number.
        """
        order = np.argsort(self.targets)
        x, at = np.unique(self.targets[order], return_index=True)
        y, exponent = scaled(self.utilities[order][at])  # their differences are finite then
        # the slope at an end is that of its outer third: a single pair of neighbours says little
        third = max(len(x) // 3, 1) if len(x) > 1 else 0
        low, high = _slope(x, y, 0, third), _slope(x, y, len(x) - 1 - third, len(x) - 1)

        def back(z: np.ndarray) -> np.ndarray:
            inside = np.interp(z, x, y)
            return inside + low * np.minimum(z - x[0], 0.0) + high * np.maximum(z - x[-1], 0.0)

        return unscaled(back(mean), exponent), unscaled((back(mean + std) - back(mean - std)) / 2.0, exponent)


def _slope(x: np.ndarray, y: np.ndarray, first: int, last: int) -> float:
    return 0.0 if first == last else float((y[last] - y[first]) / (x[last] - x[first]))


def rank_normal(values: Float[np.ndarray, " observations"]) -> Float[np.ndarray, " observations"]:
    """Standard normal quantiles of the ranks, ties averaged: order alone matters, so a bad tail sets no scale."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return ndtri((rankdata(values) - 0.5) / len(values))


def leave_one_out(posterior: GaussianProcess) -> float:
    """Mean log predictive density of each target given the others (Rasmussen & Williams 2006, eqs. 5.10 to 5.12)."""
    precision = posterior.precision
    diagonal = np.diag(precision)
    errors = (precision @ posterior.targets) / diagonal
    return float(np.mean(0.5 * np.log(diagonal) - 0.5 * errors**2 * diagonal - 0.5 * np.log(2.0 * np.pi)))


def fitting_size(count: int) -> int:
    """On how many of the first observations the hyper-parameters in use at ``count`` were fitted."""
    size = min(count, _ALWAYS)
    while size >= _ALWAYS and int(np.ceil(size * _GROWTH)) <= count:
        size = int(np.ceil(size * _GROWTH))
    return size


def conditioning_rows(utilities: Float[np.ndarray, " observations"]) -> Int[np.ndarray, " rows"]:
    """Which observations the process is conditioned on, ascending: all of up to :data:`MAX_CONDITIONED`.

    The cost of a process grows with the cube of their number, so of more (imported labels, mostly) the best half, the
    newest sixth and a random third are taken; the draw depends on their number alone.
    """
    count = len(utilities)
    if count <= MAX_CONDITIONED:
        return np.arange(count)
    best = np.argsort(-utilities, kind="stable")[: MAX_CONDITIONED // 2]
    chosen = np.union1d(best, np.arange(count - MAX_CONDITIONED // 6, count))
    others = np.setdiff1d(np.arange(count), chosen)
    drawn = np.random.default_rng(count).choice(others, MAX_CONDITIONED - len(chosen), replace=False)
    return np.sort(np.concatenate([chosen, drawn]))


class SurrogateFitter:
    """Fits surrogates to growing histories; keeps the last hyper-parameters to spare fitting them anew.

    Args:
        encodings: of the cells.
        representations: to choose from.
    """

    def __init__(self, encodings: Encodings, representations: Sequence[Representation]) -> None:
        self.encodings, self.representations = encodings, tuple(representations)
        self._fitted: dict[Representation, tuple[tuple[Cell, ...], KernelParameters]] = {}

    def fit(
        self,
        cells: Sequence[Cell],
        utilities: Float[np.ndarray, " observations"],
        design: tuple[Sequence[Cell], Float[np.ndarray, " design"]] | None = None,
    ) -> Surrogate:
        """The surrogate of the most likely representation.

        Args:
            cells: what it is conditioned on.
            utilities: of them.
            design: what the hyper-parameters are fitted on, the same at every ask until it grows, so that a search that
                goes on after a kill finds the same ones; the first :func:`fitting_size` of the cells by default.
        """
        targets = rank_normal(utilities)
        size = fitting_size(len(cells))
        known, values = design or (cells[:size], utilities[:size])
        found: dict[Representation, tuple[float, GaussianProcess]] = {}
        for name in self.representations:
            groups = self.encodings.groups(cells, name)
            parameters = self._parameters(name, values, tuple(known))
            posterior = GaussianProcess(parameters, groups, targets)
            found[name] = (leave_one_out(posterior), posterior)
        best = max(self.representations, key=lambda name: found[name][0])
        likelihoods: dict[Representation, float] = {name: value for name, (value, _) in found.items()}
        return Surrogate(self.encodings, best, found[best][1], targets, utilities, likelihoods)

    def _parameters(self, name: Representation, utilities: np.ndarray, cells: tuple[Cell, ...]) -> KernelParameters:
        known = self._fitted.get(name)
        if known is not None and known[0] == cells:
            return known[1]
        chosen = np.arange(len(cells))
        if len(cells) > _MAX_FOR_PARAMETERS:
            chosen = np.sort(np.random.default_rng(len(cells)).choice(len(cells), _MAX_FOR_PARAMETERS, replace=False))
        groups = self.encodings.groups([cells[i] for i in chosen], name)
        parameters = fit_parameters(groups, rank_normal(utilities[chosen]))
        self._fitted[name] = (cells, parameters)
        return parameters
