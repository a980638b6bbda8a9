"""GraphPNAS's step of learning: a new generator by rank-weighted maximum likelihood on the best graphs so far.

This is what the authors' code does: no policy gradient, but the pool of the K best of everything that was evaluated, each
weighted by its rank, and at every iteration fresh weights. The loss of one graph with n nodes is

    reward * ( -log p(edges) / (n (n + 1) / 2) + 1/2 mean over nodes of CE(label) + 1/8 sum over rows of the mean CE(label
    of the row's edges) )

where log p(edges) is of the presence of edges alone. :class:`~svge_core.graphpnas.policy.Policy` is the true policy
gradient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from svge_core.graphpnas.generator import Generator, GeneratorOptions, HeadWeights, Logits
from svge_core.graphpnas.rows import Rows, lay_out, layout
from svge_core.graphpnas.views import Graphs, GraphView
from svge_core.graphpnas.workspace import Workspace

#: weights of the label terms beside that of the edges
NODE_LABELS, EDGE_LABELS = 1 / 2, 1 / 8


@dataclass(frozen=True)
class RefitOptions:
    """How a generator is fitted to the pool; the defaults are the authors' for NAS-Bench-201 and CIFAR-10.

    Attributes:
        keep: graphs of the pool (K).
        epochs: passes over it.
        batch: graphs per step of Adam.
        rate: Adam's.
    """

    keep: int = 15
    epochs: int = 70
    batch: int = 2
    rate: float = 1e-3


def best_by_rank(
    values: Sequence[float] | Float[np.ndarray, " observations"], keep: int
) -> tuple[Int[np.ndarray, " kept"], Float[np.ndarray, " kept"]]:
    """Positions of the best values, worst first, and their rewards: rank / number kept, 1 for the best.

    Args:
        values: greater is better.
        keep: most positions.
    """
    order = np.argsort(np.asarray(values, dtype=np.float64), kind="stable")[-keep:]
    return order, np.arange(1, len(order) + 1) / len(order)


@dataclass(frozen=True)
class Targets:
    """What the loss needs of each graph, its reward and all normalisations multiplied in.

    Attributes:
        sign: -1 where there is an edge, 1 where there is none, 0 where none is drawn, per slot.
        row: weight of every row's log probability.
        edge_label, node_label: weight at the label's place of every slot and row.
    """

    sign: Float[Tensor, "graphs slots 1"]
    row: Float[Tensor, "graphs rows"]
    edge_label: Float[Tensor, "graphs slots edge_labels"]
    node_label: Float[Tensor, "graphs rows node_labels"]

    def select(self, rows: Tensor | slice) -> "Targets":
        """Of the graphs at the given rows."""
        return Targets(self.sign[rows], self.row[rows], self.edge_label[rows], self.node_label[rows])


def targets(view: GraphView, graphs: Graphs, rewards: Float[Tensor, " graphs"]) -> Targets:
    """The targets of graphs."""
    at = layout(view)
    labels = graphs.edges[:, at.row, at.node]
    sizes = graphs.sizes[:, None].float()
    counted = (torch.arange(view.nodes) < sizes).float() * rewards[:, None]
    there = (labels > 0).float() * at.drawn
    in_row = (there @ at.row_sum.T).clamp_min(1.0)  # edges of a row
    slot = EDGE_LABELS * there * (counted / in_row)[:, at.row]
    return Targets(
        sign=((1.0 - 2.0 * (labels > 0).float()) * at.drawn)[:, :, None],
        row=counted / (sizes * (sizes + 1) / 2),
        edge_label=_one_hot(labels, len(view.edge_labels)) * slot[:, :, None],
        node_label=_one_hot(graphs.labels, len(view.node_labels)) * (NODE_LABELS * counted / sizes)[:, :, None],
    )


def _one_hot(labels: Tensor, count: int) -> Tensor:
    return functional.one_hot(labels, count).float() if count else labels.new_zeros(*labels.shape, 0).float()


def weighted_loss(logits: Logits, wanted: Targets, row_sum: Float[Tensor, "rows slots"]) -> Float[Tensor, ""]:
    """Mean over the batch of the rewarded loss of the module's text."""
    # a slot whose edge is not drawn has sign 0 and is taken out again: softplus(0) = log 2
    per_slot = functional.softplus(logits.theta * wanted.sign) * wanted.sign.abs()
    rows = (logits.alpha - row_sum @ per_slot).logsumexp(-1)
    total = (rows * wanted.row).sum()
    if logits.psi is not None:
        total = total + (logits.psi * wanted.edge_label).sum()
    if logits.phi is not None:
        total = total + (logits.phi * wanted.node_label).sum()
    return -total / len(wanted.row)


