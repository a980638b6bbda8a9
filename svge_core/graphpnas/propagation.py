"""The generator's message passing: all layers over a flat list of the edges that exist.

A layer is that of GRAN (Liao et al. 2019, equations 3 to 6) as GraphPNAS uses it: the message of an edge u -> v is an
MLP of [h_u - h_v; features of the edge], times the sigmoid of another MLP of the same, summed at v, then a GRU cell; a
ReLU stands between layers. Graphs of a batch are parts of one graph without edges between them.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor


class LayerWeights(NamedTuple):
    """Weights of all layers, stacked.

    Attributes:
        first: first matrices of message and gate side by side, for the difference of node states and, below, the edge
            features, a constant 1 among these for the bias.
        message, message_bias, gate, gate_bias: their second layers.
        read, read_bias, held, held_bias: of the GRU cell for what arrives and for the own state; reset, update and
            candidate side by side (Cho et al. 2014).
    """

    first: Float[Tensor, "layers inputs both"]
    message: Float[Tensor, "layers hidden hidden"]
    message_bias: Float[Tensor, "layers hidden"]
    gate: Float[Tensor, "layers wide hidden"]
    gate_bias: Float[Tensor, "layers hidden"]
    read: Float[Tensor, "layers hidden gates"]
    read_bias: Float[Tensor, "layers gates"]
    held: Float[Tensor, "layers hidden gates"]
    held_bias: Float[Tensor, "layers gates"]


def propagate(
    state: Float[Tensor, "nodes hidden"],
    features: Float[Tensor, "edges features"],
    source: Int[Tensor, " edges"],
    target: Int[Tensor, " edges"],
    weights: LayerWeights,
) -> Float[Tensor, "nodes hidden"]:
    """Node states after all layers."""
    hidden = state.shape[1]
    for layer in range(len(weights.first)):
        w = LayerWeights(*(tensor[layer] for tensor in weights))
        before = torch.relu(state) if layer else state
        inputs = torch.cat([before[source] - before[target], features], dim=1)
        active = torch.relu(inputs @ w.first)
        message = torch.addmm(w.message_bias, active[:, :hidden], w.message)
        gate = torch.addmm(w.gate_bias, active[:, hidden:], w.gate).sigmoid()
        summed = torch.zeros_like(before).index_add(0, target, message * gate)
        read = torch.addmm(w.read_bias, summed, w.read)
        held = torch.addmm(w.held_bias, before, w.held)
        reset, update = (read[:, : 2 * hidden] + held[:, : 2 * hidden]).sigmoid().chunk(2, dim=1)
        candidate = torch.addcmul(read[:, 2 * hidden :], reset, held[:, 2 * hidden :]).tanh()
        state = torch.lerp(candidate, before, update)
    return state
