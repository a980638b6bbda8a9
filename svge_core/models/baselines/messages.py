"""D-VAE's building blocks: the gated sum of a node's predecessors, and the GRU cell it goes into."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class GatedMessages(nn.Module):
    """What a node sends: sigmoid(gate [h; vertex id]) * map [h; vertex id] (Zhang et al. 2019, section 3.3).

    The map has no bias, as published. Vertex ids are one-hot, so their part of the weights is a table by node.

    Args:
        ids: largest number of nodes where vertex ids join the states; 0 where they do not.
    """

    def __init__(self, hidden: int, ids: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.gate = nn.Linear(hidden + ids, hidden)
        self.map = nn.Linear(hidden + ids, hidden, bias=False)
        with torch.no_grad():
            self.map.weight.mul_(2.0)  # the gate starts half open

    def forward(self, state: Float[Tensor, "batch hidden"], node: int) -> Float[Tensor, "batch hidden"]:
        """Messages of the node at a position, of every cell."""
        width = self.hidden
        bias, own = self.gate.bias, None
        if self.gate.in_features > width:
            bias, own = bias + self.gate.weight[:, width + node], self.map.weight[:, width + node]
        gate = functional.linear(state, self.gate.weight[:, :width], bias).sigmoid()
        return gate * functional.linear(state, self.map.weight[:, :width], own)


def type_gru(table: Tensor, hidden: int) -> nn.GRUCell:
    """A GRU cell whose gates a type moves by half a unit at the start, for every kind of operation encoding.

    PyTorch's own start, U(-1/sqrt(hidden), 1/sqrt(hidden)), lets a type leave a mark of a few per cent on a state. With
    it, 1,600 steps on ENAS cells brought D-VAE's types from ln 6 = 1.792 to 1.790 nats per node; published runs have
    160,000 steps.
    """
    cell = nn.GRUCell(table.shape[1], hidden)
    with torch.no_grad():
        nn.init.normal_(cell.weight_ih, std=0.5 / float(table.detach().square().sum(1).mean().sqrt()))
    return cell


def gru(
    cell: nn.GRUCell, inputs: Float[Tensor, "*#batch gates"], state: Float[Tensor, "*batch hidden"]
) -> Float[Tensor, "*batch hidden"]:
    """torch's GRU cell where the input's part of the gates is known: ``W_ih x + b_ih`` of few types, computed once.

    Args:
        inputs: that part, 3 * hidden wide; its leading axes may be broadcast.
    """
    width = cell.hidden_size
    own = functional.linear(state, cell.weight_hh, cell.bias_hh)
    opened = (inputs[..., : 2 * width] + own[..., : 2 * width]).sigmoid()
    candidate = torch.addcmul(inputs[..., 2 * width :], opened[..., :width], own[..., 2 * width :]).tanh()
    return torch.lerp(candidate, state, opened[..., width:])


def type_inputs(cell: nn.GRUCell, table: Float[Tensor, "types width"]) -> Float[Tensor, "types gates"]:
    """``W_ih x + b_ih`` of every row of the operation encoding."""
    return functional.linear(table, cell.weight_ih, cell.bias_ih)
