"""z -> cells: sampling forwards, backwards, or with both directions voting; raw or constrained to the space.

Raw decoding draws whatever the model says, so a result may be no member of the space. Constrained decoding masks what
the space's `DecodingRules` forbid before drawing, so every result is one.

Both directions together: the two runs each give log-odds for every type and edge of a draft (the forward decoding);
these are averaged and the cell is drawn from the averages. (The published code means to unite the edges of two
independent draws but almost never does; see the notes of the model card.)
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from svge_core.models.constraints import Masks, OpenNodes, masks
from svge_core.models.decoder import Conditions, Generator, Prepared
from svge_core.models.svge import SVGe
from svge_core.spaces.base import DecodingRules
from svge_core.tensors import END, START, CellBatch

Direction = Literal["forward", "backward", "both"]


@dataclass(frozen=True)
class DecodeOptions:
    """How to decode.

    Attributes:
        direction: which run decides, or both.
        constrained: mask everything that would leave the space.
        argmax: take the likeliest type and edges at every step instead of drawing them.
    """

    direction: Direction = "forward"
    constrained: bool = False
    argmax: bool = False


@torch.inference_mode()
def decode(
    model: SVGe,
    z: Tensor,
    options: DecodeOptions,
    generator: torch.Generator | None = None,
    *,
    chunk: int = 512,
    weights: Prepared | None = None,
) -> CellBatch:
    """Decode latents (batch, latent) to cells in input-to-output order.

    Args:
        generator: source of randomness, on the model's device; equal seeds give equal cells. Unused for argmax.
        chunk: latents decoded at a time; small enough that a step's tensors stay in the processor's cache.
        weights: ``model.generator.prepare(model.table)`` made before, to spare it on many small calls.
    """
    z = z.to(model.device, torch.float32)
    weights = weights or model.generator.prepare(model.table)
    parts = [_decode_chunk(model, weights, part, options, generator) for part in z.split(chunk)]
    if len(parts) == 1:
        return parts[0]
    return CellBatch(
        torch.cat([p.types for p in parts]),
        torch.cat([p.adjacency for p in parts]),
        torch.cat([p.sizes for p in parts]),
    )


def _decode_chunk(
    model: SVGe, weights: Prepared, z: Tensor, options: DecodeOptions, generator: torch.Generator | None
) -> CellBatch:
    rules = model.space.decoding_rules() if options.constrained else None
    if options.direction == "backward":
        return _run(model, weights, z, 1, rules, options.argmax, generator).reversed()
    draft = _run(model, weights, z, 0, rules, options.argmax, generator)
    return _vote(model, z, draft, rules, options.argmax, generator) if options.direction == "both" else draft


def _run(
    model: SVGe,
    weights: Prepared,
    z: Tensor,
    direction: int,
    rules: DecodingRules | None,
    argmax: bool,
    generator: torch.Generator | None,
) -> CellBatch:
    """One run from the input (direction 0) or the output (1); the result is in the order of the run."""
    net, nodes, batch = model.generator, model.space.max_nodes, z.shape[0]
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
            types[:, made] = _draw_types(_allowed(logits, made, last, rule, books), argmax, generator)
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
    return _cut(types, receives[1], last)


def _edges_of_step(
    net: Generator,
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
        return log_odds, _draw_edges(log_odds, fixed, argmax, generator)
    odds, edges = [], []
    for source in range(parts.shape[1]):
        odds.append(net.edge_logits(parts[:, source], shared))
        edges.append(_draw_edges(odds[-1], None if fixed is None else fixed[source], argmax, generator))
        shared = shared + edges[-1][:, None] * decided[:, source]
    return torch.stack(odds, dim=1), torch.stack(edges, dim=1)


def _allowed(logits: Tensor, made: int, last: int, rule: Masks | None, books: OpenNodes | None) -> Tensor:
    """The logits with what the rules forbid at this position masked."""
    if rule is None:
        return logits
    logits = logits.masked_fill(~rule.types[made], -torch.inf)
    if books is None:
        return logits
    going_on = torch.arange(logits.shape[1], device=logits.device) != last
    return logits.masked_fill((books.slack < 1)[:, None] & going_on, -torch.inf)


def _vote(
    model: SVGe,
    z: Tensor,
    draft: CellBatch,
    rules: DecodingRules | None,
    argmax: bool,
    generator: torch.Generator | None,
) -> CellBatch:
    """Draw the cell from the average of both directions' log-odds at a draft."""
    both = model.score(draft, z)
    nodes = draft.types.shape[1]
    flipped = (draft.sizes[:, None] - 1 - torch.arange(nodes, device=z.device)).clamp(min=0)
    back_types = both.backward.types.gather(1, flipped[..., None].expand(-1, -1, both.backward.types.shape[2]))
    rows = both.backward.edges.gather(1, flipped[:, :, None].expand(-1, -1, nodes))
    back_edges = rows.gather(2, flipped[:, None, :].expand(-1, nodes, -1)).transpose(1, 2)
    type_logits = 0.5 * (both.forward.types.log_softmax(-1) + back_types.log_softmax(-1))
    # an edge scored by one direction alone (those at the ends) keeps that direction's log-odds
    last = draft.sizes[:, None, None] - 1
    source = torch.arange(nodes, device=z.device)[None, :, None]
    target = torch.arange(nodes, device=z.device)[None, None, :]
    by_forward = (target >= 2) & (source < target) & (target <= last)
    by_backward = (source <= last - 2) & (source < target) & (target <= last)
    count = (by_forward.float() + by_backward.float()).clamp(min=1)
    edge_logits = (both.forward.edges * by_forward + back_edges * by_backward) / count
    rule = masks(rules, 0, z.device)
    if rule is not None:
        type_logits = type_logits.masked_fill(~rule.types, -torch.inf)
    if rule is not None and rule.any_size:  # the ends of the draft stay where they are
        type_logits[..., END] = -torch.inf
    position = torch.arange(nodes, device=z.device)
    inner = (position > 0) & (position < draft.sizes[:, None] - 1)
    # the ends of the draft are given; both runs agree on them by construction
    types = torch.where(
        inner, _draw_types(type_logits.masked_fill(~inner[..., None], 0.0), argmax, generator), draft.types
    )
    edges = _draw_edges(edge_logits, None if rule is None else rule.edges, argmax, generator)
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


