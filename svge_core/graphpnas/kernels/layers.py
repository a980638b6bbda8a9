"""Message passing of one batch shape in buffers made once, with the derivative written out: what a refit runs.

Graphs of a few nodes make tensors of a few thousand numbers, so a training step costs what its single operations cost
to call. Against autograd over :func:`svge_core.graphpnas.propagation.propagate`, which computes the same, this keeps
every buffer and every view, and makes the gradients of most weights in one product over all layers.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from svge_core.graphpnas.propagation import LayerWeights

#: gradients through a ReLU, a sigmoid and a tanh from their results, into ``grad_input``
stop_at_zero = torch.ops.aten.threshold_backward.grad_input
sigmoid_slope = torch.ops.aten.sigmoid_backward.grad_input
tanh_slope = torch.ops.aten.tanh_backward.grad_input


#: entries of an edges x nodes matrix up to which a product with it costs less than taking rows one by one
_DENSE = 8_192


class _Ends:
    """Taking states at the ends of edges and adding up at nodes: small batches multiply by incidence matrices.

    Args:
        source, target: nodes of each model's edges (models, edges).
        identity: of as many rows as there are nodes; None for large batches.
        nodes: of each model's batch.
    """

    def __init__(self, source: Tensor, target: Tensor, identity: Tensor | None, nodes: int) -> None:
        self.shape = source.shape
        self.apart = self.into = self.apart_t = self.into_t = None
        if identity is not None:
            self.into_t = identity[target]
            self.apart = identity[source].sub_(self.into_t)
            self.apart_t, self.into = self.apart.mT, self.into_t.mT
        else:
            offset = torch.arange(len(source))[:, None] * nodes
            self.source, self.target = (source + offset).flatten(), (target + offset).flatten()

    def _taken(self, states: Tensor, at: Tensor) -> Tensor:
        return states.flatten(0, 1).index_select(0, at).view(*self.shape, -1)

    def difference(self, states: Tensor, out: Tensor) -> None:
        """Source minus target of every edge."""
        if self.apart is not None:
            torch.bmm(self.apart, states, out=out)
        else:
            torch.sub(self._taken(states, self.source), self._taken(states, self.target), out=out)

    def add_difference(self, by_edges: Tensor, states: Tensor, spare: Tensor) -> None:
        """Transpose of :meth:`difference`, added to the states."""
        if self.apart_t is not None:
            states += torch.bmm(self.apart_t, by_edges, out=spare)
        else:
            flat, by_flat = states.view(-1, states.shape[2]), by_edges.flatten(0, 1)
            flat.index_add_(0, self.source, by_flat).index_add_(0, self.target, by_flat, alpha=-1)

    def arriving(self, messages: Tensor, out: Tensor) -> None:
        """Sum of the messages at every node."""
        if self.into is not None:
            torch.bmm(self.into, messages, out=out)
        else:
            out.zero_().view(-1, out.shape[2]).index_add_(0, self.target, messages.flatten(0, 1))

    def at_targets(self, states: Tensor, out: Tensor) -> Tensor:
        """Transpose of :meth:`arriving`."""
        if self.into_t is not None:
            return torch.bmm(self.into_t, states, out=out)
        return out.copy_(self._taken(states, self.target))


@dataclass(frozen=True)
class _Layer:
    """Views of one layer: its weights, and the parts of kept values and of gradients, columns named by what they are.

    ``t`` holds transposed weights. ``gates`` are reset, update and candidate; ``by_x`` is the gradient of ``x``.
    """

    w: LayerWeights
    t: LayerWeights
    made: LayerWeights
    before: Tensor
    inputs: Tensor
    difference: Tensor
    active: tuple[Tensor, Tensor]
    active_t: tuple[Tensor, Tensor]
    both: Tensor
    message: Tensor
    gate: Tensor
    summed: Tensor
    held: Tensor
    held_open: Tensor
    held_new: Tensor
    opened: Tensor
    reset: Tensor
    update: Tensor
    candidate: Tensor
    by_read: Tensor
    by_reset: Tensor
    by_update: Tensor
    by_open: Tensor
    by_new: Tensor
    by_held: Tensor
    by_held_new: Tensor
    by_message: Tensor
    by_gate: Tensor
    by_both: Tensor
    by_active: tuple[Tensor, Tensor]


class Workspace:
    """Forward and backward passes of one or several models for a fixed number of nodes and edges.

    Args:
        weights: of the layers, as :class:`LayerWeights` with an axis of models after that of layers, biases with an
            axis of length 1 before the last; read where they lie, so they may be updated in place between passes.
        grads: where gradients are written, of the same shapes.
        nodes, edges: of the whole batch, padding included: a padded edge joins a padded node to itself.
    """

    def __init__(self, weights: LayerWeights, grads: LayerWeights, nodes: int, edges: int) -> None:
        layers, models, inputs, both = weights.first.shape
        hidden = weights.message.shape[2]
        like = weights.first

        def buffer(*shape: int) -> Tensor:
            return torch.empty(*shape, dtype=like.dtype, device=like.device)

        self.weights, self.grads, self.hidden = weights, grads, hidden
        self.before, self.summed, self.candidate = (buffer(layers, models, nodes, hidden) for _ in range(3))
        self.inputs, self.both, self.by_both = (
            buffer(layers, models, edges, inputs),
            buffer(layers, models, edges, both),
            buffer(layers, models, edges, both),
        )
        self.message, self.gate, self.by_message, self.by_gate = (
            buffer(layers, models, edges, hidden) for _ in range(4)
        )
        self.held, self.by_read, self.by_held = (buffer(layers, models, nodes, 3 * hidden) for _ in range(3))
        self.opened = buffer(layers, models, nodes, 2 * hidden)
        # of one layer at a time
        self.read = buffer(models, nodes, 3 * hidden)
        self.read_open, self.read_new = self.read[..., : 2 * hidden], self.read[..., 2 * hidden :]
        self.state, self.spare, self.other = (buffer(models, nodes, hidden) for _ in range(3))
        self.on_edges = buffer(models, edges, hidden)
        self.identity = torch.eye(nodes, dtype=like.dtype, device=like.device) if edges * nodes <= _DENSE else None
        self.layers = [self._layer(number, hidden) for number in range(layers)]
        # weights' gradients that are one product over all layers and models
        self.products = [
            (values.flatten(0, 1).mT, by_values.flatten(0, 1), made.flatten(0, 1))
            for values, by_values, made in (
                (self.inputs, self.by_both, grads.first),
                (self.summed, self.by_read, grads.read),
                (self.before, self.by_held, grads.held),
            )
        ]
        nowhere = torch.zeros(models, edges, dtype=torch.long, device=like.device)
        self.nodes, self.ends = nodes, _Ends(nowhere, nowhere, self.identity, nodes)

    def _layer(self, number: int, hidden: int) -> _Layer:
        w = LayerWeights(*(tensor.detach()[number] for tensor in self.weights))
        first = w._replace(first=w.first[:, :hidden])
        inputs, both, by_both = self.inputs[number], self.both[number], self.by_both[number]
        held, opened = self.held[number], self.opened[number]
        by_read, by_held = self.by_read[number], self.by_held[number]
        return _Layer(
            w=w,
            t=LayerWeights(*(tensor.mT for tensor in first)),
            made=LayerWeights(*(tensor[number] for tensor in self.grads)),
            before=self.before[number],
            inputs=inputs,
            difference=inputs[..., :hidden],
            active=(both[..., :hidden], both[..., hidden:]),
            active_t=(both[..., :hidden].mT, both[..., hidden:].mT),
            both=both,
            message=self.message[number],
            gate=self.gate[number],
            summed=self.summed[number],
            held=held,
            held_open=held[..., : 2 * hidden],
            held_new=held[..., 2 * hidden :],
            opened=opened,
            reset=opened[..., :hidden],
            update=opened[..., hidden:],
            candidate=self.candidate[number],
            by_read=by_read,
            by_reset=by_read[..., :hidden],
            by_update=by_read[..., hidden : 2 * hidden],
            by_open=by_read[..., : 2 * hidden],
            by_new=by_read[..., 2 * hidden :],
            by_held=by_held,
            by_held_new=by_held[..., 2 * hidden :],
            by_message=self.by_message[number],
            by_gate=self.by_gate[number],
            by_both=by_both,
            by_active=(by_both[..., :hidden], by_both[..., hidden:]),
        )

    def forward(
        self,
        state: Float[Tensor, "models nodes hidden"],
        features: Float[Tensor, "models edges features"],
        source: Int[Tensor, "models edges"],
        target: Int[Tensor, "models edges"],
    ) -> Float[Tensor, "models nodes hidden"]:
        """Node states after all layers, in a buffer that the next pass overwrites."""
        ends = self.ends = _Ends(source, target, self.identity, self.nodes)
        self.inputs[..., self.hidden :] = features
        for number, at in enumerate(self.layers):
            before, w = at.before, at.w
            if number:
                torch.clamp_min(state, 0.0, out=before)
            else:
                before.copy_(state)
            ends.difference(before, at.difference)
            torch.bmm(at.inputs, w.first, out=at.both).relu_()
            torch.bmm(at.active[0], w.message, out=at.message).add_(w.message_bias)
            torch.bmm(at.active[1], w.gate, out=at.gate).add_(w.gate_bias).sigmoid_()
            ends.arriving(torch.mul(at.message, at.gate, out=self.on_edges), at.summed)
            torch.bmm(at.summed, w.read, out=self.read).add_(w.read_bias)
            torch.bmm(before, w.held, out=at.held).add_(w.held_bias)
            torch.add(self.read_open, at.held_open, out=at.opened).sigmoid_()
            torch.addcmul(self.read_new, at.reset, at.held_new, out=at.candidate).tanh_()
            state = torch.lerp(at.candidate, before, at.update, out=self.state)
        return state

    def backward(self, grad: Float[Tensor, "models nodes hidden"]) -> Float[Tensor, "models nodes hidden"]:
        """Write the weights' gradients of the last forward pass and return that of the first states."""
        other, on_edges, ends = self.other, self.on_edges, self.ends
        result, spare = self.state, self.spare
        for number in reversed(range(len(self.layers))):
            at = self.layers[number]
            torch.mul(grad, at.update, out=result)
            tanh_slope(torch.sub(grad, result, out=other), at.candidate, grad_input=at.by_new)
            torch.mul(at.by_new, at.held_new, out=at.by_reset)
            torch.mul(grad, torch.sub(at.before, at.candidate, out=other), out=at.by_update)
            sigmoid_slope(at.by_open, at.opened, grad_input=at.by_open)
            at.by_held.copy_(at.by_read)
            at.by_held_new.mul_(at.reset)
            ends.at_targets(torch.bmm(at.by_read, at.t.read, out=other), on_edges)
            torch.mul(on_edges, at.gate, out=at.by_message)
            torch.mul(at.by_message, at.message, out=at.by_gate)
            at.by_gate.addcmul_(at.by_gate, at.gate, value=-1)
            torch.bmm(at.by_message, at.t.message, out=at.by_active[0])
            torch.bmm(at.by_gate, at.t.gate, out=at.by_active[1])
            stop_at_zero(at.by_both, at.both, 0, grad_input=at.by_both)
            torch.bmm(at.by_both, at.t.first, out=on_edges)
            result += torch.bmm(at.by_held, at.t.held, out=other)
            ends.add_difference(on_edges, result, other)
            # bmm over all layers at once would copy the parts of ``both``
            torch.bmm(at.active_t[0], at.by_message, out=at.made.message)
            torch.bmm(at.active_t[1], at.by_gate, out=at.made.gate)
            if number:
                stop_at_zero(result, at.before, 0, grad_input=result)
            grad, result, spare = result, spare, result
        for values, by_values, product in self.products:
            torch.bmm(values, by_values, out=product)
        made = self.grads
        torch.sum(self.by_message, 2, keepdim=True, out=made.message_bias)
        torch.sum(self.by_gate, 2, keepdim=True, out=made.gate_bias)
        torch.sum(self.by_read, 2, keepdim=True, out=made.read_bias)
        torch.sum(self.by_held, 2, keepdim=True, out=made.held_bias)
        return grad
