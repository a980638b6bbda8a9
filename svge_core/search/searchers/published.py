"""SVGe's own Bayesian optimisation, as its authors run it: over coordinates, not over architectures.

Lukasik et al. 2021 use D-VAE's loop (Zhang et al. 2019): a Gaussian process on latents, batches of 50 points chosen
greedily by expected improvement inside the box of the training latents, each decoded many times to its most frequent
cell. The point that was chosen, not the code of the cell it decoded to, enters the process. Kept here because it is the
published row, not because it is good: see the notes on why one searches over architectures.

Where it had to differ. Published: 1,000 labelled cells first, then 10 rounds of 50, 1,500 labels in all, and a sparse
process with 500 inducing points. Here every label counts against the same budget as any other method's, so the first
design is ``initial`` cells, and so few labels need no sparse process. Decodes that are no member, or were evaluated
before, cost nothing and are left out; published, an invalid decode gets the worst training value, which bends the
process.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.data import standardised
from svge_core.models import DecodeOptions
from svge_core.models.decoding import decode
from svge_core.predictors import JITTER, GaussianProcess, covariance, fit_parameters
from svge_core.search.domain import Domain
from svge_core.search.history import History
from svge_core.search.searchers.base import Proposal
from svge_core.search.searchers.bayesian import log_expected_improvement, shared_encodings
from svge_core.tensors import to_cells

#: rows the hyper-parameters are fitted on at most
_MAX_FOR_PARAMETERS = 250


@dataclass(frozen=True)
class PublishedOptions:
    """Settings of SVGe-style search.

    Attributes:
        initial: random cells before the first process.
        batch: latents chosen per fitted process.
        grid: uniform draws inside the box among which expected improvement is maximised.
        decodes: stochastic decodes per latent; the most frequent valid one is taken.
    """

    initial: int = 100
    batch: int = 50
    grid: int = 2_000
    decodes: int = 100


class PublishedLatentSearch:
    """See the module's docstring."""

    name = "svge-bo"

    def __init__(self, domain: Domain, checkpoint: Checkpoint, options: PublishedOptions | None = None) -> None:
        self.domain, self.checkpoint = domain, checkpoint
        self.options = options or PublishedOptions()
        self.encodings = shared_encodings(domain, checkpoint)
        #: what the last round was made of, and its decodes; worked out again for any other history
        self._round: tuple[History, list[Cell]] | None = None

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`~svge_core.search.searchers.base.Searcher`."""
        options = self.options
        missing = options.initial - len(history) - len(history.pending)
        if missing > 0 or len(history) < 2:
            drawn = self.domain.fresh(rng, count, history.taken)
            return [Proposal(cell, "initial design") for cell in drawn]
        # one process serves a round of 50, so a round starts where the history has grown by that many
        number = max(len(history) - options.initial, 0) // options.batch
        seen = options.initial + number * options.batch
        begun = history.until(min(seen, len(history)))
        if self._round is None or self._round[0] != begun:
            # the first design differs from run to run, and nothing else does after a kill
            first = repr([observation.cell for observation in history.observations[: options.initial]])
            own = np.random.default_rng([number, seen, zlib.crc32(first.encode())])
            self._round = (begun, self._batch(begun, own))
        fresh = [cell for cell in self._round[1] if cell not in history.taken][:count]
        found = [Proposal(cell, "decoded from a latent of large expected improvement") for cell in fresh]
        more = self.domain.fresh(rng, count - len(found), history.taken | set(fresh))
        return found + [Proposal(cell, "random, the round decoded to nothing new") for cell in more]

    def _batch(self, history: History, rng: np.random.Generator) -> list[Cell]:
        """Decodes of a greedily chosen batch of latents; the process is fitted to all of the history."""
        size, cells = len(history), [observation.cell for observation in history.observations]
        utility = history.scalar(rng)
        targets = standardised(utility)
        codes = self.encodings.latents(cells)
        low, high = codes.min(axis=0), codes.max(axis=0)
        centre, spread = codes.mean(axis=0), codes.std(axis=0) * np.sqrt(codes.shape[1])
        inputs = (codes - centre) / np.where(spread > 1e-9, spread, 1.0)
        rows = np.sort(rng.permutation(size)[:_MAX_FOR_PARAMETERS])
        parameters = fit_parameters([inputs[rows]], targets[rows])
        grid = rng.uniform(low, high, size=(self.options.grid, codes.shape[1]))
        scaled = (grid - centre) / np.where(spread > 1e-9, spread, 1.0)
        posterior = GaussianProcess(parameters, [inputs], targets)
        chosen = believing_batch(posterior, scaled, float(targets.max()), self.options.batch)
        return self._decode(grid[chosen], rng)

    def _decode(self, latents: np.ndarray, rng: np.random.Generator) -> list[Cell]:
        """The most frequent valid decode of each latent, distinct, in order."""
        model, space = self.checkpoint.model, self.domain.space
        generator = torch.Generator(model.device).manual_seed(int(rng.integers(2**31)))
        repeated = torch.from_numpy(latents).repeat_interleave(self.options.decodes, dim=0)
        drawn = to_cells(space, decode(model, repeated, DecodeOptions(), generator))
        found: dict[Cell, None] = {}
        for start in range(0, len(drawn), self.options.decodes):
            counts: dict[Cell, int] = {}
            for cell in drawn[start : start + self.options.decodes]:
                counts[cell] = counts.get(cell, 0) + 1
            for cell in sorted(counts, key=lambda c: -counts[c]):
                if space.is_valid(cell):
                    canonical = self.domain.canonical(cell)
                    if canonical in self.domain:
                        found.setdefault(canonical)
                    break
        return list(found)


def believing_batch(
    posterior: GaussianProcess, grid: Float[np.ndarray, "points columns"], best: float, count: int
) -> list[int]:
    """Rows of the grid chosen one after another by expected improvement, each believed to measure its own mean.

    D-VAE's ``batched_greedy_ei``. Believing the mean changes no mean, only the covariance, by one rank per
    chosen point.

    Args:
        posterior: process with one feature group.
        grid: scaled points.
        best: largest target so far.
        count: how many.
    """
    parameters = posterior.parameters
    noise = parameters.noise + JITTER
    mean, std = posterior.predict([grid])
    variance = std**2 - noise
    cross = posterior.whitened([grid])
    ranks = np.zeros((count, len(grid)))
    chosen: list[int] = []
    for number in range(min(count, len(grid))):
        gain = log_expected_improvement(mean, np.sqrt(np.maximum(variance, 0.0) + noise), best)
        gain[chosen] = -np.inf
        row = int(gain.argmax())
        column = covariance(parameters, [grid[row : row + 1]], [grid])[0] - cross[row] @ cross.T
        column -= ranks[:number, row] @ ranks[:number]
        ranks[number] = column / np.sqrt(max(float(column[row]), 0.0) + noise)
        variance = variance - ranks[number] ** 2
        best = max(best, float(mean[row]))
        chosen.append(row)
    return chosen
