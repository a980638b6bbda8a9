"""`CellBatch` -> `Posterior`: message passing along and against the edges, then two gated sums.

With ``config.function`` the last dimensions are a read-out of their own: a gated sum, ReLU, and a linear map, trained
towards numbers that say what the cell computes (cf. the property head of Winter et al. 2019, "Learning continuous and
data-driven molecular descriptors", eq. 2; there beside z, here a part of it).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.models.config import ModelConfig
from svge_core.models.layers import GatedSum, MessagePassing, both_directions, propagate
from svge_core.tensors import CellBatch


@dataclass(frozen=True)
class Posterior:
    """The diagonal Gaussian q(z | cell).

    Attributes:
        mean: (batch, latent).
        log_var: (batch, latent), natural log of the variance.
        function: how many of the last dimensions say what the cell computes; their variance is a setting, and they are
            no part of the KL term.
    """

    mean: Float[Tensor, "batch latent"]
    log_var: Float[Tensor, "batch latent"]
    function: int = 0

    def with_function(self, known: Float[Tensor, "batch function"], noise: float) -> "Posterior":
        """The same followed by what the cells compute, of a standard deviation ``noise``."""
        spread = torch.full_like(known, 2 * math.log(noise))
        return Posterior(torch.cat([self.mean, known], 1), torch.cat([self.log_var, spread], 1), known.shape[1])

    def sample(self, generator: torch.Generator | None, noise: float = 1.0) -> Float[Tensor, "batch latent"]:
        """One draw per cell; ``noise`` scales the standard deviation."""
        eps = torch.randn(self.mean.shape, generator=generator, dtype=self.mean.dtype, device=self.mean.device)
        return self.mean + noise * (0.5 * self.log_var).exp() * eps

    def kl(self) -> Float[Tensor, " batch"]:
        """KL(q || N(0, I)) per cell in nats, summed over the dimensions of the code (Kingma & Welling 2014, app. B)."""
        code = self.mean.shape[1] - self.function
        mean, log_var = self.mean[:, :code], self.log_var[:, :code]
        return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(dim=1)


def normal_table(rows: int, columns: int) -> torch.Tensor:
    """Numbers from N(0, 1), (rows, columns), the same that ``torch.randn`` draws; none on the meta device.

    To draw them there, as for ``torch.eye``, PyTorch imports its compiler: a second whenever a checkpoint is checked.
    """
    table = torch.empty(rows, columns)
    return table if table.is_meta else table.normal_()


class OperationEncoding(nn.Module):
    """Rows that stand for node types: one-hot, or a learned table shared by encoder and decoder."""

    def __init__(self, types: int, config: ModelConfig) -> None:
        super().__init__()
        if config.encoding == "learned":
            self.table = nn.Parameter(normal_table(types, config.operation_dim))
        else:
            self.register_buffer("table", torch.zeros(types, types).fill_diagonal_(1.0), persistent=False)

    @property
    def width(self) -> int:
        """Columns of the table."""
        return self.table.shape[1]


class TypeProjection(nn.Module):
    """Linear map of the encoding's rows, without bias: with one-hot rows this is an ordinary embedding table."""

    def __init__(self, encoding_width: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(normal_table(encoding_width, out))

    def forward(self, table: Tensor) -> Tensor:
        """(types, out)."""
        return table @ self.weight


class Encoder(nn.Module):
    """SVGe's encoder. Nodes start from their type (and canonical position); all rounds are synchronous."""

    def __init__(self, encoding_width: int, max_nodes: int, config: ModelConfig) -> None:
        super().__init__()
        half = config.hidden // 2
        self.embed = TypeProjection(encoding_width, half)
        # equal scale with the type embedding, so that neither hides the other at the start
        self.position = nn.Parameter(normal_table(max_nodes, half)) if config.positions else None
        self.rounds = nn.ModuleList(MessagePassing(config.hidden) for _ in range(config.rounds))
        self.readout = GatedSum(config.hidden, config.code, readouts=2)
        self.function = FunctionReadout(config) if config.function else None
        self.noise = config.function_noise

    def forward(self, batch: CellBatch, table: Tensor) -> Posterior:
        """Args: table: rows of the operation encoding, (types, width)."""
        start = self.embed(table)[batch.types]
        if self.position is not None:
            start = start + self.position[: start.shape[1]]
        state = start.expand(2, -1, -1, -1)
        receives = both_directions(batch.adjacency)
        degree = receives.sum(-1, keepdim=True)
        for layer in self.rounds:
            state = propagate(state, receives, degree, layer.folded())  # type: ignore[operator]
        mask = batch.mask.to(state.dtype)
        mean, log_var = self.readout(state, mask)
        if self.function is None:
            return Posterior(mean, log_var)
        return Posterior(mean, log_var).with_function(self.function(state, mask), self.noise)


class FunctionReadout(nn.Module):
    """What a cell computes, read from the states of its nodes: gated sum, ReLU, linear map."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.readout = GatedSum(config.hidden, config.function_hidden, readouts=1)
        self.out = nn.Linear(config.function_hidden, config.function)

    def forward(
        self, state: Float[Tensor, "2 batch nodes half"], mask: Float[Tensor, "batch nodes"]
    ) -> Float[Tensor, "batch function"]:
        """Args: mask: 1 at real nodes."""
        return self.out(self.readout(state, mask)[0].relu())
