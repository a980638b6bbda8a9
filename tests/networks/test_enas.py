"""The ENAS macro network: sizes equal the closed form, an independent forward pass, gradients for every weight."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from svge_core.cells.cell import Cell
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.networks.build import build_network
from svge_core.networks.enas import enas_network
from svge_core.spaces import ENASMacro
from svge_core.spaces.registry import get_space
from tests.support.networks import (
    average_pooled,
    count_macs,
    count_parameters,
    every_parameter_has_a_gradient,
    normed,
    training_losses,
)

SIX, TWELVE = ENASMacro(6), ENASMacro(12)
#: of D-VAE's file; layers 4 and 5 read every earlier vertex, layer 6 reads layer 4
CELL = SIX.parse("[[1], [4, 0], [5, 0, 0], [0, 1, 1, 1], [2, 1, 1, 1, 1], [3, 0, 0, 0, 0, 1]]")


def samples(space: ENASMacro, count: int) -> list[Cell]:
    """Every operation in every layer without and with all skips, and random cells."""
    fixed = [
        space.from_genotype(tuple(skip if choices == 2 else op for choices in space.gene_choices))
        for op in range(6)
        for skip in (0, 1)
    ]
    rng = np.random.default_rng(0)
    return [*fixed, *(space.random_cell(rng) for _ in range(count))]


@pytest.mark.parametrize(("space", "count"), [(SIX, 20), (TWELVE, 4), (ENASMacro(2), 2), (ENASMacro(4), 8)])
def test_sizes_equal_the_closed_form(space: ENASMacro, count: int) -> None:
    with torch.device("meta"):  # shapes alone: nothing is computed
        images = torch.zeros(1, 3, 32, 32)
        for cell in samples(space, count):
            network, cost = enas_network(cell).eval(), space.cost(cell)
            assert count_parameters(network) == round(cost.params_m * 1e6)
            # the shared count adds a bias of the classifier, which this network does not have
            assert count_macs(network, images) - 10 == round(cost.flops_m * 1e6)


def test_a_size_worked_out_by_hand() -> None:
    pools = SIX.from_genotype(tuple(0 if choices == 2 else 4 for choices in SIX.gene_choices))
    stem, classifier = 3 * 9 * 96 + 2 * 96, 384 * 10
    merges = (96**2 + 2 * 96) + 2 * (192**2 + 2 * 192) + 2 * (384**2 + 2 * 384)
    reductions = (96 * 192 + 2 * 192) + (192 * 384 + 2 * 384)  # of the chain's map alone
    assert round(SIX.cost(pools).params_m * 1e6) == stem + classifier + merges + reductions


def test_only_maps_that_are_read_later_are_reduced() -> None:
    network = enas_network(CELL, channels=2)
    read = {number: [int(v) for v, _ in found.named_children()] for number, found in network.reductions.items()}
    # after two layers, layer 4 still reads vertices 0 to 2; after four, layer 5 reads 0 to 3 and layer 6 reads 4
    assert read == {"2": [0, 1, 2], "4": [0, 1, 2, 3, 4]}


def reference(cell: Cell, images: Tensor, weights: dict[str, Tensor]) -> Tensor:
    """The network written out with functions alone."""

    def reduced(x: Tensor, name: str) -> Tensor:
        odd = F.pad(x, (0, 1, 0, 1))[:, :, 1::2, 1::2]
        paths = (
            F.conv2d(x[:, :, ::2, ::2], weights[f"{name}.even.weight"]),
            F.conv2d(odd, weights[f"{name}.odd.weight"]),
        )
        return normed(torch.cat(paths, 1))

    count = cell.num_nodes - 2
    maps = {0: normed(F.conv2d(images, weights["stem.0.weight"], padding=1))}
    for layer in range(count):
        if layer in (count // 3, 2 * (count // 3)):
            last_reader = {v: max((t for t in cell.targets[v] if t <= count), default=0) for v in maps}
            maps = {v: reduced(x, f"reductions.{layer}.{v}") for v, x in maps.items() if last_reader[v] > layer}
        x, op, name = maps[layer], cell.ops[layer + 1], f"layers.{layer}"
        if "pool" in op:
            x = average_pooled(x) if op.startswith("avg") else F.max_pool2d(x, 3, 1, 1)
        else:
            x = F.relu(normed(F.conv2d(F.relu(x), weights[f"{name}.operation.0.1.weight"])))
            first = weights[f"{name}.operation.1.1.weight"]
            groups = x.shape[1] if op.startswith("sep") else 1
            x = F.conv2d(x, first, padding=first.shape[-1] // 2, groups=groups)
            if op.startswith("sep"):
                x = F.conv2d(x, weights[f"{name}.operation.1.2.weight"])
            x = normed(x)
        if layer:
            terms = [maps[v] for v in range(layer) if (v, layer + 1) in cell.edges]
            x = normed(F.conv2d(F.relu(torch.cat([*terms, x], 1)), weights[f"{name}.merge.1.weight"]))
        maps[layer + 1] = x
    return maps[count].mean((2, 3)) @ weights["classifier.weight"].T


@pytest.mark.parametrize("cell", [CELL, *samples(SIX, 3)], ids=SIX.format)
def test_the_network_computes_what_the_code_says(cell: Cell, generator: torch.Generator) -> None:
    network = enas_network(cell, channels=4)
    images = torch.randn(3, 3, 16, 16, generator=generator)
    expected = reference(cell, images, dict(network.named_parameters()))
    torch.testing.assert_close(network(images), expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("cell", [CELL, TWELVE.random_cell(np.random.default_rng(3))], ids=["six", "twelve"])
def test_every_parameter_gets_a_gradient(cell: Cell, generator: torch.Generator) -> None:
    network = enas_network(cell, channels=4, num_classes=3)
    logits = network(torch.randn(2, 3, 32, 32, generator=generator))
    assert logits.shape == (2, 3)
    F.cross_entropy(logits, torch.tensor([0, 2])).backward()
    assert every_parameter_has_a_gradient(network)


@pytest.mark.parametrize("side", [4, 9, 30])
def test_other_image_sizes(side: int) -> None:
    assert enas_network(CELL, channels=2).eval()(torch.zeros(1, 3, side, side)).shape == (1, 10)


def test_the_network_learns(generator: torch.Generator) -> None:
    torch.manual_seed(0)  # PyTorch initialises layers from its global generator
    network = enas_network(CELL, channels=4, num_classes=2)
    losses = training_losses(network, generator, steps=20)
    assert losses[-1] < 0.5 * losses[0]


def test_it_is_built_by_the_name_of_the_space() -> None:
    network = build_network(get_space("enas6"), CELL, channels=8)
    assert isinstance(network, nn.Module)
    assert count_parameters(network) == count_parameters(enas_network(CELL, channels=8))
    with pytest.raises(InvalidCellError, match="ENAS macro, 12 layers has 14 nodes"):
        build_network(get_space("enas12"), CELL)
    with pytest.raises(InvalidCellError, match="got 3"):
        enas_network(Cell(("input", "conv_3x3", "output"), ((0, 1), (1, 2))))
    with pytest.raises(SvgeError, match="Unknown network option 'depth' for ENAS macro, 6 layers: expected channels"):
        build_network(get_space("enas6"), CELL, depth=3)
    with pytest.raises(SvgeError, match="Expected channels to be at least 1; got 0"):
        enas_network(CELL, channels=0)
