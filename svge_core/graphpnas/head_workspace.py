"""The heads for edges and edge labels and their loss in buffers made once, with the derivative written out.

The same as :func:`svge_core.graphpnas.refit.weighted_loss` of
:meth:`svge_core.graphpnas.generator.Generator.heads`; see :mod:`svge_core.graphpnas.workspace` for why.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from svge_core.graphpnas.generator import HeadWeights
from svge_core.graphpnas.rows import Layout
from svge_core.graphpnas.workspace import stop_at_zero


class HeadWorkspace:
    """Loss and gradients of ``graphs`` graphs, each with the slots of a layout and one for padding.

    Args:
        weights, grads: of the heads; read and written where they lie.
        at: the layout.
        components: of the mixture.
        edge_labels: number of edge labels; 0 for none.
        graphs: in every batch.
    """

    def __init__(
        self, weights: HeadWeights, grads: HeadWeights, at: Layout, components: int, edge_labels: int, graphs: int
    ) -> None:
        heads, hidden, out = weights.last.shape
        slots = at.slots + 1
        self.weights, self.grads = weights, grads
        self.transposed = HeadWeights(*(w.transpose(-2, -1) if w.dim() > 1 else w for w in weights))
        offset = (torch.arange(graphs) * slots)[:, None]
        self.newest = (functional.pad(at.newest, (0, 1), value=at.slots) + offset).flatten()
        row_sum = functional.pad(at.row_sum, (0, 1))
        row_mean = row_sum / row_sum.sum(1, keepdim=True)
        self.row_sum, self.row_mean = (m.expand(graphs, -1, -1) for m in (row_sum, row_mean))
        self.row_sum_t, self.row_mean_t = self.row_sum.transpose(1, 2), self.row_mean.transpose(1, 2)
        count = graphs * slots
        self.first = torch.empty(count, heads * hidden)
        self.by_first = torch.empty_like(self.first)
        self.first_apart, self.by_first_apart = (
            t.view(count, heads, hidden).transpose(0, 1) for t in (self.first, self.by_first)
        )
        self.difference, self.by_difference, self.by_states = (torch.empty(count, hidden) for _ in range(3))
        self.middle, self.by_middle = torch.empty(heads, count, hidden), torch.empty(heads, count, hidden)
        self.out, self.by_out = torch.empty(heads, count, out), torch.zeros(heads, count, out)
        apart = [t.view(heads, graphs, slots, out) for t in (self.out, self.by_out)]
        self.theta, self.by_theta = (t[0, :, :, :components] for t in apart)
        self.alpha, self.by_alpha = (t[1, :, :, :components] for t in apart)
        self.psi, self.by_psi = (t[2, :, :, :edge_labels] for t in apart) if edge_labels else (None, None)

    def __call__(
        self,
        states: Float[Tensor, "nodes hidden"],
        sign: Float[Tensor, "graphs slots1 1"],
        row: Float[Tensor, "graphs rows 1"],
        edge_label: Float[Tensor, "graphs slots1 edge_labels"],
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "nodes hidden"]]:
        """The loss and its gradient by the states, in a buffer; the weights' gradients are written.

        Args:
            states: of all slots.
            sign, row, edge_label: targets, padded slots included; their weights divided by the number of graphs.
        """
        w = self.weights
        torch.sub(torch.index_select(states, 0, self.newest), states, out=self.difference)
        torch.addmm(w.first_bias, self.difference, w.first, out=self.first).relu_()
        torch.baddbmm(w.middle_bias, self.first_apart, w.middle, out=self.middle).relu_()
        torch.baddbmm(w.last_bias, self.middle, w.last, out=self.out)
        signed = self.theta * sign
        alpha = torch.bmm(self.row_mean, self.alpha).log_softmax(-1)
        joint = alpha - torch.bmm(self.row_sum, functional.softplus(signed).mul_(sign.abs()))
        rows = joint.logsumexp(-1, keepdim=True)
        loss = (rows * row).sum()
        # posterior and prior weights of the components: what a row's log probability is moved by
        posterior = joint.sub_(rows).exp_().mul_(row)
        torch.mul(torch.bmm(self.row_sum_t, posterior), signed.sigmoid_().mul_(sign), out=self.by_theta)
        posterior -= alpha.exp_().mul_(row)
        self.by_alpha.copy_(torch.bmm(self.row_mean_t, posterior).neg_())
        if self.psi is not None and self.by_psi is not None:
            label = self.psi.log_softmax(-1)
            loss += (label * edge_label).sum()
            torch.sub(label.exp_().mul_(edge_label.sum(-1, keepdim=True)), edge_label, out=self.by_psi)
        return -loss, self._backward()

    def _backward(self) -> Tensor:
        made, t = self.grads, self.transposed
        torch.bmm(self.middle.transpose(1, 2), self.by_out, out=made.last)
        torch.sum(self.by_out, 1, keepdim=True, out=made.last_bias)
        stop_at_zero(torch.bmm(self.by_out, t.last, out=self.by_middle), self.middle, 0, grad_input=self.by_middle)
        torch.bmm(self.first_apart.transpose(1, 2), self.by_middle, out=made.middle)
        torch.sum(self.by_middle, 1, keepdim=True, out=made.middle_bias)
        self.by_first_apart.copy_(torch.bmm(self.by_middle, t.middle))
        stop_at_zero(self.by_first, self.first, 0, grad_input=self.by_first)
        torch.mm(self.difference.t(), self.by_first, out=made.first)
        torch.sum(self.by_first, 0, out=made.first_bias)
        torch.mm(self.by_first, t.first, out=self.by_difference)
        torch.neg(self.by_difference, out=self.by_states)
        return self.by_states.index_add_(0, self.newest, self.by_difference)
