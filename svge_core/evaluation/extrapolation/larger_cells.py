"""Cells beyond the known space: grown from good small ones, or decoded with one node position more, then ranked.

NAS-Bench-101 to 8 vertices (Lukasik et al. 2021): a vertex more before the output or after the input of a good cell,
with every operation and every set of edges; and cells that the model decodes from latents of good cells, its position
tables extended by repeating their last row. That repetition is an assumption: nothing trained the eighth position.
ENAS from 6 layers to 12: good cells stacked, or every layer repeated, and their mutations.

All scores here are predictions outside the known space. Nobody has measured these cells.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from svge_core.cells import Cell
from svge_core.checkpoints import load_weights
from svge_core.data import Prediction
from svge_core.errors import DataError, InvalidCellError, SvgeError
from svge_core.features import FeatureScaling, feature_scaling, structure_features
from svge_core.models import DecodeOptions, GraphVAE, SVGe, encode_all
from svge_core.models.decoding import decode
from svge_core.predictors import StructureSurrogate
from svge_core.spaces import AbstractSearchSpace, ENASMacro
from svge_core.spaces.nasbench101 import VERTICES
from svge_core.tensors import to_batch, to_cells

DECODED, BEFORE_OUTPUT, AFTER_INPUT, RANDOM = "decoded", "vertex before the output", "vertex after the input", "random"
STACKED, REPEATED, MUTATED = "two cells stacked", "every layer twice", "mutated"
#: groups of features that belong to one space's genes
_GENES = ("choices:", "switches:")
_POSITIONS = ("encoder.position", "generator.steps.")


@dataclass(frozen=True)
class Candidate:
    """A cell outside the known space.

    Attributes:
        cell: a member of the larger space.
        origin: how it was made, one of the texts above.
    """

    cell: Cell
    origin: str


def extended_model(model: GraphVAE, space: AbstractSearchSpace) -> GraphVAE:
    """The same weights for a space with more node positions; new positions get the last known row (an assumption).

    Args:
        model: trained on the smaller space.
        space: of the same operations as the model's.

    Raises:
        InvalidCellError: if the operations differ, or the space has fewer positions.
        SvgeError: if the model's weights cannot be extended: only SVGe's know where its positions are.
    """
    if not isinstance(model, SVGe):
        raise SvgeError(f"A {model.title} model cannot be extended to larger cells; choose a checkpoint of SVGe.")
    if space.vocabulary != model.space.vocabulary or space.max_nodes < model.space.max_nodes:
        raise InvalidCellError(f"A model of {model.space.title} cannot be extended to {space.title}.")
    extra = space.max_nodes - model.space.max_nodes
    with torch.random.fork_rng(devices=[]):
        larger = SVGe(space, model.config)
    weights = {
        name: torch.cat([tensor, tensor[-1:].expand(extra, *tensor.shape[1:])])
        if name.startswith(_POSITIONS)
        else tensor
        for name, tensor in model.state_dict().items()
    }
    load_weights(larger, weights, f"the model of {model.space.title}")
    return larger.to(model.device).eval()


def decode_larger(
    model: GraphVAE, cells: Sequence[Cell], space: AbstractSearchSpace, *, per_latent: int, seed: int
) -> list[Cell]:
    """Members of the larger space decoded from the mean latents of cells of the model's own space; with repeats.

    Args:
        model: trained on the smaller space.
        cells: cells of the model's own space.
        space: the larger space.
        per_latent: constrained draws of each latent, both directions voting.
        seed: of the draws.
    """
    larger = extended_model(model, space)
    latents, _ = encode_all(model, to_batch(model.space, cells))
    generator = torch.Generator(device=model.device).manual_seed(seed)
    drawn = decode(
        larger, latents.repeat_interleave(per_latent, dim=0), DecodeOptions("both", constrained=True), generator
    )
    return to_cells(space, drawn)


def vertex_before_output(space: AbstractSearchSpace, cell: Cell) -> Iterator[Cell]:
    """The cell and a vertex that feeds the output, with every operation and every set of sources: 3 x 64 of 7 vertices.

    Among them are cells in which the vertex has no source; they are members of no space.
    """
    last = cell.num_nodes - 1
    kept = [(u, v + (v == last)) for u, v in cell.edges]
    for op, sources in itertools.product(space.operations, _subsets(range(last))):
        yield Cell((*cell.ops[:-1], op, cell.ops[-1]), (*kept, *((u, last) for u in sources), (last, last + 1)))


def vertex_after_input(space: AbstractSearchSpace, cell: Cell) -> Iterator[Cell]:
    """The cell and a vertex that reads the input, with every operation and set of targets: 3 x 64 of 7 vertices."""
    kept = [(u + (u > 0), v + 1) for u, v in cell.edges]
    for op, targets in itertools.product(space.operations, _subsets(range(1, cell.num_nodes))):
        yield Cell((cell.ops[0], op, *cell.ops[1:]), (*kept, (0, 1), *((1, v + 1) for v in targets)))


def _subsets(items: Iterable[int]) -> Iterator[tuple[int, ...]]:
    items = tuple(items)
    return itertools.chain.from_iterable(itertools.combinations(items, count) for count in range(len(items) + 1))


def stack_cells(space: ENASMacro, first: Cell, second: Cell) -> Cell:
    """Two cells one after the other: the second one's input is the first one's last layer."""
    shift = first.num_nodes - 2
    edges = {*((u, v) for u, v in first.edges if v <= shift), *((u + shift, v + shift) for u, v in second.edges)}
    cell = Cell((*first.ops[:-1], *second.ops[1:]), tuple(edges))
    space.validate(cell)
    return cell


def repeat_cell(space: ENASMacro, cell: Cell) -> Cell:
    """Every layer twice in a row; a skip connection leads from its source's second copy to its target's first."""
    layers = cell.num_nodes - 2
    ops = [op for op in cell.ops[1:-1] for _ in range(2)]
    skips = {(2 * u, 2 * v - 1) for u, v in cell.edges if v <= layers}
    chain = {(vertex, vertex + 1) for vertex in range(2 * layers + 1)}
    larger = Cell((cell.ops[0], *ops, cell.ops[-1]), tuple(chain | skips))
    space.validate(larger)
    return larger


def distinct(space: AbstractSearchSpace, candidates: Iterable[Candidate]) -> list[Candidate]:
    """The members of a space among candidates, of equal ones the first."""
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        if space.is_valid(candidate.cell):
            found.setdefault(space.key(candidate.cell), candidate)
    return list(found.values())


def larger_nasbench101(
    model: GraphVAE,
    best: Sequence[Cell],
    roomy: Sequence[Cell],
    space: AbstractSearchSpace,
    *,
    per_latent: int,
    drawn: int,
    seed: int,
) -> list[Candidate]:
    """Distinct candidates of exactly eight vertices, from good cells of seven.

    Args:
        model: of NAS-Bench-101.
        best: good cells of seven vertices, to decode from.
        roomy: good cells of seven vertices, to grow from; what grows out of the bound on edges is dropped.
        space: the extended space.
        per_latent: decodings of each good cell's latent.
        drawn: random cells, for comparison.
        seed: of all draws.
    """
    everything = itertools.chain(
        (Candidate(c, DECODED) for c in decode_larger(model, best, space, per_latent=per_latent, seed=seed)),
        (Candidate(c, BEFORE_OUTPUT) for good in roomy for c in vertex_before_output(space, good)),
        (Candidate(c, AFTER_INPUT) for good in roomy for c in vertex_after_input(space, good)),
        (Candidate(c, RANDOM) for c in _random(space, drawn, seed)),
    )
    return distinct(space, (c for c in everything if c.cell.num_nodes == VERTICES))


def larger_enas(best: Sequence[Cell], space: ENASMacro, *, mutants: int, drawn: int, seed: int) -> list[Candidate]:
    """Distinct candidates of twice as many layers.

    Args:
        best: good cells of half the layers.
        space: the larger space.
        mutants: random one-edit mutants of each grown cell.
        drawn: random cells, for comparison.
        seed: of all draws.
    """
    rng = np.random.default_rng(seed)
    grown = [Candidate(stack_cells(space, a, b), STACKED) for a in best for b in best]
    grown += [Candidate(repeat_cell(space, cell), REPEATED) for cell in best]
    mutated = []
    for candidate in grown:
        near = space.neighbours(candidate.cell)
        mutated += [Candidate(near[row], MUTATED) for row in rng.choice(len(near), mutants, replace=False)]
    return distinct(space, [*grown, *mutated, *(Candidate(c, RANDOM) for c in _random(space, drawn, seed))])


def _random(space: AbstractSearchSpace, count: int, seed: int) -> list[Cell]:
    rng = np.random.default_rng([seed, 1])
    return [space.random_cell(rng) for _ in range(count)]


def shared_scaling(space: AbstractSearchSpace, larger: AbstractSearchSpace) -> tuple[FeatureScaling, FeatureScaling]:
    """Feature scaling of a space over the columns that a larger space has too, for the columns of either.

    Columns that name a gene of the smaller space mean nothing in the larger one; in both they are left out.

    Raises:
        DataError: if the spaces share no column.
    """
    own, names = feature_scaling(space.name), structure_features(space, []).names
    other = structure_features(larger, []).names
    shared = {name for name in names if name in set(other) and not name.startswith(_GENES)}
    if not shared:
        raise DataError(f"{space.title} and {larger.title} have no structure feature in common.")
    kept = replace(own, scale=np.where([name in shared for name in names], own.scale, 0.0))
    place = {name: column for column, name in enumerate(names)}
    columns = np.array([place.get(name, 0) if name in shared else 0 for name in other])
    scale = np.where([name in shared for name in other], own.scale[columns], 0.0)
    return kept, FeatureScaling(own.mean[columns], scale, own.group[columns])


def predict_larger(surrogate: StructureSurrogate, larger: AbstractSearchSpace, cells: Sequence[Cell]) -> Prediction:
    """Predictions for cells of a larger space, of a surrogate fitted with the first of :func:`shared_scaling`."""
    return replace(surrogate, space=larger, scaling=shared_scaling(surrogate.space, larger)[1]).predict(cells)


def best_first(mean: Float[np.ndarray, " cells"], direction: str) -> np.ndarray:
    """Rows from the best predicted one on."""
    return np.argsort(-mean if direction == "max" else mean, kind="stable")
