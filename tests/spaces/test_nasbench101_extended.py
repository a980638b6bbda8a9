"""Eight vertices: the known space lies inside unchanged, one form for every order, decoded cells are members."""

from itertools import permutations

import numpy as np
import pytest
import torch

from svge_core.cells.cell import Cell
from svge_core.errors import InvalidCellError, ParseError, SvgeError
from svge_core.models.config import ModelConfig
from svge_core.models.decoding.decoding import decode
from svge_core.models.options import DecodeOptions
from svge_core.models.svge import SVGe
from svge_core.spaces.nasbench101.extended import ExtendedNASBench101
from svge_core.spaces.registry import SPACES, get_space
from svge_core.tensors import to_cells

KNOWN = get_space("nasbench101")
SPACE = ExtendedNASBench101()


def shuffled(cell: Cell, rng: np.random.Generator) -> Cell:
    """The cell in another topological order."""
    inner = list(permutations(range(1, cell.num_nodes - 1)))
    for row in rng.permutation(len(inner)):
        order = (0, *inner[row], cell.num_nodes - 1)
        place = {old: new for new, old in enumerate(order)}
        if all(place[u] < place[v] for u, v in cell.edges):
            return cell.relabelled(order)
    return cell


def test_it_is_registered_nowhere() -> None:
    assert SPACE.name not in SPACES
    assert not SPACE.enumerated


def test_cells_of_the_known_space_are_the_same_here(rng: np.random.Generator) -> None:
    for _ in range(40):
        cell = KNOWN.random_cell(rng)
        other = shuffled(cell, rng)
        assert SPACE.canonical(other) == KNOWN.canonical(cell)
        assert SPACE.key(other) == KNOWN.key(cell)
        ours, theirs = SPACE.cost(other), KNOWN.cost(cell)
        assert (ours.params_m, ours.flops_m) == (theirs.params_m, theirs.flops_m)
        assert SPACE.costs_of([other]).tolist() == [[theirs.params_m, theirs.flops_m]]


def test_random_cells_have_eight_vertices_and_one_form_in_every_order(rng: np.random.Generator) -> None:
    for cell in SPACE.random_cells(rng, 20):
        assert cell.num_nodes == 8 and len(cell.edges) <= 9
        SPACE.validate(cell)
        other = shuffled(cell, rng)
        assert SPACE.canonical(other) == SPACE.canonical(cell)
        assert SPACE.key(other) == SPACE.key(cell)
        assert SPACE.from_genotype(SPACE.genotype(cell)) == SPACE.canonical(cell)
        assert SPACE.parse(SPACE.format(cell)) == cell


def test_a_chain_of_convolutions_costs_what_its_layers_cost() -> None:
    op = "conv3x3-bn-relu"
    cell = Cell(("input", *[op] * 6, "output"), tuple((i, i + 1) for i in range(7)))
    params = 27 * 128 + 2 * 128
    inputs = 128
    for channels in (128, 256, 512):
        for _ in range(3):
            params += inputs * channels + 2 * channels + 6 * (9 * channels * channels + 2 * channels)
            inputs = channels
    assert SPACE.cost(cell).params_m == pytest.approx((params + 5130) / 1e6, abs=1e-9)


def test_what_is_no_member_is_refused() -> None:
    chain = tuple((i, i + 1) for i in range(7))
    ops = ("input", *["maxpool3x3"] * 6, "output")
    SPACE.validate(Cell(ops, chain))
    with pytest.raises(InvalidCellError, match="has at most 9 edges; got 10"):
        SPACE.validate(Cell(ops, (*chain, (0, 2), (0, 3), (0, 4))))
    ExtendedNASBench101(10).validate(Cell(ops, (*chain, (0, 2), (0, 3), (0, 4))))
    with pytest.raises(InvalidCellError, match="none for 3"):
        SPACE.validate(Cell(ops, (*(e for e in chain if e != (2, 3)), (2, 4))))
    with pytest.raises(InvalidCellError, match="2 to 8 vertices"):
        SPACE.validate(Cell(("input", *["maxpool3x3"] * 7, "output"), (*chain, (7, 8))))
    with pytest.raises(ParseError, match="expected a ModelSpec"):
        SPACE.parse("0" * 32)
    with pytest.raises(SvgeError, match="7 to 28 edges"):
        ExtendedNASBench101(6)
    for call in (lambda: SPACE.index(Cell(ops, chain)), SPACE.enumerate, lambda: SPACE.neighbours(Cell(ops, chain))):
        with pytest.raises(SvgeError):
            call()


@pytest.mark.parametrize("max_edges", [7, 8, 9, 14])
@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
@pytest.mark.parametrize("argmax", [False, True])
def test_every_constrained_decoding_is_a_member_of_eight_vertices(max_edges: int, direction, argmax: bool) -> None:
    space = ExtendedNASBench101(max_edges)
    torch.manual_seed(1)
    model = SVGe(space, ModelConfig(hidden=16, latent=4)).eval()
    # wide latents and loud heads, so that the untrained model wants all kinds of things
    for head in (model.generator.types_out, model.generator.edges_out):
        head.weight.data.mul_(20)
    z = 4 * torch.randn(300, 4, generator=torch.Generator().manual_seed(2))
    options = DecodeOptions(direction, constrained=True, argmax=argmax)
    cells = to_cells(space, decode(model, z, options, torch.Generator().manual_seed(3)))
    for cell in cells:
        assert cell.num_nodes == 8
        space.validate(cell)
    assert len({space.key(cell) for cell in cells}) > 1
