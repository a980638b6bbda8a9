"""Keeping a run inside the space: masks by position, and the bookkeeping of cells that may end at any node.

Masks say which types and edges are possible at a position. Cells of any size need more: no node without an edge in and
an edge out, and no more edges than the space allows. Each open node (one without an edge to a later node yet) will need
an edge of its own, so a run may spend ``slack = max_edges - edges - open nodes`` edges beyond that, and a further node
costs one of them. With this rule a run can always be ended, whatever was drawn before.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from svge_core.spaces import DecodingRules
from svge_core.tensors import END, START


@dataclass(frozen=True)
class Masks:
    """Rules in the node order of a run.

    Attributes:
        types: True where a type may stand at a position (nodes, types).
        edges: 1 must be there, 0 must not, -1 free (nodes, nodes).
        any_size, max_edges: see :class:`svge_core.spaces.base.DecodingRules`.
    """

    types: Bool[Tensor, "nodes types"]
    edges: Tensor
    any_size: bool
    max_edges: int | None

    def to_come(self, last: int) -> list[int]:
        """For every position, how many nodes must follow one there before the first at which the end may stand."""
        ends = [position for position, allowed in enumerate(self.types[:, last].tolist()) if allowed]
        return [
            min((end - position - 1 for end in ends if end > position), default=0)
            for position in range(self.types.shape[0])
        ]


def masks(rules: DecodingRules | None, direction: int, device: torch.device) -> Masks | None:
    """The rules as a run from the input (direction 0) or from the output (1) meets them."""
    if rules is None:
        return None
    types, edges = torch.from_numpy(rules.node_types), torch.from_numpy(rules.edges)
    if direction == 1 and rules.any_size:
        # positions count from the other end, whose place is not known; the two ends change roles
        swapped = torch.arange(types.shape[1])
        swapped[[END, START]] = swapped[[START, END]]
        types = types[:, swapped]
        edges = torch.full_like(edges, -1).triu(1)
    elif direction == 1:
        types, edges = types.flip(0), edges.flip(0, 1).t()
    return Masks(types.to(device), edges.to(device), rules.any_size, rules.max_edges)


class OpenNodes:
    """Edges spent and nodes still open, for every graph of a run over cells of any size."""

    def __init__(self, batch: int, nodes: int, max_edges: int | None, device: torch.device) -> None:
        self.budget = nodes * nodes if max_edges is None else max_edges
        self.spent = torch.zeros(batch, dtype=torch.long, device=device)
        self.open = torch.zeros(batch, nodes, dtype=torch.bool, device=device)
        self.open[:, 0] = True

    @property
    def slack(self) -> Tensor:
        """Edges that may be spent beyond one per open node (batch)."""
        return self.budget - self.spent - self.open.sum(1)

    def edges(
        self,
        log_odds: Float[Tensor, "batch made"],
        drawn: Float[Tensor, "batch made"],
        ends: Bool[Tensor, " batch"],
        to_come: Tensor | int,
        argmax: bool,
        generator: torch.Generator | None,
    ) -> Float[Tensor, "batch made"]:
        """Edges into a new node that leave the run possible, as near to the drawn ones as can be.

        The end takes an edge from every open node. Another node that drew no edge takes one, drawn in proportion to the
        odds. Of edges from nodes that are not open, the likeliest are kept as far as they can be afforded.

        Args:
            log_odds: of an edge from every node made so far.
            drawn: 1 where an edge was drawn.
            ends: whether the new node is the end of its graph.
            to_come: nodes that will certainly come between this one and the end (0 where that is not known).
            argmax: whether the likeliest edge is taken instead of a draw.
            generator: of the draws.
        """
        made = log_odds.shape[1]
        is_open = self.open[:, :made]
        affordable = torch.where(ends, self.slack, self.slack - 1 - to_come)
        chosen = drawn > 0
        closed = torch.where(chosen & ~is_open, log_odds, -torch.inf)
        rank = closed.argsort(1, descending=True).argsort(1)
        kept = chosen & (is_open | (rank < affordable[:, None]))
        possible = is_open | (affordable > 0)[:, None]
        noise = torch.zeros_like(log_odds) if argmax else -_exponential(log_odds, generator).log()
        one = (log_odds + noise).masked_fill(~possible, -torch.inf).argmax(1)
        lonely = ~kept.any(1) & ~ends
        kept |= lonely[:, None] & (torch.arange(made, device=kept.device) == one[:, None])
        kept |= ends[:, None] & is_open
        return kept.to(drawn.dtype)

    def add(self, made: int, edges: Float[Tensor, "batch made"], ends: Bool[Tensor, " batch"]) -> None:
        """Book a new node and its edges."""
        self.spent += edges.sum(1).long()
        self.open[:, :made] &= edges == 0
        self.open[:, made] = ~ends


def _exponential(like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.empty_like(like).exponential_(generator=generator)
