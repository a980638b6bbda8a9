"""Densities that latents are drawn from to be decoded: the prior, scaled or not, and two fitted after training.

Both of those are kernel densities with one Gaussian per encoded training cell (ex-post density estimation, Ghosh et
al. 2020, "From variational to deterministic autoencoders", section 4). With the posteriors as they are this is the
aggregate posterior of the training cells: most draws decode to the training cell they start from. Wider kernels reach
the cells between.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from svge_core.errors import SvgeError

#: widths that are compared first, in standard deviations of the posterior, and how narrow or wide they may become
COARSE, FINEST = (0.5, 1.0, 2.0), 2.0**-10
#: draws whose likelihood is compared, cells whose kernels they are compared under, and kernels in one matrix product
QUERIES, MAX_KERNELS, CHUNK = 500, 400_000, 20_000


def prior_latents(
    means: Float[Tensor, "cells latent"], count: int, generator: torch.Generator
) -> Float[Tensor, "count latent"]:
    """Draws from N(0, I), scaled per dimension to the mean and standard deviation (of one: 0) of the encoded cells."""
    noise = torch.randn(count, means.shape[1], generator=generator)
    spread = means.std(0) if len(means) > 1 else torch.zeros_like(means[0])
    return noise * spread + means.mean(0)


def standard_latents(
    means: Float[Tensor, "cells latent"], count: int, generator: torch.Generator
) -> Float[Tensor, "count latent"]:
    """Draws from N(0, I) as it stands."""
    return torch.randn(count, means.shape[1], generator=generator)


@dataclass(frozen=True)
class KernelDensity:
    """The average of N(mean, diag((width std)^2)) over the posteriors of training cells.

    Attributes:
        encoded: means and standard deviations, (count, latent) each, of the posteriors of the cells in given rows.
        cells: how many there are; rows are 0 to cells - 1.
        width: of the kernels, in standard deviations of the posterior; with 1 this is the aggregate posterior.
    """

    encoded: Callable[[np.ndarray], tuple[Tensor, Tensor]]
    cells: int
    width: float = 1.0

    def draw(self, count: int, generator: torch.Generator) -> Float[Tensor, "count latent"]:
        """So many independent draws: of the kernel of a random cell each."""
        means, stds = self.encoded(torch.randint(self.cells, (count,), generator=generator).numpy())
        return means + self.width * stds * torch.randn(means.shape, generator=generator)

    def likeliest(self, seed: int = 0) -> "KernelDensity":
        """The same with the width that is likeliest by leaving one out, to the next power of 2 ** (1 / 8).

        Draws of the posteriors of :data:`QUERIES` random cells, each under the kernels of all other cells (of
        :data:`MAX_KERNELS` at most; likelihood cross-validation, Duin 1976, "On the choice of smoothing parameters for
        Parzen estimators").

        Raises:
            SvgeError: if there is only one cell.
        """
        if self.cells < 2:
            raise SvgeError(f"A width is chosen by leaving one cell out: expected two or more, got {self.cells}.")
        rows = np.arange(self.cells)
        if self.cells > MAX_KERNELS:
            rows = np.sort(np.random.default_rng(seed).choice(self.cells, MAX_KERNELS, replace=False))
        kernels = self.encoded(rows)
        generator = torch.Generator().manual_seed(seed)
        own = torch.randperm(len(rows), generator=generator)[:QUERIES]
        means, stds = (part[own] for part in kernels)
        draws = means + stds * torch.randn(means.shape, generator=generator)
        found = _highest(lambda widths: left_out(kernels, draws, own, widths).mean(1).tolist())
        return KernelDensity(self.encoded, self.cells, found)


def _highest(measured: Callable[[tuple[float, ...]], list[float]]) -> float:
    """Where a function of one maximum is highest: between powers of two first, then in eighths of the exponent."""
    values = dict(zip(COARSE, measured(COARSE), strict=True))
    while (best := max(values, key=values.__getitem__)) in (min(values), max(values)) and FINEST < best < 1 / FINEST:
        further = best * 2 if best == max(values) else best / 2
        values[further] = measured((further,))[0]
    between = tuple(best * 2.0 ** (step / 8) for step in range(-7, 8) if step)
    values |= dict(zip(between, measured(between), strict=True))
    return max(values, key=values.__getitem__)


def left_out(
    kernels: tuple[Float[Tensor, "cells latent"], Float[Tensor, "cells latent"]],
    draws: Float[Tensor, "queries latent"],
    own: Int[Tensor, " queries"],
    widths: tuple[float, ...],
) -> Float[Tensor, "widths queries"]:
    """Log-density in nats of every draw under all kernels but its own, for kernels of each width.

    Args:
        kernels: means and standard deviations of the posteriors.
        draws: latents.
        own: by draw, the row of the kernel that is left out.
        widths: of the kernels, in standard deviations of the posterior.
    """
    count, dimensions = kernels[0].shape
    z = draws.double()
    totals = torch.full((len(widths), len(z)), -torch.inf, dtype=torch.float64)
    for start in range(0, count, CHUNK):
        means, stds = (part[start : start + CHUNK].double() for part in kernels)
        weights = stds.square().reciprocal()
        squares = z.square() @ weights.T - 2 * z @ (means * weights).T + (means.square() * weights).sum(1)
        squares[(own[:, None] - start) == torch.arange(len(means))] = torch.inf
        log_scale = stds.log().sum(1)
        for row, width in enumerate(widths):
            part = torch.logsumexp(-0.5 * squares / width**2 - log_scale, 1)
            totals[row] = torch.logaddexp(totals[row], part)
    constant = 0.5 * dimensions * torch.log(torch.tensor(2 * torch.pi, dtype=torch.float64))
    shrunk = dimensions * torch.tensor(widths, dtype=torch.float64).log()
    return totals - constant - shrunk[:, None] - torch.log(torch.tensor(count - 1.0, dtype=torch.float64))
