"""`CellBatch` -> `Posterior`: message passing along and against the edges, then two gated sums."""

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
    """

    mean: Float[Tensor, "batch latent"]
    log_var: Float[Tensor, "batch latent"]

    def sample(self, generator: torch.Generator | None, noise: float = 1.0) -> Float[Tensor, "batch latent"]:
        """One draw per cell; ``noise`` scales the standard deviation."""
        eps = torch.randn(self.mean.shape, generator=generator, dtype=self.mean.dtype, device=self.mean.device)
        return self.mean + noise * (0.5 * self.log_var).exp() * eps

    def kl(self) -> Float[Tensor, " batch"]:
        """KL(q || N(0, I)) per cell in nats, summed over latent dimensions (Kingma & Welling 2014, appendix B)."""
        return 0.5 * (self.mean.square() + self.log_var.exp() - 1 - self.log_var).sum(dim=1)


class OperationEncoding(nn.Module):
    """Rows that stand for node types: one-hot, or a learned table shared by encoder and decoder."""

    def __init__(self, types: int, config: ModelConfig) -> None:
        super().__init__()
        if config.encoding == "learned":
            self.table = nn.Parameter(torch.randn(types, config.operation_dim))
        else:
            self.register_buffer("table", torch.eye(types), persistent=False)

    @property
    def width(self) -> int:
        """Columns of the table."""
        return self.table.shape[1]


class TypeProjection(nn.Module):
    """Linear map of the encoding's rows, without bias: with one-hot rows this is an ordinary embedding table."""

    def __init__(self, encoding_width: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(encoding_width, out))

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
        self.position = nn.Parameter(torch.randn(max_nodes, half)) if config.positions else None
        self.rounds = nn.ModuleList(MessagePassing(config.hidden) for _ in range(config.rounds))
        self.readout = GatedSum(config.hidden, config.latent, readouts=2)

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
        mean, log_var = self.readout(state, batch.mask.to(state.dtype))
        return Posterior(mean, log_var)
