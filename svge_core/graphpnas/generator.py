"""GraphPNAS's generator: GRAN with a mixture of Bernoulli rows (Liao et al. 2019), heads for edge and node labels.

Row by row: a graph network over the nodes so far and the new one, then for each candidate edge, from the difference d
of the new node's and the old node's state, the Bernoulli logits theta of K mixture components, their weights alpha (the
mean over the row, its diagonal included), and the edge label psi; from the new node's state the node label phi. All
rows of all graphs go through in one pass. One deviation: an edge drawn with label "none" is no edge to later rows, as
in every graph that is trained on; the authors' sampler lets later rows still see it (``none_seen`` of
:func:`svge_core.graphpnas.sampling.sample`).
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from svge_core.errors import SvgeError
from svge_core.graphpnas.propagation import LayerWeights, propagate
from svge_core.graphpnas.rows import CONSTANT, FLAGS, Rows, lay_out, layout
from svge_core.graphpnas.space_views import Graphs, GraphView


@dataclass(frozen=True)
class GeneratorOptions:
    """Sizes of a generator; the defaults are the authors'.

    Attributes:
        hidden: node state; None for 24, or for 2 N + 8 where 24 leaves no room for the edge features.
        layers: of message passing.
        wide: hidden units of the gate's MLP.
        components: of the mixture (K).
    """

    hidden: int | None = None
    layers: int = 7
    wide: int = 128
    components: int = 10


class HeadWeights(NamedTuple):
    """Three-layer MLPs side by side: theta, alpha and, with edge labels, psi.

    Attributes:
        first, first_bias: first layers.
        middle, middle_bias: second layers.
        last, last_bias: third layers, as wide as the widest.
    """

    first: Float[Tensor, "heads hidden hidden"]
    first_bias: Float[Tensor, "heads 1 hidden"]
    middle: Float[Tensor, "heads hidden hidden"]
    middle_bias: Float[Tensor, "heads 1 hidden"]
    last: Float[Tensor, "heads hidden out"]
    last_bias: Float[Tensor, "heads 1 out"]


class GeneratorLogits(NamedTuple):
    """What the heads say about a batch.

    Attributes:
        theta: Bernoulli logits of every slot's edge under each component.
        alpha: log weights of the components of every row.
        psi: log probabilities of the edge labels; None where there are none.
        phi: log probabilities of the new node's label of every row; None where there are none.
    """

    theta: Float[Tensor, "graphs slots components"]
    alpha: Float[Tensor, "graphs rows components"]
    psi: Float[Tensor, "graphs slots edge_labels"] | None
    phi: Float[Tensor, "graphs rows node_labels"] | None


class Generator(nn.Module):
    """See the module. Its weights lie in one vector, so that an optimiser's step is one operation.

    Args:
        view: what is drawn.
        options: sizes.
        seed: of the initial weights, drawn as PyTorch's layers draw theirs.

    Raises:
        SvgeError: if the hidden size leaves no room for labels, node ids and flags.
    """

    def __init__(self, view: GraphView, options: GeneratorOptions | None = None, seed: int = 0) -> None:
        super().__init__()
        self.view, self.options = view, options or GeneratorOptions()
        needed = view.nodes + len(view.edge_labels) + FLAGS
        self.hidden = self.options.hidden or (24 if needed <= 24 else 2 * view.nodes + 8)
        if self.hidden < needed:
            raise SvgeError(
                f"A generator of {view.nodes} nodes and {len(view.edge_labels)} edge labels needs a hidden size of at "
                f"least {needed}; got {self.hidden}."
            )
        shapes = self._shapes()
        self._names, self._sizes = list(shapes), [math.prod(shape) for shape, _ in shapes.values()]
        self._dimensions = [shape for shape, _ in shapes.values()]
        chance = torch.Generator().manual_seed(seed)
        pieces = [
            torch.empty(math.prod(shape)).uniform_(-(fan**-0.5), fan**-0.5, generator=chance)
            for shape, fan in shapes.values()
        ]
        self.flat = nn.Parameter(torch.cat(pieces))

    def _shapes(self) -> dict[str, tuple[tuple[int, ...], int]]:
        """Shape and fan-in of every weight."""
        view, o, h = self.view, self.options, self.hidden
        both, n = h + o.wide, o.layers
        features = FLAGS + view.nodes + CONSTANT + len(view.edge_labels)
        heads = 3 if view.edge_labels else 2
        out = max(o.components, len(view.edge_labels))
        shapes = {
            "input": ((view.nodes + 1, h - view.nodes), view.nodes),
            # the published edge features are as wide as the hidden state; columns that are always 0 are left out
            "first": ((n, h + features, both), 2 * h),
            "message": ((n, h, h), h),
            "message_bias": ((n, h), h),
            "gate": ((n, o.wide, h), o.wide),
            "gate_bias": ((n, h), o.wide),
            "read": ((n, h, 3 * h), h),
            "read_bias": ((n, 3 * h), h),
            "held": ((n, h, 3 * h), h),
            "held_bias": ((n, 3 * h), h),
            "head_first": ((heads, h, h), h),
            "head_first_bias": ((heads, 1, h), h),
            "head_middle": ((heads, h, h), h),
            "head_middle_bias": ((heads, 1, h), h),
            "head_last": ((heads, h, out), h),
            "head_last_bias": ((heads, 1, out), h),
        }
        if view.node_labels:
            for layer, width in enumerate((h, h, len(view.node_labels))):
                shapes |= {f"phi_{layer}": ((h, width), h), f"phi_{layer}_bias": ((width,), h)}
        return shapes

    def parts(self, vector: Tensor) -> dict[str, Tensor]:
        """Views of a vector like the weights' (or their gradient's), by name."""
        pieces = vector.split(self._sizes)
        found = zip(self._names, pieces, self._dimensions, strict=True)
        return {name: piece.view(shape) for name, piece, shape in found}

    def layer_weights(self, parts: dict[str, Tensor]) -> LayerWeights:
        """The part of the message passing."""
        return LayerWeights(*(parts[name] for name in LayerWeights._fields))

    def first_states(self, inputs: Tensor, parts: dict[str, Tensor]) -> Float[Tensor, "graphs slots1 hidden"]:
        """States before the first layer: a linear map of the adjacency row, then the node's id; 0 where it is new."""
        at = layout(self.view)
        old = (at.node < at.row).to(inputs.dtype)[:, None]
        ids = functional.pad(torch.eye(self.view.nodes, dtype=inputs.dtype)[at.node] * old, (0, 0, 0, 1))
        return torch.cat([inputs @ parts["input"], ids.expand(len(inputs), -1, -1)], dim=2)

    def heads(
        self,
        states: Float[Tensor, "graphs slots hidden"],
        newest: Int[Tensor, " slots"],
        row_sum: Float[Tensor, "rows slots"],
        diagonal: Int[Tensor, " rows"],
        parts: dict[str, Tensor],
    ) -> GeneratorLogits:
        """Logits of some rows from the states of their slots; see :class:`~svge_core.graphpnas.rows.Layout`."""
        view, graphs, slots = self.view, len(states), states.shape[1]
        newest_states = states.index_select(1, newest)
        w = HeadWeights(*(parts[f"head_{name}"] for name in HeadWeights._fields))
        difference = (newest_states - states).flatten(0, 1)
        active = torch.baddbmm(w.first_bias, difference.expand(len(w.first), -1, -1), w.first).relu()
        active = torch.baddbmm(w.middle_bias, active, w.middle).relu()
        out = torch.baddbmm(w.last_bias, active, w.last).view(len(w.last), graphs, slots, -1)
        components = self.options.components
        mean = row_sum / row_sum.sum(1, keepdim=True)
        alpha = (mean @ out[1, :, :, :components]).log_softmax(-1)
        psi = out[2, :, :, : len(view.edge_labels)].log_softmax(-1) if view.edge_labels else None
        phi = self.node_logits(states.index_select(1, diagonal), parts) if view.node_labels else None
        return GeneratorLogits(out[0, :, :, :components], alpha, psi, phi)

    def node_logits(
        self, newest: Float[Tensor, "graphs rows hidden"], parts: dict[str, Tensor]
    ) -> Float[Tensor, "graphs rows node_labels"]:
        """Log probabilities of the new nodes' labels from their states."""
        for layer in range(3):
            newest = newest @ parts[f"phi_{layer}"] + parts[f"phi_{layer}_bias"]
            newest = newest.relu() if layer < 2 else newest
        return newest.log_softmax(-1)

    def forward(self, rows: Rows) -> GeneratorLogits:
        """Logits of all rows of a batch, teacher-forced."""
        parts = self.parts(self.flat)
        graphs, slots = rows.inputs.shape[:2]
        offset = (torch.arange(graphs) * slots)[:, None]
        states = propagate(
            self.first_states(rows.inputs, parts).flatten(0, 1),
            rows.features.flatten(0, 1),
            (rows.source + offset).flatten(),
            (rows.target + offset).flatten(),
            self.layer_weights(parts),
        )
        at = layout(self.view)
        return self.heads(states.view(graphs, slots, -1)[:, :-1], at.newest, at.row_sum, at.diagonal, parts)

    def log_likelihood(self, graphs: Graphs) -> Float[Tensor, " graphs"]:
        """Exact log probability (nats) that :func:`~svge_core.graphpnas.sampling.sample` draws each graph."""
        at, view = layout(self.view), self.view
        logits = self(lay_out(view, graphs))
        labels = graphs.edges[:, at.row, at.node]
        there, gone = functional.logsigmoid(logits.theta), functional.logsigmoid(-logits.theta)
        if logits.psi is not None:  # an edge that is drawn with label 0 is none
            psi = logits.psi.gather(2, labels[:, :, None])
            gone = torch.logaddexp(gone, there + psi)
            there = there + psi
        per_edge = torch.where((labels > 0)[:, :, None], there, gone) * at.drawn[:, None]
        rows = (at.row_sum @ per_edge + logits.alpha).logsumexp(-1)
        counted = torch.arange(view.nodes) < graphs.sizes[:, None]
        if logits.phi is not None:  # the first node's label is given
            rows[:, 1:] = rows[:, 1:] + logits.phi.gather(2, graphs.labels[:, :, None])[:, 1:, 0]
        return (rows * counted).sum(1)
