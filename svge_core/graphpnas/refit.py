"""GraphPNAS's step of learning: a new generator by rank-weighted maximum likelihood on the best graphs so far.

This is what the authors' code does: no policy gradient, but the pool of the K best of everything that was evaluated,
each weighted by its rank, and at every iteration fresh weights. The loss of one graph with n nodes is

    reward * ( -log p(edges) / (n (n + 1) / 2) + 1/2 mean over nodes of CE(label)
               + 1/8 sum over rows of the mean over the row's edges of CE(label) )

where log p(edges) is of the presence of edges alone. :class:`~svge_core.graphpnas.policy.Policy` is the true policy
gradient.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from svge_core.graphpnas.generator import Generator, GeneratorOptions, HeadWeights, Logits
from svge_core.graphpnas.head_workspace import HeadWorkspace
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
    with _denormals_flushed(), torch.no_grad():
        for epoch in range(options.epochs):
            loss = trainer.epoch(torch.randperm(len(graphs), generator=chance))
            if on_epoch is not None:
                on_epoch(epoch + 1, float(loss))
    return generator


@contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Gradients through closed gates underflow, and products with denormal numbers take ten times as long."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


class _Trainer:
    """Steps over a pool whose rows are laid out once."""

    def __init__(self, generator: Generator, rows: Rows, wanted: Targets, options: RefitOptions) -> None:
        self.generator, self.rows, self.options = generator, rows, options
        # one slot more, for padding
        pad = (0, 0, 0, 1)
        self.wanted = replace(
            wanted, sign=functional.pad(wanted.sign, pad), edge_label=functional.pad(wanted.edge_label, pad)
        )
        weights = generator.flat.detach()
        self.gradient = torch.zeros_like(weights)
        self.parts, self.grads = generator.parts(weights), generator.parts(self.gradient)
        self.optimiser = Adam(weights, self.gradient, options.rate)
        self.steps: dict[int, _Step] = {}

    def epoch(self, order: Int[Tensor, " graphs"]) -> Float[Tensor, ""]:
        """One pass in the given order; the mean loss."""
        rows, size = self.rows, self.options.batch
        place = (torch.arange(len(order)) % size * rows.inputs.shape[1])[:, None]
        source, target = (rows.source[order] + place).split(size), (rows.target[order] + place).split(size)
        inputs, features = rows.inputs[order].split(size), rows.features[order].split(size)
        sign, row = self.wanted.sign[order].split(size), self.wanted.row[order].unsqueeze(2).split(size)
        edge, node = self.wanted.edge_label[order].split(size), self.wanted.node_label[order].split(size)
        total = torch.zeros(())
        for batch in zip(inputs, features, source, target, sign, row, edge, node, strict=True):
            count = len(batch[0])
            if count not in self.steps:
                self.steps[count] = _Step(self.generator, self.parts, self.grads, count, rows.source.shape[1])
            total += self.steps[count](*batch) * count
            self.optimiser.step()
        return total / len(order)


class _Step:
    """Loss and gradient of one batch of a fixed number of graphs."""

    def __init__(
        self, generator: Generator, parts: dict[str, Tensor], grads: dict[str, Tensor], graphs: int, edges: int
    ) -> None:
        at, self.generator, self.graphs = layout(generator.view), generator, graphs
        self.parts, self.grads = parts, grads
        nodes = graphs * (at.slots + 1)
        self.layers = Workspace(generator.layer_weights(parts), generator.layer_weights(grads), nodes, graphs * edges)
        view, components = generator.view, generator.options.components
        heads = [HeadWeights(*(found[f"head_{name}"] for name in HeadWeights._fields)) for found in (parts, grads)]
        self.heads = HeadWorkspace(heads[0], heads[1], at, components, len(view.edge_labels), graphs)
        self.states = generator.first_states(torch.zeros(graphs, at.slots + 1, view.nodes + 1), parts).flatten(0, 1)
        self.made = self.states[:, : parts["input"].shape[1]]
        self.diagonal = (torch.arange(graphs)[:, None] * (at.slots + 1) + at.diagonal).flatten()

    def __call__(
        self,
        inputs: Tensor,
        features: Tensor,
        source: Tensor,
        target: Tensor,
        sign: Tensor,
        row: Tensor,
        edge_label: Tensor,
        node_label: Tensor,
    ) -> Tensor:
        inputs = inputs.flatten(0, 1)
        torch.mm(inputs, self.parts["input"], out=self.made)
        last = self.layers.forward(self.states, features.flatten(0, 1), source.flatten(), target.flatten())
        share = 1.0 / self.graphs
        loss, by_last = self.heads(last, sign, row * share, edge_label * share)
        if node_label.shape[2]:
            loss += self._node_labels(last, by_last, node_label * share)
        by_first = self.layers.backward(by_last)
        torch.mm(inputs.t(), by_first[:, : self.made.shape[1]], out=self.grads["input"])
        return loss

    @torch.enable_grad()
    def _node_labels(self, last: Tensor, by_last: Tensor, wanted: Tensor) -> Tensor:
        leaves = {name: part.detach().requires_grad_() for name, part in self.parts.items() if name.startswith("phi")}
        newest = last.index_select(0, self.diagonal).requires_grad_()
        logits = self.generator.node_logits(newest.view(self.graphs, -1, newest.shape[1]), leaves)
        loss = -(logits * wanted).sum()
        by_newest, *found = torch.autograd.grad(loss, [newest, *leaves.values()])
        for name, grad in zip(leaves, found, strict=True):
            self.grads[name].copy_(grad)
        by_last.index_add_(0, self.diagonal, by_newest)
        return loss.detach()


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) on one vector, with PyTorch's defaults and without its bookkeeping."""

    def __init__(self, weights: Tensor, gradient: Tensor, rate: float) -> None:
        self.weights, self.gradient, self.rate, self.count = weights, gradient, rate, 0
        self.mean, self.square, self.scale = (torch.zeros_like(weights) for _ in range(3))

    def step(self, decay: float = 0.9, square_decay: float = 0.999, epsilon: float = 1e-8) -> None:
        """Move the weights in place."""
        self.count += 1
        self.mean.lerp_(self.gradient, 1.0 - decay)
        self.square.mul_(square_decay).addcmul_(self.gradient, self.gradient, value=1.0 - square_decay)
        torch.sqrt(self.square, out=self.scale)
        # the correction of the square's bias is moved to the rate and epsilon
        correction = (1.0 - square_decay**self.count) ** 0.5
        self.scale.add_(epsilon * correction)
        self.weights.addcdiv_(self.mean, self.scale, value=-self.rate * correction / (1.0 - decay**self.count))