def refit(
    view: GraphView,
    graphs: Graphs,
    rewards: Float[Tensor, " graphs"],
    options: RefitOptions | None = None,
    seed: int = 0,
    sizes: GeneratorOptions | None = None,
    on_epoch: Callable[[int, float], None] | None = None,
) -> Generator:
    """A generator fitted to graphs from fresh weights.

    Args:
        view: what is drawn.
        graphs: the pool.
        rewards: weight of each graph, not negative.
        options: of the fit; ``keep`` is not looked at.
        seed: of the weights and of the order.
        sizes: of the generator.
        on_epoch: called after every epoch with its number and mean loss.
    """
    options = options or RefitOptions()
    generator = Generator(view, sizes, seed)
    trainer = _Trainer(generator, lay_out(view, graphs), targets(view, graphs, rewards), options)
    chance = torch.Generator().manual_seed(seed)
    for epoch in range(options.epochs):
        loss = trainer.epoch(torch.randperm(len(graphs), generator=chance))
        if on_epoch is not None:
            on_epoch(epoch + 1, float(loss))
    return generator


class _Trainer:
    """Steps over a pool whose rows are laid out once."""

    def __init__(self, generator: Generator, rows: Rows, wanted: Targets, options: RefitOptions) -> None:
        self.generator, self.rows, self.wanted, self.options = generator, rows, wanted, options
        self.at = layout(generator.view)
        weights = generator.flat
        weights.grad = torch.zeros_like(weights)
        self.parts, self.grads = generator.parts(weights.detach()), generator.parts(weights.grad)
        names = [f"head_{name}" for name in HeadWeights._fields] + [n for n in self.parts if n.startswith("phi_")]
        self.leaves = {name: self.parts[name].detach().requires_grad_() for name in names}
        self.optimiser = torch.optim.Adam([weights], lr=options.rate, fused=True)
        self.spaces: dict[int, Workspace] = {}

    def epoch(self, order: Int[Tensor, " graphs"]) -> Float[Tensor, ""]:
        """One pass in the given order; the mean loss."""
        rows, size = self.rows, self.options.batch
        nodes = rows.inputs.shape[1]
        place = (torch.arange(len(order)) % size * nodes)[:, None]
        inputs = rows.inputs[order]
        with torch.no_grad():
            states = self.generator.first_states(inputs, self.parts)
        features = rows.features[order]
        source, target = rows.source[order] + place, rows.target[order] + place
        wanted = self.wanted.select(order)
        total = torch.zeros(())
        for begin in range(0, len(order), size):
            part = slice(begin, min(begin + size, len(order)))
            del states
            states = self.generator.first_states(inputs[part], self.parts)
            loss = self._step(
                inputs[part].flatten(0, 1),
                states.flatten(0, 1),
                features[part].flatten(0, 1),
                source[part].flatten(),
                target[part].flatten(),
                wanted.select(part),
            )
            total += loss * (part.stop - begin)
        return total / len(order)

    def _step(
        self, inputs: Tensor, states: Tensor, features: Tensor, source: Tensor, target: Tensor, wanted: Targets
    ) -> Tensor:
        graphs, at = len(wanted.row), self.at
        if graphs not in self.spaces:
            generator = self.generator
            weights, grads = generator.layer_weights(self.parts), generator.layer_weights(self.grads)
            self.spaces[graphs] = Workspace(weights, grads, len(states), len(source))
        space = self.spaces[graphs]
        with torch.no_grad():
            last = space.forward(states, features, source, target)
        last = last.view(graphs, -1, self.generator.hidden)[:, :-1].detach().requires_grad_()
        logits = self.generator.heads(last, at.newest, at.row_sum, at.diagonal, self.leaves)
        loss = weighted_loss(logits, wanted, at.row_sum)
        found = torch.autograd.grad(loss, [last, *self.leaves.values()])
        with torch.no_grad():
            for name, grad in zip(self.leaves, found[1:], strict=True):
                self.grads[name].copy_(grad)
            back = functional.pad(found[0], (0, 0, 0, 1)).flatten(0, 1)
            first = space.backward(back)
            torch.mm(inputs.t(), first[:, : self.grads["input"].shape[1]], out=self.grads["input"])
            self.optimiser.step()
        return loss.detach()
