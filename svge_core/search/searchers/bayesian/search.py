"""Latent Bayesian optimisation over architectures, not coordinates (our method), and its structure-only variant.

Per round: a pool of architectures that were decoded from the latent space around the incumbents and from the prior,
one-edit mutations of the incumbents, and random cells; all canonical, without duplicates, and re-encoded, so that an
architecture has one code whatever drew it. A Gaussian process on structure features, latents or both, whichever
predicts left-out observations best, ranks them; expected improvement of the measured value chooses, knowing what is
pending.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from svge_core.atlas import nearest_known
from svge_core.cells import Cell
from svge_core.checkpoints import Checkpoint
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.models import DecodeOptions
from svge_core.models.decoding import decode
from svge_core.search.domain import Domain
from svge_core.search.history import History
from svge_core.search.searchers.base import Proposal
from svge_core.search.searchers.bayesian.acquisition import choose
from svge_core.search.searchers.bayesian.encodings import Representation, shared_encodings
from svge_core.search.searchers.bayesian.surrogate import SurrogateFitter, conditioning_rows, fitting_size
from svge_core.tensors import to_cells

#: known cells of a restricted domain that are all candidates, up to this many
_ALL_KNOWN = 2_000


@dataclass(frozen=True)
class BayesianOptions:
    """Settings of the search; the defaults were chosen on NAS-Bench-201's CIFAR-10 alone (its seed
    means, and the harder tables of its single seeds).

    Attributes:
        initial: random cells before the first surrogate.
        representations: the surrogate may see, of those there are; None for all of them.
        mutations: whether one-edit neighbours of the incumbents are candidates.
        decoded: latents decoded per ask, half around the incumbents and half from the prior; 0 for none.
        random: random candidates per ask.
        incumbents: best observations whose surroundings are candidates.
        reach: standard deviation of the draws around an incumbent, in standard deviations of the aggregate posterior.
    """

    initial: int = 6
    representations: tuple[Representation, ...] | None = None
    mutations: bool = True
    decoded: int = 128
    random: int = 200
    incumbents: int = 15
    reach: float = 0.6


class BayesianSearch:
    """See the module's docstring.

    Args:
        name: the method's name.
        domain: what may be proposed.
        checkpoint: the latent space; without it structure features and mutations alone are used.
        options: settings.
    """

    def __init__(
        self, name: str, domain: Domain, checkpoint: Checkpoint | None = None, options: BayesianOptions | None = None
    ) -> None:
        self.name, self.domain, self.checkpoint = name, domain, checkpoint
        self.options = options or BayesianOptions()
        self.encodings = shared_encodings(domain, checkpoint)
        wanted = self.options.representations or self.encodings.representations
        offered = self.encodings.representations
        chosen: list[Representation] = [name for name in offered if name in wanted]
        if not chosen:
            raise SvgeError(
                f"Expected a representation among {', '.join(offered)}; got {', '.join(wanted)}. "
                "Choose one of them, or a checkpoint that gives the other."
            )
        self.fitter = SurrogateFitter(self.encodings, chosen)
        #: mean leave-one-out log likelihood of each representation at the last ask, for the screen and the log
        self.likelihoods: dict[Representation, float] = {}
        self._known: torch.Tensor | None = None

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Proposal]:
        """See :class:`~svge_core.search.searchers.base.Searcher`."""
        # pending cells count for the initial design; a batch is filled, so that no worker of it stands idle
        missing = self.options.initial - len(history) - len(history.pending)
        if missing > 0 or len(history) < 2:
            drawn = self.domain.fresh(rng, count, history.taken)
            return [Proposal(cell, "initial design") for cell in drawn]
        utilities = history.scalar(rng)
        if utilities.min() == utilities.max():
            return [Proposal(c, "random, all values are equal") for c in self.domain.fresh(rng, count, history.taken)]
        observed = [observation.cell for observation in history.observations]
        pool = self._pool(history, utilities, rng)
        cells = list(pool)
        if not cells:
            return []
        size = fitting_size(len(observed))
        design = history.until(size)
        rows = conditioning_rows(utilities)
        surrogate = self.fitter.fit(
            [observed[i] for i in rows],
            utilities[rows],
            (observed[:size], design.scalar(np.random.default_rng(size))),
        )
        self.likelihoods = surrogate.likelihoods
        seed = int(rng.integers(2**31))
        chosen = [cells[i] for i in choose(surrogate, history.pending, cells, count, seed)]
        if len(history.directions) > 1:
            return [Proposal(cell, pool[cell]) for cell in chosen]
        sign = -1.0 if "min" in history.directions else 1.0
        means, stds = surrogate.in_unit(*surrogate.marginals(chosen))
        return [
            Proposal(cell, pool[cell], sign * float(mean), float(std))
            for cell, mean, std in zip(chosen, means, stds, strict=True)
        ]

    def _pool(self, history: History, utilities: np.ndarray, rng: np.random.Generator) -> dict[Cell, str]:
        """Candidates and where each comes from; the first source of a cell is kept."""
        options, pool = self.options, dict[Cell, str]()

        def add(cells: Iterable[Cell], source: str) -> None:
            for cell in cells:
                if cell not in history.taken:
                    pool.setdefault(cell, source)

        best = [history.observations[i] for i in np.argsort(-utilities, kind="stable")[: options.incumbents]]
        if options.mutations:
            for observation in best:
                add(self.domain.neighbours(observation.cell), f"one edit of #{observation.number}")
        if self.checkpoint is not None and options.decoded:
            around, prior = self._latents([observation.cell for observation in best], rng)
            add(self._decoded(around, rng), "decoded near the best")
            add(self._decoded(prior, rng), "decoded from the prior")
        add(self.domain.fresh(rng, options.random, history.taken), "random")
        if self.domain.known is not None and len(self.domain.known) <= _ALL_KNOWN:
            add(self.domain.known, "known cell")
        return pool

    def _latents(self, best: list[Cell], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        centre, spread = self.encodings.aggregate
        half = self.options.decoded // 2
        codes = self.encodings.latents(best)[rng.integers(len(best), size=half)]
        around = codes + self.options.reach * spread * rng.standard_normal(codes.shape)
        prior = centre + spread * rng.standard_normal((self.options.decoded - half, codes.shape[1]))
        return torch.from_numpy(around), torch.from_numpy(prior)

    def _decoded(self, z: torch.Tensor, rng: np.random.Generator) -> list[Cell]:
        """Distinct members of the domain that decode from latents; of a restricted domain the nearest known cells."""
        if self.checkpoint is None:
            return []
        if self.domain.known is not None:
            if self._known is None:
                self._known = torch.from_numpy(self.encodings.latents(self.domain.known))
            nearest = nearest_known(self._known, z, 4)
            return [self.domain.known[i] for i in dict.fromkeys(nearest.flatten().tolist())]
        generator = torch.Generator(self.checkpoint.model.device).manual_seed(int(rng.integers(2**31)))
        batch = decode(self.checkpoint.model, z, DecodeOptions(constrained=True), generator)
        found: dict[Cell, None] = {}
        for cell in to_cells(self.domain.space, batch):
            try:
                canonical = self.domain.canonical(cell)
            except InvalidCellError:  # constrained decoding gives members alone; a broken model may still not
                continue
            if canonical in self.domain:
                found.setdefault(canonical)
        return list(found)
