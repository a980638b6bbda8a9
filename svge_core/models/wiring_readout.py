"""`WiringReadout`: what a wiring computes, read from numbers of its nodes that no renaming of the nodes changes.

For every node v, of its edges to and from other inner nodes alone::

    n_v = ln(1 + (in-degree, out-degree,
                  longest and shortest way from a source, the number of ways from sources,
                  longest and shortest way to a sink, the number of ways to sinks,
                  longest and shortest way from a source over v to a sink))

    z_f = V3 relu(V2 [mean over v of s_v; max over v of s_v])        s_v = relu(V1 n_v)

with biases in V1 to V3. Ways are counted in edges. The numbers come from the wiring by dynamic programming and have no
weights; mean and maximum over nodes as in Xu et al. 2019, "How powerful are graph neural networks?", section 5.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from svge_core.models.config import ModelConfig

#: of a node
NUMBERS = 10


class WiringReadout(nn.Module):
    """A read-out of ``config.function`` numbers; see the module's docstring for the equations."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        wide = config.function_hidden
        self.node = nn.Linear(NUMBERS, wide)
        self.whole = nn.Linear(2 * wide, wide)
        self.out = nn.Linear(wide, config.function)

    def forward(self, edges: Float[Tensor, "batch nodes nodes"]) -> Float[Tensor, "batch function"]:
        """Args: edges: 1 from the second axis to the third, strictly upper triangular."""
        states = self.node(node_numbers(edges).log1p()).relu()
        pooled = torch.cat([states.mean(1), states.amax(1)], dim=1)
        return self.out(self.whole(pooled).relu())


def node_numbers(edges: Float[Tensor, "batch nodes nodes"]) -> Float[Tensor, "batch nodes numbers"]:
    """The numbers n_v of the module's docstring, before the logarithm.

    Args:
        edges: 1 from the second axis to the third, strictly upper triangular.
    """
    turned = edges.flip(1, 2).transpose(1, 2)  # the same wiring from its end
    ahead, back = _ways(edges), _ways(turned).flip(1)
    return torch.cat([edges.sum(1)[..., None], edges.sum(2)[..., None], ahead, back, (ahead + back)[..., :2]], dim=2)


def _ways(edges: Float[Tensor, "batch nodes nodes"]) -> Float[Tensor, "batch nodes measures"]:
    """Longest and shortest way from any source to every node, in edges, and the number of all such ways."""
    batch, nodes, _ = edges.shape
    longest, shortest, count = (
        edges.new_zeros(batch, nodes),
        edges.new_zeros(batch, nodes),
        edges.new_ones(batch, nodes),
    )
    for node in range(1, nodes):
        into = edges[:, :node, node] > 0
        source = ~into.any(1)
        longest[:, node] = (longest[:, :node] + 1).masked_fill(~into, 0.0).amax(1)
        shortest[:, node] = (shortest[:, :node] + 1).masked_fill(~into, nodes).amin(1).masked_fill(source, 0.0)
        count[:, node] = (count[:, :node] * into).sum(1).masked_fill(source, 1.0)
    return torch.stack([longest, shortest, count], dim=2)
