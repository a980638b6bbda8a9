"""The steps of a refit: models and their optimiser side by side in one vector, batches laid out once."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional
from torch.optim.adam import adam

from svge_core.graphpnas.generator import Generator, HeadWeights
from svge_core.graphpnas.kernels.heads import HeadWorkspace
from svge_core.graphpnas.kernels.layers import Workspace
from svge_core.graphpnas.propagation import LayerWeights
from svge_core.graphpnas.rows import Rows, layout
from svge_core.graphpnas.target_weights import TargetWeights


class Stack:
    """The weights of several generators of one view as views of one vector, and their gradients as views of another.

    Weights of layers and heads have an axis of models after their first one, all others before it; a bias has an axis
    of length 1 before its last.
    """

    def __init__(self, generators: Sequence[Generator]) -> None:
        self.generators = generators
        given = [generator.parts(generator.flat.detach()) for generator in generators]
        pieces = {name: torch.stack([_wide(name, parts[name]) for parts in given], _axis(name)) for name in given[0]}
        self.weights = torch.cat([piece.flatten() for piece in pieces.values()])
        self.gradient = torch.zeros_like(self.weights)
        counts = [piece.numel() for piece in pieces.values()]
        self.parts, self.grads = (
            {name: part.view(pieces[name].shape) for name, part in zip(pieces, vector.split(counts), strict=True)}
            for vector in (self.weights, self.gradient)
        )

    def store(self) -> None:
        """Write the weights back into the generators."""
        for number, generator in enumerate(self.generators):
            for name, part in generator.parts(generator.flat.detach()).items():
                part.copy_(self.parts[name].select(_axis(name), number).view(part.shape))


def _axis(name: str) -> int:
    return 1 if name in LayerWeights._fields or name.startswith("head_") else 0


def _wide(name: str, part: Tensor) -> Tensor:
    return part.unsqueeze(-2) if name.endswith("bias") and not name.startswith("head_") else part


class StackedTrainer:
    """Steps over pools whose rows are laid out once.

    Args:
        generators: one per pool; :meth:`store` writes the trained weights into them.
        rows, wanted: of the graphs of all pools, pool after pool.
        batch: graphs per step and model.
        rate: Adam's.
    """

    def __init__(
        self, generators: Sequence[Generator], rows: Rows, wanted: TargetWeights, batch: int, rate: float
    ) -> None:
        self.stack, self.rows, self.batch = Stack(generators), rows, batch
        # one slot more, for padding
        self.sign, self.edge_label = (functional.pad(t, (0, 0, 0, 1)) for t in (wanted.sign, wanted.edge_label))
        self.drawn, self.labelled = self.sign.abs(), self.edge_label.sum(-1, keepdim=True)
        self.row, self.node_label = wanted.row[:, :, None], wanted.node_label
        self.optimiser = Adam(self.stack.weights, self.stack.gradient, rate)
        self.steps: dict[int, _Step] = {}

    def store(self) -> None:
        """Write the weights back into the generators."""
        self.stack.store()

    def epoch(self, order: Int[Tensor, "models graphs"]) -> Float[Tensor, " models"]:
        """One pass in each model's order; their mean losses."""
        rows, (models, count) = self.rows, order.shape
        parts = (order + torch.arange(models)[:, None] * count).split(self.batch, dim=1)
        sizes = [part.numel() for part in parts]
        index = torch.cat([part.flatten() for part in parts])
        place = torch.cat([torch.arange(part.shape[1]).repeat(models) for part in parts])[:, None]
        source, target = (ends[index] + place * rows.inputs.shape[1] for ends in (rows.source, rows.target))
        plain = [t[index] for t in (rows.inputs, rows.features, self.sign, self.drawn)]
        # the loss is the mean over a model's batch
        share = torch.cat([torch.full((part.numel(),), 1.0 / part.shape[1]) for part in parts])[:, None, None]
        weights = [t[index] * share for t in (self.row, self.edge_label, self.labelled, self.node_label)]
        batches = [tensor.split(sizes) for tensor in (source, target, *plain, *weights)]
        total = torch.zeros(models)
        for part, batch in zip(parts, zip(*batches, strict=True), strict=True):
            graphs = part.shape[1]
            if graphs not in self.steps:
                self.steps[graphs] = _Step(self.stack, graphs, rows.source.shape[1])
            total += self.steps[graphs](*batch) * graphs
            self.optimiser.step()
        return total / count


