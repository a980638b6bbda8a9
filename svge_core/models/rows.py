"""`RowVAE`: a code per node, for cells that differ in the wiring of a fixed number of inner nodes alone.

A random wiring of 32 nodes holds some 200 nats. One vector of 64 numbers that is read from a sum over all nodes keeps
hardly any of them; a few numbers for every node keep nearly all, as each has few bits to tell apart. This model was
made for this project and is published nowhere.

The inner nodes are numbered 0 to n - 1 in the canonical order. Node u owns its pairs with the nodes u + o mod n,
o = 1 to n / 2, so that every pair has one owner (of o = n / 2 the node below n / 2). For every node::

    x_u = the pairs it owns, 1 where there is an edge
    mean_u, log_var_u = W2 relu(W1 x_u + b_u) + c_u
    logits_u = W4 relu(W3 z_u + d_u) + e_u

with weights W that all nodes share and biases of every node. The logits of all pairs come at once and each pair is
drawn by itself; edges point from the earlier node to the later one. The edges of the ends follow: the input feeds the
nodes that read no other, and those that nobody reads feed the output.

Codes of random bits say little of what a wiring computes. With ``config.function`` so many numbers follow them in z,
read from the wiring by :class:`svge_core.models.wiring_readout.WiringReadout`; the decoder reads the codes alone. Nor
is the average of two codes a wiring between theirs: it has the edges that both have. Between known wirings stands one
whose nodes have their codes from one or the other.
"""

from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from svge_core.errors import CheckpointError
from svge_core.models.config import DEFAULTS, ModelConfig
from svge_core.models.decoding import draw_edges
from svge_core.models.encoder import Posterior
from svge_core.models.options import DecodeOptions
from svge_core.models.vae import GraphVAE
from svge_core.models.wiring_readout import WiringReadout
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import END, START, CellBatch

#: settings of parts that this model has not; they stay as they are in its defaults
_WITHOUT = ("rounds", "encoding", "positions", "decoder_positions", "edge_sampling")

#: mixtures of codes that are tried for a place between known cells
MIXES = 64


class RowVAE(GraphVAE):
    """A code of ``config.code / n`` numbers for every inner node; see the module's docstring for the equations.

    Raises:
        CheckpointError: if cells of the space are no wirings of a fixed number of nodes with one operation, the latent
            cannot be shared out among the nodes, or a setting is given of a part that the model has not.
    """

    kind: ClassVar[str] = "rows"
    title: ClassVar[str] = "Row code"
    source: ClassVar[str] = "A code per node for random wirings, made for this project"
    has_function: ClassVar[bool] = True

    pair: Tensor
    owned: Tensor
    slot: Tensor
    ends: Tensor

    def __init__(self, space: AbstractSearchSpace, config: ModelConfig) -> None:
        super().__init__(space, config)
        nodes = wired_nodes(space)
        if config.code % nodes:
            less = f" less 'function' ({config.function})" if config.function else ""
            raise CheckpointError(
                f"config field 'latent'{less} must be a multiple of the {nodes} inner nodes for model {self.kind!r}; "
                f"got {config.latent}."
            )
        for name in _WITHOUT:
            if getattr(config, name) != (usual := getattr(DEFAULTS[self.kind], name)):
                raise CheckpointError(
                    f"config field {name!r} must be {usual!r} for model {self.kind!r}, which has no use for it; "
                    f"got {getattr(config, name)!r}."
                )
        self.nodes, self.width = nodes, nodes // 2
        self.most = (space.decoding_rules().max_edges or nodes * nodes) - nodes  # as many edges at most join the ends
        hidden, numbers = config.hidden, config.code // nodes
        self.read = nn.Linear(self.width, hidden, bias=False)
        self.code = nn.Linear(hidden, 2 * numbers, bias=False)
        self.unfold = nn.Linear(numbers, hidden, bias=False)
        self.write = nn.Linear(hidden, self.width, bias=False)
        self.read_bias = nn.Parameter(torch.zeros(nodes, hidden))
        # flat, so that the file of the weights shows the size of the code
        self.code_bias = nn.Parameter(torch.zeros(2, config.code))
        self.unfold_bias = nn.Parameter(torch.zeros(nodes, hidden))
        self.write_bias = nn.Parameter(torch.zeros(nodes, self.width))
        self.function = WiringReadout(config) if config.function else None
        pair, owned, slot = _owners(nodes)
        self.register_buffer("pair", pair, persistent=False)
        self.register_buffer("owned", owned, persistent=False)
        self.register_buffer("slot", slot, persistent=False)
        self.register_buffer("ends", torch.from_numpy(np.stack(np.triu_indices(nodes, 1))), persistent=False)

    def encode(self, batch: CellBatch) -> Posterior:
        """q(z | cell) for every cell."""
        bits = self.bits(batch)
        rows = bits[:, self.pair] * self.owned.to(bits.dtype)
        found = self.code((self.read(rows) + self.read_bias).relu())
        mean, log_var = (part.flatten(1) for part in found.chunk(2, dim=2))
        found = Posterior(mean + self.code_bias[0], log_var + self.code_bias[1])
        if self.function is None:
            return found
        return found.with_function(self.function(batch.adjacency[:, 1:-1, 1:-1]), self.config.function_noise)

    def bits(self, batch: CellBatch) -> Float[Tensor, "batch pairs"]:
        """1 where there is an edge between two inner nodes: the strict upper triangle, row by row."""
        sources, targets = self.ends + 1
        return batch.adjacency[:, sources, targets]

    def logits(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pairs"]:
        """Log-odds of every pair of inner nodes, in the order of :meth:`bits`."""
        codes = z[:, : self.config.code].unflatten(1, (self.nodes, -1))
        rows = self.write((self.unfold(codes) + self.unfold_bias).relu()) + self.write_bias
        return rows.flatten(1)[:, self.slot]

    def terms(
        self, batch: CellBatch, z: Float[Tensor, "batch latent"], edge_reduction: str
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Negative log-likelihoods; types are certain, and "mean" is over the inner nodes before each node."""
        binary = functional.binary_cross_entropy_with_logits(self.logits(z), self.bits(batch), reduction="none")
        if edge_reduction == "mean":
            binary = binary / self.ends[1]
        edges = binary.sum(1)
        return torch.zeros_like(edges), edges

    def log_probability(self, batch: CellBatch, z: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        """Sum over the pairs; minus infinity where the nodes or the edges of the ends are not those that follow."""
        bits = self.bits(batch)
        own = self.cells(bits)
        same = (own.sizes == batch.sizes) & (own.types == batch.types).all(1)
        same &= (own.adjacency == batch.adjacency).all(2).all(1)
        edges = functional.binary_cross_entropy_with_logits(self.logits(z), bits, reduction="none").sum(1)
        return (-edges).masked_fill(~same, -torch.inf)

    def cells(self, bits: Float[Tensor, "batch pairs"]) -> CellBatch:
        """The cells of edges between the inner nodes, with the edges of input and output that follow."""
        nodes = self.nodes + 2
        adjacency = bits.new_zeros(len(bits), nodes, nodes)
        sources, targets = self.ends + 1
        adjacency[:, sources, targets] = bits
        inner = adjacency[:, 1:-1, 1:-1]
        unread, unfed = inner.sum(2) == 0, inner.sum(1) == 0
        adjacency[:, 0, 1:-1], adjacency[:, 1:-1, -1] = unfed.to(bits.dtype), unread.to(bits.dtype)
        types = torch.full((len(bits), nodes), START + 1, dtype=torch.long, device=bits.device)
        types[:, 0], types[:, -1] = START, END
        return CellBatch(types, adjacency, torch.full((len(bits),), nodes, dtype=torch.long, device=bits.device))

    def prepare(self) -> None:
        """Nothing: decoding is one pass."""

    def decode_chunk(
        self,
        weights: Any,
        z: Float[Tensor, "batch latent"],
        options: DecodeOptions,
        generator: torch.Generator | None,
    ) -> CellBatch:
        """All pairs at once; constrained cells are mended where the draw is in several pieces or has too many edges."""
        logits = self.logits(z)
        bits = draw_edges(logits, None, options.argmax, generator)
        if options.constrained:
            apart = ~in_one_piece(self.cells(bits).adjacency[:, 1:-1, 1:-1]) | (bits.sum(1) > self.most)
            pairs = self.ends.t().tolist()
            for row in torch.nonzero(apart).flatten().tolist():
                kept = mended(bits[row].tolist(), logits[row].tolist(), pairs, self.nodes, self.most)
                bits[row] = bits.new_tensor(kept)
        return self.cells(bits)

    @property
    def first_near(self) -> int:
        """That of the function; of a model without one, the first."""
        return self.config.code if self.config.function else 0

    def mixed(
        self,
        latents: Float[np.ndarray, "near latent"],
        weights: Float[np.ndarray, " near"],
        average: Float[np.ndarray, " latent"],
    ) -> Float[np.ndarray, " latent"]:
        """Codes of some nodes from one known cell, of others from another, drawn by the weights with a fixed seed.

        Of :data:`MIXES` such mixtures, the one whose wiring computes most nearly what the average says.
        """
        rng, code = np.random.default_rng(0), self.config.code
        chosen = rng.choice(len(latents), (MIXES, self.nodes), p=weights)
        rows = latents[:, :code].reshape(len(latents), self.nodes, -1)
        mixtures = rows[chosen, np.arange(self.nodes)].reshape(MIXES, code)
        found = np.repeat(average[None].astype(np.float32), MIXES, axis=0)
        found[:, :code] = mixtures
        if self.function is None:
            return found[0]
        with torch.inference_mode():
            z = torch.from_numpy(found).to(self.device)
            cells = self.decode_chunk(None, z, DecodeOptions(constrained=True, argmax=True), None)
            away = (self.function(cells.adjacency[:, 1:-1, 1:-1]) - z[:, code:]).square().sum(1)
        return found[int(away.argmin())]

    def node_tables(self) -> dict[str, Float[Tensor, "types width"]]:
        """None: there is one operation."""
        return {}


def wired_nodes(space: AbstractSearchSpace) -> int:
    """Inner nodes of every cell of a space whose cells differ in their wiring alone.

    Raises:
        CheckpointError: if the space is of another kind.
    """
    found = space.generator_view()
    view = None if found is None else found.view
    labelled = view is None or view.node_labels or view.edge_labels or view.open_ended or view.certain
    if view is None or labelled or len(space.operations) != 1 or space.max_nodes != view.nodes + 2:
        raise CheckpointError(
            f"Model {RowVAE.kind!r} expects a space of wirings of a fixed number of nodes with one operation; cells of "
            f"{space.title} are not such. Choose another model."
        )
    return view.nodes


def _owners(nodes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Which pair stands at every place of every row, and where every pair stands.

    Returns:
        Number of the pair at each place (nodes, nodes // 2), row by row of the strict upper triangle; whether the node
        owns it; and for every pair the place of its owner in the flattened rows (pairs).
    """
    node = np.arange(nodes)[:, None]
    offset = np.arange(1, nodes // 2 + 1)
    other = (node + offset) % nodes
    low, high = np.minimum(node, other), np.maximum(node, other)
    pair = low * (2 * nodes - low - 1) // 2 + high - low - 1
    owned = (2 * offset < nodes) | (node < nodes // 2)  # two nodes are opposite each other: the lower one owns the pair
    places = np.flatnonzero(owned)
    slot = np.empty(len(places), dtype=np.int64)
    slot[pair.ravel()[places]] = places
    return torch.from_numpy(pair), torch.from_numpy(owned), torch.from_numpy(slot)


def in_one_piece(inner: Float[Tensor, "batch nodes nodes"]) -> Bool[Tensor, " batch"]:
    """Whether the graphs are connected, the directions of their edges left aside."""
    nodes = inner.shape[1]
    near = ((inner + inner.transpose(1, 2) + torch.eye(nodes, device=inner.device)) > 0).to(inner.dtype)
    for _ in range((nodes - 1).bit_length()):  # paths of 1, 2, 4, ... edges
        near = (near @ near > 0).to(inner.dtype)
    return (near[:, 0] > 0).all(1)


def mended(bits: list[float], log_odds: list[float], pairs: list[list[int]], nodes: int, most: int) -> list[float]:
    """The edges of a graph in one piece with no more than ``most`` edges, as near to the drawn ones as can be.

    The drawn edges, the likeliest first, and then the others, likewise, join the pieces (Kruskal 1956); so no edge is
    added without need. Of the drawn edges that close a circle, the likeliest are kept as far as there is room.

    Args:
        bits: 1 at drawn edges.
        log_odds: of all edges.
        pairs: the nodes of every edge.
        nodes: of the graph.
        most: edges that it may have, at least nodes - 1.
    """
    order = sorted(range(len(bits)), key=lambda edge: (-bits[edge], -log_odds[edge]))
    piece, kept, closing = list(range(nodes)), [0.0] * len(bits), []
    for edge in order:
        a, b = (piece[node] for node in pairs[edge])
        if a != b:
            piece = [a if own == b else own for own in piece]
            kept[edge] = 1.0
        elif bits[edge]:
            closing.append(edge)
    for edge in closing[: most - (nodes - 1)]:
        kept[edge] = 1.0
    return kept
