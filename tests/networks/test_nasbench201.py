"""The NAS-Bench-201 network: the benchmark's parameter counts and FLOPs, an independent forward pass, gradients."""

import csv
import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from svge_core.cells.cell import Cell
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.networks.build import build_network
from svge_core.networks.nasbench201 import nasbench201_network
from svge_core.spaces import NASBench201
from svge_core.spaces.nasbench201 import MAP_EDGES, OPERATIONS
from tests.support.networks import (
    average_pooled,
    count_macs,
    count_parameters,
    every_parameter_has_a_gradient,
    normed,
    training_losses,
)

SPACE = NASBench201()
TEXT = "|skip_connect~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|avg_pool_3x3~0|none~1|nor_conv_3x3~2|"


def sample_genotypes() -> list[tuple[int, ...]]:
    """Every operation on every edge (Latin rows), all-equal cells, and random ones."""
    latin = [tuple((row + edge) % 5 for edge in range(6)) for row in range(5)]
    equal = [(op,) * 6 for op in range(5)]
    drawn = np.random.default_rng(0).integers(5, size=(6, 6)).tolist()
    return [*latin, *equal, *map(tuple, drawn)]


@pytest.mark.parametrize("genotype", sample_genotypes(), ids=lambda g: "".join(map(str, g)))
def test_size_equals_the_closed_form(genotype: tuple[int, ...]) -> None:
    cell = SPACE.from_genotype(genotype)
    network, cost = nasbench201_network(cell).eval(), SPACE.cost(cell)
    assert count_parameters(network) == round(cost.params_m * 1e6)
    assert count_macs(network, torch.zeros(1, 3, 32, 32)) == round(cost.flops_m * 1e6)


@pytest.mark.skipif("SVGE_DATA" not in os.environ, reason="SVGE_DATA does not name the folder of label tables")
def test_size_equals_the_published_table() -> None:
    with gzip.open(Path(os.environ["SVGE_DATA"]) / "nasbench201.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[:: len(rows) // 40]:
        network = nasbench201_network(SPACE.parse(row["arch_str"])).eval()
        assert count_parameters(network) == round(float(row["params_m"]) * 1e6)
        assert count_macs(network, torch.zeros(1, 3, 32, 32)) == round(float(row["flops_m"]) * 1e6)


def reference_cell(x: Tensor, operations: tuple[str, ...], weights: list[Tensor | None]) -> Tensor:
    """The cell written out with functions alone."""
    maps: list[Tensor] = [x]
    for target in range(1, 4):
        total = torch.zeros_like(x)
        for op, weight, (source, end) in zip(operations, weights, MAP_EDGES, strict=True):
            if end != target or op == "none":
                continue
            value = maps[source]
            if weight is not None:
                value = normed(F.conv2d(F.relu(value), weight, padding=weight.shape[-1] // 2))
            elif op == "avg_pool_3x3":
                value = average_pooled(value)
            total = total + value
        maps.append(total)
    return maps[3]


@pytest.mark.parametrize("genotype", sample_genotypes()[:5] + sample_genotypes()[10:13])
def test_a_cell_computes_what_the_paper_says(genotype: tuple[int, ...], generator: torch.Generator) -> None:
    operations = tuple(OPERATIONS[op] for op in genotype)
    network = nasbench201_network(SPACE.from_genotype(genotype), channels=4, cells_per_stage=1)
    cell: Any = network.layers[0]
    weights = [next((p for p in module.parameters() if p.ndim == 4), None) for module in cell.operations]
    x = torch.randn(3, 4, 6, 6, generator=generator)
    torch.testing.assert_close(cell(x), reference_cell(x, operations, weights), atol=1e-5, rtol=1e-4)


def test_forward_and_gradients(generator: torch.Generator) -> None:
    network = nasbench201_network(SPACE.parse(TEXT), channels=4, cells_per_stage=1)
    images = torch.randn(2, 3, 32, 32, generator=generator)
    logits = network(images)
    assert logits.shape == (2, 10)
    F.cross_entropy(logits, torch.tensor([1, 7])).backward()
    assert every_parameter_has_a_gradient(network)
    stem: Any = network.stem[0]
    assert stem.weight.grad.abs().max() > 0
    assert network.features(images).shape == (2, 16)


@pytest.mark.parametrize("op", range(5))
def test_every_parameter_gets_a_gradient_also_where_the_signal_is_cut(op: int, generator: torch.Generator) -> None:
    network = nasbench201_network(SPACE.from_genotype((op,) * 6), channels=2, cells_per_stage=1)
    network(torch.randn(2, 3, 8, 8, generator=generator)).sum().backward()
    assert every_parameter_has_a_gradient(network)


def test_the_network_learns(generator: torch.Generator) -> None:
    torch.manual_seed(0)  # PyTorch initialises layers from its global generator
    network = nasbench201_network(SPACE.parse(TEXT), channels=4, cells_per_stage=1, num_classes=2)
    losses = training_losses(network, generator, steps=15)
    assert losses[-1] < 0.5 * losses[0]


def test_options_reach_the_network() -> None:
    network = build_network(SPACE, SPACE.parse(TEXT), channels=8, cells_per_stage=2, num_classes=100)
    assert network(torch.zeros(2, 3, 16, 16)).shape == (2, 100)
    assert count_parameters(build_network(SPACE, SPACE.parse(TEXT))) == round(
        SPACE.cost(SPACE.parse(TEXT)).params_m * 1e6
    )


def test_mistakes_are_named() -> None:
    cell = SPACE.parse(TEXT)
    with pytest.raises(
        SvgeError, match="Unknown network option 'depth' for NAS-Bench-201: expected channels, cells_per"
    ):
        build_network(SPACE, cell, depth=3)
    with pytest.raises(SvgeError, match="Expected cells_per_stage to be at least 1; got 0"):
        nasbench201_network(cell, cells_per_stage=0)
    with pytest.raises(InvalidCellError, match="8 nodes"):
        nasbench201_network(Cell(("input", "output"), ((0, 1),)))

    class Unknown(NASBench201):
        name = "elsewhere"
        title = "Elsewhere"

        def network(self) -> Any:
            return None

    with pytest.raises(SvgeError, match="No trainable network for Elsewhere: there is one for .*nasbench201"):
        build_network(Unknown(), cell)