class _Step:
    """Losses and gradients of a batch of a fixed number of graphs of every model."""

    def __init__(self, stack: Stack, graphs: int, edges: int) -> None:
        generator, self.models, self.graphs = stack.generators[0], len(stack.generators), graphs
        at, view = layout(generator.view), generator.view
        self.generator, self.parts, self.grads = generator, stack.parts, stack.grads
        layers = [LayerWeights(*(p[name] for name in LayerWeights._fields)) for p in (self.parts, self.grads)]
        heads = [HeadWeights(*(p[f"head_{name}"] for name in HeadWeights._fields)) for p in (self.parts, self.grads)]
        nodes = graphs * (at.slots + 1)
        self.layers = Workspace(layers[0], layers[1], nodes, graphs * edges)
        self.heads = HeadWorkspace(heads[0], heads[1], at, generator.options.components, len(view.edge_labels), graphs)
        # node ids stand in the last columns of the first states; the others follow from the inputs
        ids = generator.first_states(torch.zeros(graphs, at.slots + 1, view.nodes + 1), generator.parts(generator.flat))
        self.states = ids.detach().flatten(0, 1).repeat(self.models, 1, 1)
        self.made = self.states[..., : self.parts["input"].shape[2]]
        self.diagonal = (torch.arange(self.models * graphs)[:, None] * (at.slots + 1) + at.diagonal).flatten()

    def __call__(
        self,
        source: Tensor,
        target: Tensor,
        inputs: Tensor,
        features: Tensor,
        sign: Tensor,
        drawn: Tensor,
        row: Tensor,
        edge_label: Tensor,
        labelled: Tensor,
        node_label: Tensor,
    ) -> Tensor:
        models = self.models
        inputs = inputs.view(models, -1, inputs.shape[2])
        torch.bmm(inputs, self.parts["input"], out=self.made)
        ends = source.view(models, -1), target.view(models, -1)
        last = self.layers.forward(self.states, features.view(models, -1, features.shape[2]), *ends)
        loss, by_last = self.heads(last, sign, drawn, row, edge_label, labelled)
        if node_label.shape[2]:
            loss += self._node_labels(last, by_last, node_label)
        by_first = self.layers.backward(by_last)
        torch.bmm(inputs.mT, by_first[..., : self.made.shape[2]], out=self.grads["input"])
        return loss

    def _node_labels(self, last: Tensor, by_last: Tensor, wanted: Tensor) -> Tensor:
        newest = last.flatten(0, 1).index_select(0, self.diagonal)
        with torch.inference_mode(False):  # a small part, left to autograd
            leaves = {name: part.clone() for name, part in self.parts.items() if name.startswith("phi")}
            newest = newest.clone().requires_grad_()
            for leaf in leaves.values():
                leaf.requires_grad_()
            logits = self.generator.node_logits(newest.view(self.models, -1, newest.shape[1]), leaves)
            losses = -(logits * wanted.clone().view(logits.shape)).sum((1, 2))
            by_newest, *found = torch.autograd.grad(losses.sum(), [newest, *leaves.values()])
        for name, grad in zip(leaves, found, strict=True):
            self.grads[name].copy_(grad)
        by_last.view(-1, by_last.shape[2]).index_add_(0, self.diagonal, by_newest)
        return losses.detach()


class Adam:
    """Adam (Kingma & Ba 2015) with PyTorch's defaults on one vector: its kernel without the bookkeeping."""

    def __init__(self, weights: Tensor, gradient: Tensor, rate: float) -> None:
        self.weights, self.gradient, self.rate = weights, gradient, rate
        self.mean, self.square = torch.zeros_like(weights), torch.zeros_like(weights)
        self.count = torch.zeros(())

    def step(self) -> None:
        """Move the weights in place."""
        adam(
            [self.weights],
            [self.gradient],
            [self.mean],
            [self.square],
            [],
            [self.count],
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.rate,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )
