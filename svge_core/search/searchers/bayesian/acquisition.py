"""The next cells by log expected improvement (Ament et al. 2023) over a pool of candidate cells; batches by BoTorch.

What counts is the measured value: a cell is measured once, so its noise is a part of it that no repetition averages
away (a nugget). A candidate's measurement is therefore a normal variable with that noise included, and it has to beat
the best measurement so far, not the best mean: among cells of like structure one is luckier than the rest.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.search.searchers.bayesian.surrogate import Surrogate

#: candidates of largest improvement on their own that a batch is made of
_SHORTLIST = 192
_SAMPLES = 256
#: below this the improvement is taken as phi(u) / u^2. The form used above it subtracts two numbers near 1 whose
#: difference is about 1 / u^2, and loses u^2 units of the last place (here a relative 6e-13); the series' first term
#: leaves out a factor 1 - 3 / u^2 (here 0.0012 in the logarithm) and loses no digits, however small u is.
FAR_TAIL = -50.0
#: stands in for numbers that are 0 or less where their branch is not taken, so that no logarithm warns
_TINY = 1e-300
#: cells that compute the same tie but for rounding errors, which differ from process to process: the first then wins
_DECIMALS = 6
_CHUNK = 64


def log_expected_improvement(
    mean: Float[np.ndarray, " cells"], std: Float[np.ndarray, " cells"], best: float
) -> Float[np.ndarray, " cells"]:
    """Logarithm of the expected improvement on ``best`` of a normal variable, finite far into the tail.

    log EI = log std + log(phi(u) + u Phi(u)), u = (mean - best) / std (Ament et al. 2023, "Unexpected improvements to
    expected improvement", eq. 9). Valid in float64 for |u| up to 1e154, where u^2 overflows, and std > 0; the result is
    -inf beyond it and NaN where an argument is.
    """
    from scipy.special import erfcx, log_ndtr

    u = (mean - best) / std
    log_phi = -0.5 * u**2 - 0.5 * np.log(2.0 * np.pi)
    # u > 0: both terms are positive, so their logarithms add without loss
    above = np.logaddexp(log_phi, np.log(np.maximum(u, _TINY)) + log_ndtr(u))
    # u <= 0: phi + u Phi = phi (1 + u Phi / phi), and Phi / phi = sqrt(pi / 2) erfcx(-u / sqrt 2)
    ratio = np.sqrt(np.pi / 2.0) * erfcx(-np.minimum(u, 0.0) / np.sqrt(2.0))
    below = log_phi + np.log(np.maximum(1.0 + np.minimum(u, 0.0) * ratio, _TINY))
    # u < FAR_TAIL: phi / u^2, the first term of the asymptotic series
    far = log_phi - 2.0 * np.log(np.maximum(-u, 1.0))
    return np.log(std) + np.where(u > 0, above, np.where(u < FAR_TAIL, far, below))


def choose(surrogate: Surrogate, pending: Sequence[Cell], pool: Sequence[Cell], count: int, seed: int) -> list[int]:
    """Positions in ``pool`` of the cells to evaluate next, one after another, each knowing those chosen before it.

    Args:
        surrogate: fitted to the observed cells.
        pending: cells under evaluation; their unknown values compete with the improvement a candidate promises.
        pool: distinct candidates, none of them observed or pending.
        count: how many.
        seed: of the quasi-random draws.
    """
    best = float(surrogate.targets.max())
    ranking = log_expected_improvement(*surrogate.marginals(pool), best)
    short = np.argsort(-np.round(ranking, _DECIMALS), kind="stable")[: max(_SHORTLIST, 4 * count)]
    if count == 1 and not pending:
        return short[:1].tolist()
    rows = [*pending, *(pool[i] for i in short)]
    means, covariances = surrogate.joint(rows)
    chosen: list[int] = []
    for _ in range(min(count, len(short))):
        left = [row for row in range(len(pending), len(rows)) if row not in chosen]
        values = _batch_improvement(means, covariances, [*range(len(pending)), *chosen], left, best, seed)
        chosen.append(left[int(values.round(decimals=_DECIMALS).argmax())])
    return [int(short[row - len(pending)]) for row in chosen]


def _batch_improvement(
    means: np.ndarray, covariances: np.ndarray, beside: list[int], candidates: list[int], best: float, seed: int
) -> torch.Tensor:
    """BoTorch's qLogEI of every candidate row together with the rows ``beside``."""
    from botorch.acquisition.logei import qLogExpectedImprovement
    from botorch.exceptions.warnings import NumericsWarning
    from botorch.models.model import Model
    from botorch.posteriors.gpytorch import GPyTorchPosterior
    from botorch.sampling.normal import SobolQMCNormalSampler
    from gpytorch.distributions import MultivariateNormal

    mean, covariance = torch.from_numpy(means), torch.from_numpy(covariances)

    class JointNormal(Model):
        """A joint normal over rows of a table; inputs are row numbers."""

        @property
        def num_outputs(self) -> int:
            """One value per row."""
            return 1

        @property
        def batch_shape(self) -> torch.Size:
            """No batch of models."""
            return torch.Size([])

        def posterior(self, X: torch.Tensor, *_args: object, **_options: object) -> GPyTorchPosterior:
            rows = X[..., 0].long()
            return GPyTorchPosterior(MultivariateNormal(mean[rows], covariance[rows.unsqueeze(-1), rows.unsqueeze(-2)]))

    def column(rows: list[int]) -> torch.Tensor:
        return torch.tensor(rows, dtype=torch.float64).unsqueeze(-1)

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", NumericsWarning)
        acquisition = qLogExpectedImprovement(
            JointNormal(),
            best_f=best,
            sampler=SobolQMCNormalSampler(torch.Size([_SAMPLES]), seed=seed),
            X_pending=column(beside) if beside else None,
        )
        parts = column(candidates).unsqueeze(1).split(_CHUNK)
        return torch.cat([acquisition(part) for part in parts])
