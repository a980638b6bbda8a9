"""The next cells by BoTorch's log noisy expected improvement (Ament et al. 2023), over a pool of candidate cells."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.search.surrogate import Surrogate

#: candidates that pass from the cheap ranking to the noisy acquisition, and observations that compete as incumbents
_SHORTLIST, _INCUMBENTS = 192, 24
_SAMPLES = 128
#: cells that compute the same tie but for rounding errors, which differ from process to process: the first then wins
_DECIMALS = 6
_CHUNK = 64


def log_expected_improvement(
    mean: Float[np.ndarray, " cells"], std: Float[np.ndarray, " cells"], best: float
) -> Float[np.ndarray, " cells"]:
    """Logarithm of the expected improvement on ``best`` of a normal variable, exact far into the tail.

    log EI = log std + log(phi(u) + u Phi(u)), u = (mean - best) / std (Ament et al. 2023, "Unexpected improvements to
    expected improvement", eq. 9).
    """
    from scipy.special import erfcx, log_ndtr

    u = (mean - best) / std
    density = -0.5 * u**2 - 0.5 * np.log(2.0 * np.pi)
    # phi + u Phi = phi (1 + u Phi / phi), and Phi / phi = sqrt(pi / 2) erfcx(-u / sqrt 2) for negative u
    ratio = np.sqrt(np.pi / 2.0) * erfcx(-np.minimum(u, 0.0) / np.sqrt(2.0))
    below = density + np.log(np.maximum(1.0 + np.minimum(u, 0.0) * ratio, 1e-300))
    far = density - 2.0 * np.log(np.maximum(-u, 1.0))  # phi / u^2, where the difference above cancels
    above = np.logaddexp(density, np.log(np.maximum(u, 1e-300)) + log_ndtr(u))
    return np.log(std) + np.where(u > 0, above, np.where(u > -1e4, np.where(u < -50.0, far, below), far))


def choose(
    surrogate: Surrogate,
    observed: Sequence[Cell],
    pending: Sequence[Cell],
    pool: Sequence[Cell],
    count: int,
    seed: int,
) -> list[int]:
    """Positions in ``pool`` of the cells to evaluate next, one after another, each knowing those chosen before it.

    Args:
        surrogate: fitted to the observed cells.
        observed: evaluated cells.
        pending: cells under evaluation; their unknown values compete with the improvement a candidate promises.
        pool: distinct candidates, none of them observed or pending.
        count: how many.
        seed: of the quasi-random draws.
    """
    mean, std = surrogate.marginals(pool)
    seen = surrogate.marginals(observed)[0]
    incumbents = [observed[i] for i in np.argsort(-seen, kind="stable")[:_INCUMBENTS]]
    ranking = log_expected_improvement(mean, std, float(seen.max()))
    short = np.argsort(-np.round(ranking, _DECIMALS), kind="stable")[: max(_SHORTLIST, 4 * count)]
    rows = [*incumbents, *pending, *(pool[i] for i in short)]
    means, covariances = surrogate.joint(rows)
    fixed = len(incumbents) + len(pending)
    chosen: list[int] = []
    for _ in range(min(count, len(short))):
        left = [row for row in range(fixed, len(rows)) if row not in chosen]
        values = _noisy_improvement(means, covariances, [*range(fixed), *chosen], left, seed)
        chosen.append(left[int(values.round(decimals=_DECIMALS).argmax())])
    return [int(short[row - fixed]) for row in chosen]


def _noisy_improvement(
    means: np.ndarray, covariances: np.ndarray, baseline: list[int], candidates: list[int], seed: int
) -> torch.Tensor:
    """qLogNEI with q = 1 of every candidate row; rows of the baseline have uncertain values themselves."""
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.exceptions.warnings import NumericsWarning
    from botorch.models.model import Model
    from botorch.posteriors.gpytorch import GPyTorchPosterior
    from botorch.sampling.normal import SobolQMCNormalSampler
    from gpytorch.distributions import MultivariateNormal

    mean = torch.from_numpy(means)
    covariance = torch.from_numpy(covariances) + 1e-8 * torch.eye(len(means), dtype=torch.float64)

    class Table(Model):
        """A joint normal over rows of a table; inputs are row numbers."""

        num_outputs = 1
        batch_shape = torch.Size([])

        def posterior(self, X: torch.Tensor, *_args: object, **_options: object) -> GPyTorchPosterior:  # noqa: N803
            rows = X[..., 0].long()
            return GPyTorchPosterior(MultivariateNormal(mean[rows], covariance[rows.unsqueeze(-1), rows.unsqueeze(-2)]))

    def column(rows: list[int]) -> torch.Tensor:
        return torch.tensor(rows, dtype=torch.float64).unsqueeze(-1)

    import warnings

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", NumericsWarning)
        acquisition = qLogNoisyExpectedImprovement(
            Table(),
            column(baseline),
            sampler=SobolQMCNormalSampler(torch.Size([_SAMPLES]), seed=seed),
            prune_baseline=False,  # it would draw from torch's global generator; the incumbents are few already
            cache_root=False,
        )
        parts = column(candidates).unsqueeze(1).split(_CHUNK)
        return torch.cat([acquisition(part) for part in parts])
