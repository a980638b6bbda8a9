"""D-VAE's building blocks: the gated sum of a node's predecessors, and the GRU cell it goes into.

Their initial weights are not PyTorch's, which the published code takes: there a type leaves a mark of a few per cent on
a state and every step from node to node halves what came before, so that nothing of a late node's type reaches z or
comes back from it. Here a type moves the gates by half a unit, a message keeps the length of the state it is made
from, and a cell keeps most of what it receives. On ENAS cells (hidden 64, batches of 64) the six types of a cell stayed
at 10.74 of 6 ln 6 = 10.75 nats for 1,600 steps with PyTorch's start, and fell to 0.7 in 1,072 steps with this one; the
published runs have 160,000 steps.
"""

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
            nn.init.orthogonal_(self.map.weight[:, :hidden], gain=2.0)  # the gate starts half open

    def forward(self, state: Float[Tensor, "batch hidden"], node: int) -> Float[Tensor, "batch hidden"]:
        """Messages of the node at a position, of every cell."""
        width = self.hidden
        bias, own = self.gate.bias, None
        if self.gate.in_features > width:
            bias, own = bias + self.gate.weight[:, width + node], self.map.weight[:, width + node]
        gate = functional.linear(state, self.gate.weight[:, :width], bias).sigmoid()
        return gate * functional.linear(state, self.map.weight[:, :width], own)


def type_gru(table: Tensor, hidden: int) -> nn.GRUCell:
    """A GRU cell that starts by keeping sigmoid(2) = 88 % of its state, whose gates a type moves by half a unit.

    Args:
        table: rows of the operation encoding (types, width); the half unit holds for rows of any width and length.
        hidden: width of the state.
    """
    cell = nn.GRUCell(table.shape[1], hidden)
    with torch.no_grad():
        nn.init.normal_(cell.weight_ih, std=0.5 / float(table.detach().square().sum(1).mean().sqrt()))
        cell.bias_ih[hidden : 2 * hidden] += 2.0
    return cell


def gru(
    cell: nn.GRUCell, inputs: Float[Tensor, "*#batch gates"], state: Float[Tensor, "*batch hidden"]
) -> Float[Tensor, "*batch hidden"]:
    """torch's GRU cell where the input's part of the gates is known: ``W_ih x + b_ih`` of few types, computed once.

    Args:
        cell: its weights.
        inputs: that part, 3 * hidden wide; its leading axes may be broadcast.
        state: before the step.
    """
    width = cell.hidden_size
    own = functional.linear(state, cell.weight_hh, cell.bias_hh)
    opened = (inputs[..., : 2 * width] + own[..., : 2 * width]).sigmoid()
    candidate = torch.addcmul(inputs[..., 2 * width :], opened[..., :width], own[..., 2 * width :]).tanh()
    return torch.lerp(candidate, state, opened[..., width:])


def type_inputs(cell: nn.GRUCell, table: Float[Tensor, "types width"]) -> Float[Tensor, "types gates"]:
    """``W_ih x + b_ih`` of every row of the operation encoding."""
    return functional.linear(table, cell.weight_ih, cell.bias_ih)
