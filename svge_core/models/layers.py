"""Message passing in both edge directions at once, and the gated sum: SVGe's two building blocks, dense.

States have the shape ``(2, batch, nodes, half)``: direction 0 receives along the edges, direction 1 against them. The
two directions have their own weights and meet only in read-outs (Lukasik et al. 2021, section III).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class GatedUpdate(torch.autograd.Function):
    """The elementwise part of a GRU cell (Cho et al. 2014) with its derivative written out.

    ``gates`` holds, in this order, the pre-activations of reset and update (input and hidden parts summed), and the
    input and hidden parts of the candidate. Autograd would keep twice as many intermediate results.
    """

    @staticmethod
    def forward(ctx, gates: Tensor, state: Tensor) -> Tensor:
        width = state.shape[-1]
        opened = gates[..., : 2 * width].sigmoid()
        reset, update = opened[..., :width], opened[..., width:]
        hidden_part = gates[..., 3 * width :]
        candidate = torch.addcmul(gates[..., 2 * width : 3 * width], reset, hidden_part).tanh_()
        ctx.save_for_backward(opened, candidate, hidden_part, state)
        return torch.lerp(candidate, state, update)

    @staticmethod
    def backward(ctx, *grad_outputs: Tensor) -> tuple[Tensor, Tensor]:
        (grad,) = grad_outputs
        opened, candidate, hidden_part, state = ctx.saved_tensors
        width = state.shape[-1]
        reset, update = opened[..., :width], opened[..., width:]
        grad_state = grad * update
        grad_inner = (grad - grad_state).mul_(1 - candidate * candidate)
        grad_gates = torch.empty((*state.shape[:-1], 4 * width), dtype=grad.dtype, device=grad.device)
        torch.mul(grad_inner, hidden_part, out=grad_gates[..., :width])
        torch.mul(grad, state - candidate, out=grad_gates[..., width : 2 * width])
        grad_gates[..., : 2 * width] *= opened * (1 - opened)
        grad_gates[..., 2 * width : 3 * width] = grad_inner
        torch.mul(grad_inner, reset, out=grad_gates[..., 3 * width :])
        return grad_gates, grad_state


class MessagePassing(nn.Module):
    """One synchronous round: message Linear([h_source; h_target]), summed over incoming edges, GRU update.

    The message is linear, so it is folded into the GRU's input weights: once per batch (:meth:`folded`), not per step.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        half = hidden // 2
        self.width = half
        bound_message, bound_gru = 1 / math.sqrt(hidden), 1 / math.sqrt(half)
        self.message = nn.Parameter(torch.empty(2, hidden, hidden).uniform_(-bound_message, bound_message))
        self.message_bias = nn.Parameter(torch.empty(2, hidden).uniform_(-bound_message, bound_message))
        self.input = nn.Parameter(torch.empty(2, 3 * half, hidden).uniform_(-bound_gru, bound_gru))
        self.input_bias = nn.Parameter(torch.empty(2, 3 * half).uniform_(-bound_gru, bound_gru))
        self.recurrent = nn.Parameter(torch.empty(2, 3 * half, half).uniform_(-bound_gru, bound_gru))
        self.recurrent_bias = nn.Parameter(torch.empty(2, 3 * half).uniform_(-bound_gru, bound_gru))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight (2, 3*half + 1, 4*half) and bias (2, 1, 4*half) of the gates.

        They multiply ``[sum of sources, degree * own state, own state, degree]``; see :class:`GatedUpdate` for the
        columns.
        """
        half = self.width
        into = torch.matmul(self.input, self.message)  # (2, 3 half, 2 half): source part, target part
        per_edge = torch.matmul(self.input, self.message_bias[..., None])[..., 0]  # (2, 3 half)
        blank = into.new_zeros(2, half, half)
        rows_edges = torch.cat([into, per_edge[..., None]], dim=2).transpose(1, 2)  # (2, 2 half + 1, 3 half)
        rows_edges = torch.cat([rows_edges, rows_edges.new_zeros(2, 2 * half + 1, half)], dim=2)
        own = self.recurrent.transpose(1, 2)  # (2, half, 3 half)
        rows_own = torch.cat([own[..., : 2 * half], blank, own[..., 2 * half :]], dim=2)
        weight = torch.cat([rows_edges[:, : 2 * half], rows_own, rows_edges[:, 2 * half :]], dim=1)
        gates_bias = self.input_bias[:, : 2 * half] + self.recurrent_bias[:, : 2 * half]
        bias = torch.cat([gates_bias, self.input_bias[:, 2 * half :], self.recurrent_bias[:, 2 * half :]], dim=1)
        return weight, bias[:, None, :]


def both_directions(adjacency: Float[Tensor, "batch nodes nodes"]) -> Float[Tensor, "2 batch nodes nodes"]:
    """Row = receiving node: who sends to it along the edges, and against them."""
    return torch.stack([adjacency.transpose(1, 2), adjacency])


def propagate(
    state: Float[Tensor, "2 batch nodes half"],
    receives: Float[Tensor, "2 batch nodes nodes"],
    degree: Float[Tensor, "2 batch nodes 1"],
    folded: tuple[Tensor, Tensor],
) -> Float[Tensor, "2 batch nodes half"]:
    """One round of :class:`MessagePassing` for both directions and the whole batch.

    Args:
        receives: 1 where the second-last axis receives from the last (see :func:`both_directions`).
        degree: number of senders of every node.
        folded: weight and bias from :meth:`MessagePassing.folded`.
    """
    _, batch, nodes, half = state.shape
    summed = torch.bmm(receives.reshape(2 * batch, nodes, nodes), state.reshape(2 * batch, nodes, half))
    inputs = torch.cat([summed.view_as(state), degree * state, state, degree], dim=-1)
    gates = torch.baddbmm(folded[1], inputs.view(2, batch * nodes, 3 * half + 1), folded[0])
    return GatedUpdate.apply(gates.view(2, batch, nodes, 4 * half), state)  # type: ignore[return-value]


class GatedSum(nn.Module):
    """``readouts`` gated sums over nodes at once: sum_v sigmoid(gate(h_v)) * value(h_v), each with its own weights.

    value is linear, so nodes are summed first and multiplied once per cell.
    """

    def __init__(self, hidden: int, latent: int, readouts: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(hidden)
        self.gate = nn.Parameter(torch.empty(2, hidden // 2, readouts).uniform_(-bound, bound))
        self.gate_bias = nn.Parameter(torch.empty(readouts).uniform_(-bound, bound))
        self.value = nn.Parameter(torch.empty(readouts, hidden, latent).uniform_(-bound, bound))
        self.value_bias = nn.Parameter(torch.empty(readouts, 1, latent).uniform_(-bound, bound))

    def forward(
        self, state: Float[Tensor, "2 batch nodes half"], mask: Float[Tensor, "batch nodes"] | None = None
    ) -> Float[Tensor, "readouts batch latent"]:
        """Args: mask: 1 at real nodes; all nodes are real where it is not given."""
        _, batch, nodes, half = state.shape
        readouts = len(self.value)
        scores = torch.bmm(state.reshape(2, batch * nodes, half), self.gate).sum(0)
        gates = (scores + self.gate_bias).sigmoid().view(batch, nodes, readouts)
        if mask is not None:
            gates = gates * mask[..., None]
        weights = gates.transpose(1, 2).expand(2, -1, -1, -1).reshape(2 * batch, readouts, nodes)
        summed = torch.bmm(weights, state.reshape(2 * batch, nodes, half)).view(2, batch, readouts, half)
        per_readout = summed.permute(2, 1, 0, 3).reshape(readouts, batch, 2 * half)
        totals = gates.sum(1).t()[..., None]  # (readouts, batch, 1)
        return torch.bmm(per_readout, self.value) + totals * self.value_bias

    def ungated(self, state: Float[Tensor, "2 batch half"]) -> Float[Tensor, "readouts batch latent"]:
        """The bare value of a single node, as SVGe reads out a graph of one node."""
        flat = torch.cat([state[0], state[1]], dim=-1)
        return torch.matmul(flat, self.value) + self.value_bias
