"""Message passing in both edge directions at once, and the gated sum: SVGe's two building blocks, dense.

States have the shape ``(2, batch, nodes, half)``: direction 0 receives along the edges, direction 1 against them. The
two directions have their own weights and meet only in read-outs (Lukasik et al. 2021, section III).
"""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Propagate(torch.autograd.Function):
    """One round of message passing for both directions and the whole batch, with its derivative written out.

    Inputs ``[sum of senders, degree * own state, own state, degree, 1]`` times one weight give the pre-activations of a
    GRU cell (Cho et al. 2014): reset and update with input and hidden parts summed, then the candidate's input and
    hidden parts. Autograd would copy the inputs apart again and keep twice as many intermediate results.
    """

    @staticmethod
    def forward(ctx: Any, state: Tensor, receives: Tensor, degree: Tensor, weight: Tensor) -> Tensor:
        _, batch, nodes, width = state.shape
        low = weight.dtype  # bfloat16 where the caller asked for it: products low, sums and states full
        senders = receives.reshape(2 * batch, nodes, nodes)
        inputs = torch.empty(2, batch, nodes, 3 * width + 2, dtype=low, device=state.device)
        summed = torch.bmm(senders, state.reshape(2 * batch, nodes, width))
        inputs[..., :width] = summed.view_as(state)
        inputs[..., width : 2 * width] = state * degree
        inputs[..., 2 * width : 3 * width] = state
        inputs[..., 3 * width :] = torch.cat([degree, torch.ones_like(degree)], dim=-1)
        flat = inputs.view(2, batch * nodes, 3 * width + 2)
        gates = torch.bmm(flat, weight).view(2, batch, nodes, 4 * width).to(state.dtype)
        opened = gates[..., : 2 * width].sigmoid()
        reset, update = opened[..., :width], opened[..., width:]
        hidden_part = gates[..., 3 * width :]
        candidate = torch.addcmul(gates[..., 2 * width : 3 * width], reset, hidden_part).tanh_()
        ctx.save_for_backward(flat, weight, senders, degree, opened, candidate, hidden_part, state)
        return torch.lerp(candidate, state, update)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None, Tensor]:
        (grad,) = grad_outputs
        flat, weight, senders, degree, opened, candidate, hidden_part, state = ctx.saved_tensors
        _, batch, nodes, width = state.shape
        reset, update = opened[..., :width], opened[..., width:]
        through = grad * update
        inner = torch.addcmul(grad - through, grad - through, candidate.square(), value=-1)
        grad_gates = torch.empty(2, batch, nodes, 4 * width, dtype=grad.dtype, device=grad.device)
        torch.mul(inner, hidden_part, out=grad_gates[..., :width])
        torch.mul(grad, state - candidate, out=grad_gates[..., width : 2 * width])
        grad_gates[..., : 2 * width] *= torch.addcmul(opened, opened, opened, value=-1)
        grad_gates[..., 2 * width : 3 * width] = inner
        torch.mul(inner, reset, out=grad_gates[..., 3 * width :])
        flat_grad = grad_gates.view(2, batch * nodes, 4 * width).to(weight.dtype)
        grad_weight = torch.bmm(flat.transpose(1, 2), flat_grad)
        # the constant inputs (degree and 1) need no gradient
        grad_inputs = torch.bmm(flat_grad, weight[:, : 3 * width].transpose(1, 2)).view(2, batch, nodes, 3 * width)
        grad_inputs = grad_inputs.to(grad.dtype)
        through += grad_inputs[..., 2 * width :]
        through.addcmul_(degree, grad_inputs[..., width : 2 * width])
        flat_through = through.view(2 * batch, nodes, width)
        flat_through.baddbmm_(senders.transpose(1, 2), grad_inputs[..., :width].reshape(2 * batch, nodes, width))
        return through, None, None, grad_weight


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

    def folded(self) -> Tensor:
        """Weight (2, 3*half + 2, 4*half) of the gates; see :class:`Propagate` for its rows and columns."""
        half = self.width
        into = torch.matmul(self.input, self.message)  # (2, 3 half, 2 half): source part, target part
        per_edge = torch.matmul(self.input, self.message_bias[..., None])  # (2, 3 half, 1)
        edges = torch.cat([into, per_edge], dim=2).transpose(1, 2)  # (2, 2 half + 1, 3 half)
        edges = functional.pad(edges, (0, half))
        own = self.recurrent.transpose(1, 2)  # (2, half, 3 half)
        own = torch.cat([own[..., : 2 * half], own.new_zeros(2, half, half), own[..., 2 * half :]], dim=2)
        gates = self.input_bias[:, : 2 * half] + self.recurrent_bias[:, : 2 * half]
        bias = torch.cat([gates, self.input_bias[:, 2 * half :], self.recurrent_bias[:, 2 * half :]], dim=1)
        return torch.cat([edges[:, : 2 * half], own, edges[:, 2 * half :], bias[:, None]], dim=1)

    @staticmethod
    def step(state: Tensor, receives: Tensor, degree: Tensor, folded: Tensor) -> Tensor:
        """:func:`propagate`: what a generator does with the folded weights of its rounds."""
        return propagate(state, receives, degree, folded)


def both_directions(adjacency: Float[Tensor, "batch nodes nodes"]) -> Float[Tensor, "2 batch nodes nodes"]:
    """Row = receiving node: who sends to it along the edges, and against them."""
    return torch.stack([adjacency.transpose(1, 2), adjacency])


def propagate(
    state: Float[Tensor, "2 batch nodes half"],
    receives: Float[Tensor, "2 batch nodes nodes"],
    degree: Float[Tensor, "2 batch nodes 1"],
    folded: Tensor,
) -> Float[Tensor, "2 batch nodes half"]:
    """One round of :class:`MessagePassing` for both directions and the whole batch.

    Args:
        state: of every node before the round.
        receives: 1 where the second-last axis receives from the last (see :func:`both_directions`).
        degree: number of senders of every node.
        folded: from :meth:`MessagePassing.folded`; its type is that of the matrix products.
    """
    device = state.device.type
    if not torch.is_autocast_enabled(device):
        return Propagate.apply(state, receives, degree, folded)  # type: ignore[return-value]
    low = folded.to(torch.get_autocast_dtype(device))
    with torch.autocast(device, enabled=False):  # states stay in full precision
        return Propagate.apply(state.float(), receives, degree, low)  # type: ignore[return-value]


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