def _draw_types(logits: Tensor, argmax: bool, generator: torch.Generator | None) -> Tensor:
    """Categorical draw over the last axis by the Gumbel-max trick, or the mode."""
    if argmax:
        return logits.argmax(-1)
    noise = torch.empty_like(logits).exponential_(generator=generator)
    return (logits - noise.log()).argmax(-1)


def _draw_edges(logits: Tensor, forced: Tensor | None, argmax: bool, generator: torch.Generator | None) -> Tensor:
    """Independent Bernoulli draws, or the modes; forced entries are kept."""
    if argmax:
        edges = (logits > 0).to(logits.dtype)
    else:
        uniform = torch.rand(logits.shape, generator=generator, device=logits.device, dtype=logits.dtype)
        edges = (uniform < logits.sigmoid()).to(logits.dtype)
    if forced is not None:
        edges = torch.where(forced >= 0, forced.to(edges.dtype), edges)
    return edges


def _cut(types: Tensor, adjacency: Tensor, last: int) -> CellBatch:
    """End every graph at its first end token and clear what was generated after it."""
    nodes = types.shape[1]
    ended = types == last
    ended[:, 0] = False
    sizes = ended.to(torch.int8).argmax(1) + 1
    mask = torch.arange(nodes, device=types.device) < sizes[:, None]
    real = mask[:, :, None] & mask[:, None, :]
    return CellBatch(types.masked_fill(~mask, 0), adjacency.masked_fill(~real, 0.0).contiguous(), sizes)
