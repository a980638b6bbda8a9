"""A small exact Gaussian process over grouped features, in NumPy float64, with analytic gradients.

Covariance of two feature vectors x, x' made of groups g (each standardised and divided by the root of its width):

    sum_g signal_g M(|x_g - x'_g| / length_g) + signal_joint M(sqrt(sum_g |x_g - x'_g|^2 / joint_length_g^2))
    + sum_g linear_g <x_g, x'_g> + noise [same observation]

with M the Matern-5/2 function (Rasmussen & Williams 2006, eq. 4.17). The additive terms generalise from few labels,
the joint term learns interactions once there are more. Hyper-parameters maximise the log marginal likelihood plus
log-normal priors (a maximum a posteriori estimate), by L-BFGS. No gpytorch: a handful of precomputed distance matrices
and hand-written derivatives need no import of seconds and no automatic differentiation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Pairs = Float[np.ndarray, "rows others"]
#: one matrix per group: the same rows, each group its own columns
Groups = Sequence[Float[np.ndarray, "rows _"]]
OtherGroups = Sequence[Float[np.ndarray, "others _"]]
Targets = Float[np.ndarray, " rows"]
PerGroup = Float[np.ndarray, " groups"]
Log = Float[np.ndarray, " parameters"]
Square = Float[np.ndarray, "rows rows"]

#: added to the noise variance so that the Cholesky factorisation succeeds, in units of the standardised targets
JITTER = 1e-4
#: mean and standard deviation of the normal priors on the log hyper-parameters, for standardised targets and features
_PRIORS = {
    "length": (0.3, 1.0),
    "signal": (-1.0, 1.5),
    "joint_length": (0.7, 1.0),
    "linear": (-2.0, 2.0),
    "noise": (-3.0, 1.0),
}
_BOUNDS = (-6.0, 4.0)
_START = {"length": 0.3, "signal": -0.7, "joint_length": 0.7, "linear": -2.0, "noise": -3.0}
_MAX_ITERATIONS = 40


@dataclass(frozen=True)
class KernelParameters:
    """Hyper-parameters of the covariance, all positive; targets are standardised, features dimensionless.

    Attributes:
        signal: variance of each group's own Matern term, then that of the joint term (groups + 1).
        length: length scale of each group's own term (groups).
        joint_length: length scale of each group in the joint term (groups).
        linear: variance of each group's linear term (groups).
        noise: variance of an observation around the function, jitter not included.
    """

    signal: Float[np.ndarray, " terms"]
    length: PerGroup
    joint_length: PerGroup
    linear: PerGroup
    noise: float

    @classmethod
    def from_log(cls, log: Log, groups: int) -> "KernelParameters":
        """Split a flat vector of logarithms (length, signal, joint_length, linear, noise)."""
        value = np.exp(log)
        g = groups
        parts = np.split(value, [g, 2 * g + 1, 3 * g + 1, 4 * g + 1])
        return cls(length=parts[0], signal=parts[1], joint_length=parts[2], linear=parts[3], noise=float(parts[4][0]))

    def to_log(self) -> Log:
        """Inverse of :meth:`from_log`."""
        flat = np.concatenate([self.length, self.signal, self.joint_length, self.linear, [self.noise]])
        return np.log(flat)


def _flat(table: dict[str, tuple[float, float]] | dict[str, float], groups: int) -> np.ndarray:
    counts = {"length": groups, "signal": groups + 1, "joint_length": groups, "linear": groups, "noise": 1}
    return np.concatenate([np.tile(np.atleast_1d(table[key]), (count, 1)) for key, count in counts.items()])


def squared_distances(left: Float[np.ndarray, "rows columns"], right: Float[np.ndarray, "others columns"]) -> Pairs:
    """Squared Euclidean distances of all rows; never negative."""
    gram = left @ right.T
    gram *= -2.0
    gram += (left * left).sum(1)[:, None]
    gram += (right * right).sum(1)
    return np.maximum(gram, 0.0, out=gram)


def matern(squared: Pairs) -> Pairs:
    """Matern-5/2 of a squared scaled distance."""
    r = np.sqrt(5.0 * squared)
    return (1.0 + r + squared * (5.0 / 3.0)) * np.exp(-r)


def covariance(parameters: KernelParameters, left: Groups, right: OtherGroups) -> Pairs:
    """Covariance of the noise-free function between the rows of two lists of feature groups."""
    total = np.zeros((len(left[0]), len(right[0])))
    joint = np.zeros_like(total)
    for g, (a, b) in enumerate(zip(left, right, strict=True)):
        squared = squared_distances(a, b)
        total += parameters.signal[g] * matern(squared / parameters.length[g] ** 2)
        total += parameters.linear[g] * (a @ b.T)
        joint += squared / parameters.joint_length[g] ** 2
    total += parameters.signal[-1] * matern(joint)
    return total


def negative_log_posterior(
    log: Log, distances: Sequence[Square], grams: Sequence[Square], targets: Targets
) -> tuple[float, Log]:
    """Minus log marginal likelihood minus log prior, up to a constant, and its gradient in the log hyper-parameters."""
    from scipy.linalg import cho_solve

    groups, n = len(distances), len(targets)
    p = KernelParameters.from_log(log, groups)
    kernel = np.zeros((n, n))
    joint = np.zeros((n, n))
    own, slopes = [], []
    for g, squared in enumerate(distances):
        scaled = squared / p.length[g] ** 2
        r = np.sqrt(5.0 * scaled)
        decay = np.exp(-r)
        term = p.signal[g] * (1.0 + r + scaled * (5.0 / 3.0)) * decay
        own.append(term)
        # d M / d log length = (5/3) s (1 + r) exp(-r), with s the scaled squared distance and r = sqrt(5 s)
        slopes.append(p.signal[g] * (5.0 / 3.0) * scaled * (1.0 + r) * decay)
        kernel += term
        kernel += p.linear[g] * grams[g]
        joint += squared / p.joint_length[g] ** 2
    r = np.sqrt(5.0 * joint)
    decay = np.exp(-r)
    joint_term = p.signal[-1] * (1.0 + r + joint * (5.0 / 3.0)) * decay
    joint_slope = p.signal[-1] * (5.0 / 3.0) * (1.0 + r) * decay
    kernel += joint_term
    kernel[np.diag_indices(n)] += p.noise + JITTER

    factor = np.linalg.cholesky(kernel)
    alpha = cho_solve((factor, True), targets)
    inverse = cho_solve((factor, True), np.eye(n), overwrite_b=True)
    value = 0.5 * float(targets @ alpha) + float(np.log(np.diag(factor)).sum())
    weight = 0.5 * (inverse - np.outer(alpha, alpha))

    def trace(derivative: np.ndarray) -> float:
        return float(np.vdot(weight, derivative))

    joint_weight = weight * joint_slope
    gradient = np.array(
        [trace(slope) for slope in slopes]
        + [trace(term) for term in own]
        + [trace(joint_term)]
        + [float(np.vdot(joint_weight, d)) / p.joint_length[g] ** 2 for g, d in enumerate(distances)]
        + [p.linear[g] * trace(gram) for g, gram in enumerate(grams)]
        + [p.noise * float(np.trace(weight))]
    )
    prior = _flat(_PRIORS, groups)
    deviation = (log - prior[:, 0]) / prior[:, 1]
    return value + 0.5 * float(deviation @ deviation), gradient + deviation / prior[:, 1]


def fit_parameters(features: Groups, targets: Targets) -> KernelParameters:
    """Hyper-parameters by maximum a posteriori.

    Args:
        features: one scaled matrix (labels, columns) per group.
        targets: standardised targets, one per row.
    """
    from scipy.optimize import minimize

    groups = len(features)
    distances = [squared_distances(x, x) for x in features]
    grams = [x @ x.T for x in features]
    start = _flat(_START, groups)[:, 0]
    result = minimize(
        negative_log_posterior,
        start,
        args=(distances, grams, targets),
        jac=True,
        method="L-BFGS-B",
        bounds=[_BOUNDS] * len(start),
        options={"maxiter": _MAX_ITERATIONS},
    )
    return KernelParameters.from_log(result.x, groups)


class GaussianProcess:
    """The process conditioned on labels; zero prior mean, so targets come standardised."""

    def __init__(self, parameters: KernelParameters, features: Groups, targets: Targets) -> None:
        from scipy.linalg import cho_solve, solve_triangular

        self.parameters = parameters
        self.features = tuple(features)
        self.targets = targets
        kernel = covariance(parameters, self.features, self.features)
        kernel[np.diag_indices(len(targets))] += parameters.noise + JITTER
        factor = np.linalg.cholesky(kernel)
        self._alpha = cho_solve((factor, True), targets)
        # a product with the inverse factor is several times faster than a triangular solve for thousands of cells
        self._inverse_factor = solve_triangular(factor, np.eye(len(targets)), lower=True)

    def predict(self, features: Groups) -> tuple[Targets, Targets]:
        """Mean and standard deviation of a new observation (noise included) at each row."""
        p = self.parameters
        mean, variance = [], []
        for start in range(0, len(features[0]), 512):
            block = [x[start : start + 512] for x in features]
            cross = covariance(p, block, self.features)
            mean.append(cross @ self._alpha)
            prior = p.signal.sum() + sum(v * (x * x).sum(1) for v, x in zip(p.linear, block, strict=True))
            explained = ((cross @ self._inverse_factor.T) ** 2).sum(1)
            variance.append(np.maximum(prior - explained, 0.0) + p.noise + JITTER)
        if not mean:
            return np.zeros(0), np.zeros(0)
        return np.concatenate(mean), np.sqrt(np.concatenate(variance))

    @property
    def precision(self) -> Square:
        """Inverse of the covariance of the observations, noise included (labels, labels)."""
        return self._inverse_factor.T @ self._inverse_factor

    def whitened(self, features: Groups) -> Pairs:
        """Covariance with the observations in units of their Cholesky factor (rows, labels); its squares explain."""
        return covariance(self.parameters, features, self.features) @ self._inverse_factor.T

    def joint(self, features: Groups) -> tuple[Targets, Square]:
        """Mean (rows) and covariance (rows, rows) of the noise-free function."""
        explained = self.whitened(features)
        own = covariance(self.parameters, features, features) - explained @ explained.T
        mean = covariance(self.parameters, features, self.features) @ self._alpha
        return mean, 0.5 * (own + own.T)
