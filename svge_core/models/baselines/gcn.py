"""D-VAE with a GCN encoder: what D-VAE and the operation-embedding paper call GCN.

Which GCN this is: the class ``DVAE_GCN`` of D-VAE's code (``DVAE_GCN_EMB`` of Chatzianastasis et al. 2021 with
``encoding="learned"``): ``rounds`` levels (published: 3) of Kipf & Welling's layer made directed, the latent read from
the sum over all nodes but the input and the output, and D-VAE's decoder with the sum of node states as graph state.

From the second level on the code overwrites states in topological order, so that a node reads its predecessors' new
states, not those of the level before, and every level sees the whole way from the input. Its comments speak of
updates at once; the published numbers are the code's, and so is this. Deviations: those of D-VAE here, and the levels'
initial weights are He et al.'s (2015) for ReLU.
"""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.models.baselines.dvae import DVAE
from svge_core.models.config import ModelConfig
from svge_core.models.encoder import Posterior
from svge_core.tensors import CellBatch


def directed_normalisation(adjacency: Float[Tensor, "batch nodes nodes"]) -> Float[Tensor, "batch nodes nodes"]:
    """Weights with which the second axis receives from the third.

    1 / (in(v) + 1) from v itself and 1 / sqrt((out(u) + 1) (in(v) + 1)) from a predecessor u: Kipf & Welling's (2017)
    normalisation with out-degrees for senders and in-degrees for receivers.
    """
    entering, leaving = adjacency.sum(1) + 1, adjacency.sum(2) + 1
    received = adjacency.transpose(1, 2) * (entering[:, :, None] * leaving[:, None, :]).rsqrt()
    return received + torch.diag_embed(entering.reciprocal())


def in_order(
    level: nn.Module, weights: Float[Tensor, "batch nodes nodes"], state: Float[Tensor, "batch nodes hidden"]
) -> Float[Tensor, "batch nodes hidden"]:
    """One level whose nodes are updated one after the other; predecessors come first in a cell's order."""
    own = state * weights.diagonal(dim1=1, dim2=2)[..., None]
    new: list[Tensor] = []
    for node in range(state.shape[1]):
        received = own[:, node]
        if new:
            received = received + torch.bmm(weights[:, node : node + 1, :node], torch.stack(new, dim=1))[:, 0]
        new.append(level(received).relu())
    return torch.stack(new, dim=1)


class GCNEncoder(nn.Module):
    """Graph convolutions on the operation encoding's rows, then a sum over the inner nodes; see the module."""

    def __init__(self, encoding_width: int, config: ModelConfig) -> None:
        super().__init__()
        widths = [encoding_width, *[config.hidden] * config.rounds]
        self.levels = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:], strict=False))
        for level in self.levels:  # PyTorch's own weights let the signal fade over three levels, and learning crawls
            nn.init.kaiming_uniform_(level.weight, nonlinearity="relu")  # type: ignore[union-attr,arg-type]
        self.mean = nn.Linear(config.hidden, config.latent)
        self.log_var = nn.Linear(config.hidden, config.latent)

    def forward(self, batch: CellBatch, table: Float[Tensor, "types width"], along: Any) -> Posterior:
        """Args: along: D-VAE's messages, unused."""
        state, weights = table[batch.types], directed_normalisation(batch.adjacency)
        state = self.levels[0](torch.bmm(weights, state)).relu()
        for level in list(self.levels)[1:]:
            state = in_order(level, weights, state)
        position = torch.arange(state.shape[1], device=state.device)
        inner = (position > 0) & (position < batch.sizes[:, None] - 1)
        total = (state * inner[..., None]).sum(1)
        return Posterior(self.mean(total), self.log_var(total))


class GCN(DVAE):
    """D-VAE's decoder on a GCN encoder; see the module's docstring for the variant."""

    kind: ClassVar[str] = "gcn"
    title: ClassVar[str] = "GCN"
    source: ClassVar[str] = "D-VAE's variant with a GCN encoder (Zhang et al. 2019)"
    summed: ClassVar[bool] = True

    @staticmethod
    def make_encoder(table: Tensor, max_nodes: int, config: ModelConfig) -> nn.Module:
        """The GCN."""
        return GCNEncoder(table.shape[1], config)

    def node_tables(self) -> dict[str, Float[Tensor, "types width"]]:
        """What the first convolution and the decoder's GRU cell make of a type."""
        first: Any = self.encoder.get_submodule("levels.0")
        return {"Encoder: first convolution": self.table @ first.weight.t(), **super().node_tables()}
