"""The heads for edges and edge labels and their loss in buffers made once, with the derivative written out.

The same as :func:`svge_core.graphpnas.fitting.weighted_loss` of
:meth:`svge_core.graphpnas.generator.Generator.heads`; see :mod:`svge_core.graphpnas.kernels.layers` for why.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from svge_core.graphpnas.generator import HeadWeights
from svge_core.graphpnas.kernels.layers import stop_at_zero
from svge_core.graphpnas.rows import Layout


class HeadWorkspace:
    """Loss and gradients of one or several models, each with graphs of a layout's slots and one for padding.

    Args:
        weights, grads: of the heads, as :class:`HeadWeights` with an axis of models after that of heads; read and
            written where they lie.
        at: the layout.
        components: of the mixture.
        edge_labels: number of edge labels; 0 for none.
        graphs: in every model's batch.
    """

    def __init__(
        self, weights: HeadWeights, grads: HeadWeights, at: Layout, components: int, edge_labels: int, graphs: int
    ) -> None:
        heads, models, hidden, out = weights.last.shape
        slots, apart = at.slots + 1, models * graphs
        self.shape, self.models = (heads, models, graphs * slots, hidden), models
        # heads and models are one axis of every product
        self.weights, self.grads = (HeadWeights(*(part.flatten(0, 1) for part in given)) for given in (weights, grads))
        self.first_t, self.middle_t, self.last_t = (
            part.mT for part in (self.weights.first, self.weights.middle, self.weights.last)
        )
        offset = (torch.arange(apart) * slots)[:, None]
        self.newest = (functional.pad(at.newest, (0, 1), value=at.slots) + offset).flatten()
        row_sum = functional.pad(at.row_sum, (0, 1))
        row_mean = row_sum / row_sum.sum(1, keepdim=True)
        self.row_sum, self.row_mean = (m.expand(apart, -1, -1) for m in (row_sum, row_mean))
        self.row_sum_t, self.row_mean_t = self.row_sum.mT, self.row_mean.mT
        self.difference = torch.empty(self.shape)
        self.first, self.by_first, self.middle, self.by_middle, self.by_difference = (
            torch.empty(heads * models, graphs * slots, hidden) for _ in range(5)
        )
        self.out, self.by_out = (torch.zeros(heads * models, graphs * slots, out) for _ in range(2))
        pieces = [t.view(heads, apart, slots, out) for t in (self.out, self.by_out)]
        self.theta, self.by_theta = (t[0, :, :, :components] for t in pieces)
        self.alpha, self.by_alpha = (t[1, :, :, :components] for t in pieces)
        self.psi, self.by_psi = (t[2, :, :, :edge_labels] for t in pieces) if edge_labels else (None, None)

    def __call__(
        self,
        states: Float[Tensor, "models nodes hidden"],
        sign: Float[Tensor, "all_graphs slots1 1"],
        drawn: Float[Tensor, "all_graphs slots1 1"],
        row: Float[Tensor, "all_graphs rows 1"],
        edge_label: Float[Tensor, "all_graphs slots1 edge_labels"],
        labelled: Float[Tensor, "all_graphs slots1 1"],
    ) -> tuple[Float[Tensor, " models"], Float[Tensor, "models nodes hidden"]]:
        """The losses and their gradient by the states; the weights' gradients are written.

        Args:
            states: of all slots.
            sign: targets of edges of all models' graphs, padded slots included; their weights divided by the number of
                graphs of a model.
            drawn: where the sign is not 0.
            row: targets of rows, likewise.
            edge_label: targets of the labels of edges, likewise.
            labelled: sum of ``edge_label`` over labels.
        """
        w = self.weights
        flat = states.flatten(0, 1)
        self.difference.copy_((flat.index_select(0, self.newest) - flat).view(self.shape[1:]))
        torch.baddbmm(w.first_bias, self.difference.flatten(0, 1), w.first, out=self.first).relu_()
        torch.baddbmm(w.middle_bias, self.first, w.middle, out=self.middle).relu_()
        torch.baddbmm(w.last_bias, self.middle, w.last, out=self.out)
        signed = self.theta * sign
        alpha = torch.bmm(self.row_mean, self.alpha).log_softmax(-1)
        joint = alpha - torch.bmm(self.row_sum, functional.softplus(signed).mul_(drawn))
        # by hand, as logsumexp costs more than all of this, and its terms are the posterior's
        most = joint.amax(-1, keepdim=True)
        posterior = joint.sub_(most).exp_()
        total = posterior.sum(-1, keepdim=True)
        loss = (most.add_(total.log()) * row).view(self.models, -1).sum(1)
        # posterior and prior weights of the components: what a row's log probability is moved by
        posterior.mul_(row / total)
        torch.mul(torch.bmm(self.row_sum_t, posterior), signed.sigmoid_().mul_(sign), out=self.by_theta)
        posterior -= alpha.exp_().mul_(row)
        self.by_alpha.copy_(torch.bmm(self.row_mean_t, posterior).neg_())
        if self.psi is not None and self.by_psi is not None:
            label = self.psi.log_softmax(-1)
            loss += (label * edge_label).view(self.models, -1).sum(1)
            torch.sub(label.exp_().mul_(labelled), edge_label, out=self.by_psi)
        return -loss, self._backward(states.shape)

    def _backward(self, shape: torch.Size) -> Tensor:
        made = self.grads
        torch.bmm(self.middle.mT, self.by_out, out=made.last)
        torch.sum(self.by_out, 1, keepdim=True, out=made.last_bias)
        stop_at_zero(torch.bmm(self.by_out, self.last_t, out=self.by_middle), self.middle, 0, grad_input=self.by_middle)
        torch.bmm(self.first.mT, self.by_middle, out=made.middle)
        torch.sum(self.by_middle, 1, keepdim=True, out=made.middle_bias)
        stop_at_zero(
            torch.bmm(self.by_middle, self.middle_t, out=self.by_first), self.first, 0, grad_input=self.by_first
        )
        torch.bmm(self.difference.flatten(0, 1).mT, self.by_first, out=made.first)
        torch.sum(self.by_first, 1, keepdim=True, out=made.first_bias)
        torch.bmm(self.by_first, self.first_t, out=self.by_difference)
        by_states = self.by_difference.view(self.shape).sum(0).flatten(0, 1)
        return torch.neg(by_states).index_add_(0, self.newest, by_states).view(shape)
