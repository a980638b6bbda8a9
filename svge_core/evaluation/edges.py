"""Edge-F1 rows of a checkpoint whose cells have no index: how much of a wiring comes back from its latent.

Such wirings carry more bits than a latent of a few dozen dimensions keeps, so exact reconstruction says little. What
the model gains is told by controls: decodings of another cell's latent, one wiring guessed for all, and the cells' main
components, which keep as many numbers of a cell as a latent does. Beside them stands how many nats tell a wiring from
the others of its family.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from svge_core.cells import Cell
from svge_core.checkpoints import EDGE_F1, ENTROPY, MetricRow, RowDirection
from svge_core.evaluation.edge_f1 import EdgeCounts, best_threshold, edge_counts, inner_edges
from svge_core.models import DecodeOptions, GraphVAE, encode_all
from svge_core.models.decoding import decode
from svge_core.spaces import AbstractSearchSpace
from svge_core.tensors import CellBatch, to_batch
from svge_core.training import TrainConfig, draw_cells

#: numbers that the control by main components keeps of a cell
LINEAR = (64, 320)


@dataclass(frozen=True)
class EdgeProtocol:
    """How many cells of each family, and decodings of each latent.

    Attributes:
        held_out: cells that are measured.
        choosing: training cells that choose the model's bound.
        guessing: training cells that choose the guessed wirings and the main components; of components there are none
            where these cells are no more than the components.
        draws: sampled decodings of each latent.
    """

    held_out: int = 200
    choosing: int = 100
    guessing: int = 1_000
    draws: int = 10


def edge_rows(
    model: GraphVAE, config: TrainConfig, protocol: EdgeProtocol | None = None, seed: int = 0
) -> Iterator[MetricRow]:
    """Measure the model and the controls on the same held-out cells.

    Values are F1, from 0 to 1, over ``n`` held-out cells. Groups are "all", "per_cell" (mean of the cells' own F1 over
    all) and the families, where the space has several.

    Args:
        model: trained model.
        config: of the run that trained the model; nothing is measured where it held out no cell.
        protocol: how much is measured; None for the default.
        seed: of all draws.
    """
    protocol = protocol or EdgeProtocol()
    held_out, draws = protocol.held_out, protocol.draws
    if config.held_out == 0:
        return
    cells, family, names = _cells(model.space, config, held_out, (4, seed), held_out=True)
    choosing, _, _ = _cells(model.space, config, protocol.choosing, (5, seed), held_out=False)
    guessing, guess_family, _ = _cells(model.space, config, protocol.guessing, (6, seed), held_out=False)
    truth, known, guessed = inner_edges(cells), inner_edges(choosing), inner_edges(guessing)
    groups = {"all": torch.ones_like(family, dtype=torch.bool)}
    groups |= {name: family == number for number, name in enumerate(names)} if len(names) > 1 else {}
    drawn = f"{len(cells):,} cells never trained on" + (f", {held_out} of each family" if len(names) > 1 else "")

    def rows(direction: RowDirection, how: str, counts: EdgeCounts, protocol: str) -> Iterator[MetricRow]:
        times = len(counts.hits) // len(cells)
        row = partial(MetricRow, what=EDGE_F1, direction=direction, mode="raw" if direction else "", how=how, unit="F1")
        for group, members in groups.items():
            own = counts.select(members.repeat(times))
            split = drawn if group == "all" else f"those of family {group} among {drawn}"
            pooled = f"{protocol}; F1 of the edges between inner nodes, pooled over all cells"
            yield row(group=group, value=own.pooled, n=int(members.sum()), protocol=pooled, split=split)
        mean = f"{protocol}; mean of the cells' own F1 of the edges between inner nodes"
        yield row(group="per_cell", value=counts.per_cell, n=len(cells), protocol=mean, split=drawn)

    other = _next_of_family(family)
    for direction in model.directions:
        if direction == "backward":
            continue  # as in the other rows of prior samples
        means = encode_all(model, cells)[0]
        likeliest = inner_edges(decode(model, means, DecodeOptions(direction, argmax=True)).to("cpu"))
        words = f"{direction}, raw, argmax from the posterior mean"
        yield from rows(direction, "argmax", edge_counts(likeliest, truth), words)
        samples = _samples(model, means, DecodeOptions(direction), draws, seed)
        words = f"{direction}, raw, sampled, {draws} decodings of the posterior mean"
        yield from rows(direction, "sampled", edge_counts(samples.flatten(0, 1), truth.repeat(draws, 1)), words)
        chosen = _samples(model, encode_all(model, choosing)[0], DecodeOptions(direction), draws, seed)
        threshold = best_threshold(chosen.float().mean(0), known)
        often = samples.float().mean(0) >= threshold
        words = (
            f"{direction}, raw, edges in at least {threshold * draws:.0f} of {draws} sampled decodings of the "
            f"posterior mean, a bound chosen on {len(choosing):,} training cells"
        )
        yield from rows(direction, "frequent", edge_counts(often, truth), words)
        words = f"control: {direction}, raw, decoded from the latent of another held-out cell"
        words += " of the same family, " if len(names) > 1 else ", "
        yield from rows(direction, "other_argmax", edge_counts(likeliest[other], truth), words + "argmax")
        yield from rows(direction, "other_frequent", edge_counts(often[other], truth), words + "frequent edges")
    words = f"control: the same wiring for every cell, the pairs most often an edge in {len(guessing):,} training cells"
    yield from rows("", "constant", edge_counts(_constant(guessed).expand_as(truth), truth), words)
    if len(names) > 1:
        own = torch.stack([_constant(guessed[guess_family == number]) for number in range(len(names))])
        words = "control: one wiring per family, the family being told; the pairs most often an edge in "
        words += f"{protocol.guessing:,} training cells of it"
        yield from rows("", "constant_per_family", edge_counts(own[family], truth), words)
    for kept in LINEAR:
        if kept < min(guessed.shape):
            known_scores, scores = (linear_scores(guessed, kept, edges) for edges in (known, truth))
            counts = edge_counts(scores >= best_threshold(known_scores, known), truth)
            words = (
                f"control: rebuilt from the first {kept} main components of {len(guessing):,} training cells, with a "
            )
            words += f"bound chosen on {len(choosing):,} further ones"
            yield from rows("", f"pca{kept}", counts, words)
    for name in names:
        if (entropy := model.space.family_entropy(name)) is not None:
            words = f"of a wiring in its generator's order; {entropy.words}"
            if entropy.error:
                words += f", standard error {entropy.error:.2g}"
            row = partial(MetricRow, what=ENTROPY, group=name, unit="nats", protocol=words)
            yield row(value=entropy.nats, n=entropy.n, split=entropy.over)


def _cells(
    space: AbstractSearchSpace, config: TrainConfig, count: int, purpose: tuple[int, ...], *, held_out: bool
) -> tuple[CellBatch, Tensor, tuple[str, ...]]:
    """Cells of every family, ``count`` of each, the number of each cell's family, and the families' names."""
    sources: Mapping[str, Callable[[np.random.Generator], Cell]] = space.families() or {"all": space.random_cell}
    found = [
        draw_cells(space, count, config, (*purpose, number), held_out=held_out, draw=draw)
        for number, draw in enumerate(sources.values())
    ]
    family = torch.tensor([number for number, cells in enumerate(found) for _ in cells], dtype=torch.long)
    return to_batch(space, sum(found, []), canonical=False), family, tuple(sources)


def linear_scores(
    training: Bool[Tensor, "training pairs"], kept: int, edges: Bool[Tensor, "cells pairs"]
) -> Float[Tensor, "cells pairs"]:
    """Cells rebuilt from their projections on the first ``kept`` main components of training cells (Pearson 1901)."""
    centre = training.double().mean(0)
    spread = training.double() - centre
    axes = torch.linalg.eigh(spread.T @ spread).eigenvectors[:, -kept:]
    return (edges.double() - centre) @ axes @ axes.T + centre


def _samples(
    model: GraphVAE, z: Float[Tensor, "cells latent"], options: DecodeOptions, draws: int, seed: int
) -> Bool[Tensor, "draws cells pairs"]:
    """Edges between the inner nodes of sampled decodings."""
    generator = torch.Generator(device=model.device).manual_seed(seed)
    return torch.stack([inner_edges(decode(model, z, options, generator).to("cpu")) for _ in range(draws)])


def _next_of_family(family: Tensor) -> Tensor:
    """For every cell the row of the next one of its family; the last one's is the first. Families lie together."""
    rows = torch.arange(len(family))
    return torch.cat([rows[family == number].roll(-1) for number in family.unique()] or [rows])


def _constant(edges: Bool[Tensor, "cells pairs"]) -> Bool[Tensor, " pairs"]:
    """The one wiring with the largest pooled F1 over these cells: all pairs that are an edge often enough."""
    shares = edges.float().mean(0)
    return shares >= best_threshold(shares.expand(len(edges), -1), edges)
