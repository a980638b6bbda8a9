"""Drawing types and edges from their scores, and ending a graph at its first end token."""

import torch
from torch import Tensor

from svge_core.models.decoding.constraints import Masks, OpenNodes
from svge_core.tensors import CellBatch


def allowed_types(logits: Tensor, made: int, last: int, rule: Masks | None, books: OpenNodes | None) -> Tensor:
    """The logits with what the rules forbid at this position masked."""
    if rule is None:
        return logits
    logits = logits.masked_fill(~rule.types[made], -torch.inf)
    if books is None:
        return logits
    going_on = torch.arange(logits.shape[1], device=logits.device) != last
    return logits.masked_fill((books.slack < 1)[:, None] & going_on, -torch.inf)


def draw_types(logits: Tensor, argmax: bool, generator: torch.Generator | None) -> Tensor:
    """Categorical draw over the last axis by the Gumbel-max trick, or the mode."""
    if argmax:
        return logits.argmax(-1)
    noise = torch.empty_like(logits).exponential_(generator=generator)
    return (logits - noise.log()).argmax(-1)


def draw_edges(logits: Tensor, forced: Tensor | None, argmax: bool, generator: torch.Generator | None) -> Tensor:
    """Independent Bernoulli draws, or the modes; forced entries are kept."""
    if argmax:
        edges = (logits > 0).to(logits.dtype)
    else:
        uniform = torch.rand(logits.shape, generator=generator, device=logits.device, dtype=logits.dtype)
        edges = (uniform < logits.sigmoid()).to(logits.dtype)
    if forced is not None:
        edges = torch.where(forced >= 0, forced.to(edges.dtype), edges)
    return edges


def cut(types: Tensor, adjacency: Tensor, last: int) -> CellBatch:
    """End every graph at its first end token and clear what was generated after it."""
    nodes = types.shape[1]
    ended = types == last
    ended[:, 0] = False
    sizes = ended.to(torch.int8).argmax(1) + 1
    mask = torch.arange(nodes, device=types.device) < sizes[:, None]
    real = mask[:, :, None] & mask[:, None, :]
    return CellBatch(types.masked_fill(~mask, 0), adjacency.masked_fill(~real, 0.0).contiguous(), sizes)
