"""Sampling runs of SVGe's generator: one run from either end, and the vote of both.

Both directions together: the two runs each give log-odds for every type and edge of a draft (the forward decoding);
these are averaged and the cell is drawn from the averages. (The published code means to unite the edges of two
independent draws but almost never does; see the notes of the model card.)
"""

import torch
from torch import Tensor

from svge_core.models.decoder import CellDecoder, Conditions, DecoderTables, ForcedLogits
from svge_core.models.decoding.constraints import Masks, OpenNodes, masks
from svge_core.models.decoding.draws import allowed_types, cut, draw_edges, draw_types
from svge_core.spaces import DecodingRules
from svge_core.tensors import END, START, CellBatch


def run(
    net: CellDecoder,
    weights: DecoderTables,
    z: Tensor,
    direction: int,
    rules: DecodingRules | None,
    argmax: bool,
    generator: torch.Generator | None,
) -> CellBatch:
    """One run from the input (direction 0) or the output (1); the result is in the order of the run."""
    nodes, batch = net.max_nodes, z.shape[0]
    first, last = (START, END) if direction == 0 else (END, START)
    rule = masks(rules, direction, z.device)
    books = OpenNodes(batch, nodes, rule.max_edges, z.device) if rule is not None and rule.any_size else None
    to_come = rule.to_come(last) if rule is not None else []
    types = torch.full((batch, nodes), first, dtype=torch.long, device=z.device)
    receives = z.new_zeros(2, batch, nodes, nodes)
    receives[0, :, 1, 0] = receives[1, :, 0, 1] = 1.0  # the edge into node 1 always exists
    conditions = net.conditions(weights, z, torch.full((batch,), direction, device=z.device))
    state = net.first_state(weights, types[:, 0], z)
    for made in range(1, nodes):
        seen = receives[:, :, :made, :made]
        state, (g, g_init) = net.propagated(state, seen, seen.sum(-1, keepdim=True), conditions)
        if made == nodes - 1:
            types[:, made] = last
        else:
            logits = net.type_logits(made, g, conditions)
            types[:, made] = draw_types(allowed_types(logits, made, last, rule, books), argmax, generator)
        new = net.new_state(made, types[:, made], g_init, conditions)
        if made > 1:
            fixed = None if rule is None else rule.edges[:made, made]
            if fixed is not None and bool((fixed >= 0).all()):
                edges = fixed.to(z.dtype).expand(batch, -1)
            else:
                flat = new[:, :, 0].transpose(0, 1).reshape(batch, net.hidden)
                shared = net.edge_shared(made, flat, g, conditions)
                log_odds, edges = _edges_of_step(net, state, shared, conditions, fixed, argmax, generator)
                if books is not None:
                    edges = books.edges(log_odds, edges, types[:, made] == last, to_come[made], argmax, generator)
            receives[0, :, made, :made] = edges
            receives[1, :, :made, made] = edges
        if books is not None:
            books.add(made, receives[0, :, made, :made], types[:, made] == last)
        state = torch.cat([state, new], dim=2)
    return cut(types, receives[1], last)


def _edges_of_step(
    net: CellDecoder,
    state: Tensor,
    shared: Tensor,
    conditions: Conditions,
    fixed: Tensor | None,
    argmax: bool,
    generator: torch.Generator | None,
) -> tuple[Tensor, Tensor]:
    """Log-odds and drawn edges (batch, made) into a new node."""
    parts = net.edge_parts(state, conditions)
    decided = net.edges_decided(state, conditions)
    if decided is None:
        log_odds = net.edge_logits(parts, shared[:, None])
        return log_odds, draw_edges(log_odds, fixed, argmax, generator)
    odds, edges = [], []
    for source in range(parts.shape[1]):
        odds.append(net.edge_logits(parts[:, source], shared))
        edges.append(draw_edges(odds[-1], None if fixed is None else fixed[source], argmax, generator))
        shared = shared + edges[-1][:, None] * decided[:, source]
    return torch.stack(odds, dim=1), torch.stack(edges, dim=1)


def vote(
    forward: ForcedLogits,
    backward: ForcedLogits,
    draft: CellBatch,
    rules: DecodingRules | None,
    argmax: bool,
    generator: torch.Generator | None,
) -> CellBatch:
    """Draw the cell from the average of both directions' log-odds at a draft.

    Args:
        forward: teacher-forced scores of the draft, in the node order of the forward run.
        backward: those in the node order of the backward run.
        draft: the cells whose log-odds are averaged.
        rules: keep the cell inside the space; None for no rule.
        argmax: take the likeliest types and edges instead of a draw.
        generator: of the draws.
    """
    nodes, device = draft.types.shape[1], draft.types.device
    flipped = (draft.sizes[:, None] - 1 - torch.arange(nodes, device=device)).clamp(min=0)
    back_types = backward.types.gather(1, flipped[..., None].expand(-1, -1, backward.types.shape[2]))
    rows = backward.edges.gather(1, flipped[:, :, None].expand(-1, -1, nodes))
    back_edges = rows.gather(2, flipped[:, None, :].expand(-1, nodes, -1)).transpose(1, 2)
    type_logits = 0.5 * (forward.types.log_softmax(-1) + back_types.log_softmax(-1))
    # an edge scored by one direction alone (those at the ends) keeps that direction's log-odds
    last = draft.sizes[:, None, None] - 1
    source = torch.arange(nodes, device=device)[None, :, None]
    target = torch.arange(nodes, device=device)[None, None, :]
    by_forward = (target >= 2) & (source < target) & (target <= last)
    by_backward = (source <= last - 2) & (source < target) & (target <= last)
    count = (by_forward.float() + by_backward.float()).clamp(min=1)
    edge_logits = (forward.edges * by_forward + back_edges * by_backward) / count
    rule = masks(rules, 0, device)
    if rule is not None:
        type_logits = type_logits.masked_fill(~rule.types, -torch.inf)
    if rule is not None and rule.any_size:  # the ends of the draft stay where they are
        type_logits[..., END] = -torch.inf
    position = torch.arange(nodes, device=device)
    inner = (position > 0) & (position < draft.sizes[:, None] - 1)
    # the ends of the draft are given; both runs agree on them by construction
    types = torch.where(
        inner, draw_types(type_logits.masked_fill(~inner[..., None], 0.0), argmax, generator), draft.types
    )
    edges = draw_edges(edge_logits, None if rule is None else rule.edges, argmax, generator)
    scored = by_forward | by_backward
    adjacency = torch.where(scored, edges, draft.adjacency)
    if rule is not None and rule.any_size:
        adjacency = _completed(adjacency, edge_logits, draft.sizes, rule, argmax, generator)
    return CellBatch(types, adjacency, draft.sizes)


def _completed(
    drawn: Tensor, log_odds: Tensor, sizes: Tensor, rule: Masks, argmax: bool, generator: torch.Generator | None
) -> Tensor:
    """Edges drawn all at once, made those of a member node by node."""
    batch, nodes = drawn.shape[:2]
    books = OpenNodes(batch, nodes, rule.max_edges, drawn.device)
    adjacency = torch.zeros_like(drawn)
    for made in range(1, nodes):
        ends = sizes <= made + 1  # beyond the end nothing is kept
        to_come = (sizes - 2 - made).clamp(min=0)
        edges = books.edges(log_odds[:, :made, made], drawn[:, :made, made], ends, to_come, argmax, generator)
        edges = edges * (sizes > made)[:, None]
        adjacency[:, :made, made] = edges
        books.add(made, edges, ends)
    return adjacency
