"""The NAS-Bench-101 network: published parameter counts, channels by hand, an independent forward pass, gradients."""

import csv
import gzip
import os
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from svge_core.cells.cell import Cell
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.networks.build import build_network
from svge_core.networks.nasbench101 import nasbench101_network, vertex_widths
from svge_core.spaces import NASBench101
from svge_core.spaces.nasbench101 import ExtendedNASBench101, channels_of_vertices
from svge_core.spaces.nasbench101.official_order import SIZE
from tests.support.networks import (
    count_macs,
    count_parameters,
    every_parameter_has_a_gradient,
    normed,
    training_losses,
)

SPACE = NASBench101()
C3, C1, POOL = SPACE.operations


def made(ops: tuple[str, ...], *edges: tuple[int, int]) -> Cell:
    return Cell(("input", *ops, "output"), edges)


#: three vertices feed the output and read each other; vertex 1 has a channel more than vertices 2 and 3
TRUNCATED = made((C3, C1, POOL), (0, 1), (1, 2), (2, 3), (1, 4), (2, 4), (3, 4), (0, 4), (0, 3))
BARE = made((), (0, 1))
CELLS = [
    BARE,
    TRUNCATED,
    made((POOL,), (0, 1), (1, 2)),
    made((C3, C3, C1, POOL, C1), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 5), (4, 6), (5, 6), (0, 6)),
    *map(SPACE.from_index, np.random.default_rng(0).integers(SIZE, size=12).tolist()),
]


def parameters(cell: Cell) -> int:
    with torch.device("meta"):  # shapes alone: nothing is computed
        return count_parameters(nasbench101_network(cell))


@pytest.mark.parametrize("cell", CELLS, ids=range(len(CELLS)))
def test_sizes_equal_the_closed_form(cell: Cell) -> None:
    cell = SPACE.canonical(cell)
    with torch.device("meta"):
        network, cost = nasbench101_network(cell).eval(), SPACE.cost(cell)
        assert count_parameters(network) == round(cost.params_m * 1e6)
        # the shared count adds a bias of the classifier, which the closed form leaves out
        assert count_macs(network, torch.zeros(1, 3, 32, 32)) - 10 == round(cost.flops_m * 1e6)


def test_a_size_worked_out_by_hand() -> None:
    def conv(inputs: int, outputs: int, area: int) -> int:
        return area * inputs * outputs + 2 * outputs

    stacks = ((128, 128, 128), (128, 256, 256), (256, 512, 512))  # first input, further inputs, outputs
    cells = sum(conv(first, out, 1) + 2 * conv(then, out, 1) for first, then, out in stacks)
    assert parameters(BARE) == conv(3, 128, 9) + cells + 512 * 10 + 10


def orders(cell: Cell) -> list[Cell]:
    """The cell written in every topological order of its vertices."""
    inner, last = range(1, cell.num_nodes - 1), cell.num_nodes - 1
    found = []
    for order in permutations(inner):
        place = {old: new for new, old in enumerate((0, *order, last))}
        if all(place[u] < place[v] for u, v in cell.edges):
            found.append(cell.relabelled((0, *order, last)))
    return found


@pytest.mark.skipif("SVGE_DATA" not in os.environ, reason="SVGE_DATA does not name the folder of label tables")
def test_sizes_equal_the_published_table() -> None:
    with gzip.open(Path(os.environ["SVGE_DATA"]) / "nasbench101_sample20k.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    shared_by_three = 0
    for row in rows[:: len(rows) // 60]:
        cell, published = SPACE.from_index(int(row["index"])), int(row["params"])
        assert SPACE.key(cell) == row["hash"]
        feeding = len([source for source in cell.sources[-1] if source])
        if feeding != 3:  # 1, 2 and 4 divide the channels, so that the order of the vertices does not matter
            assert parameters(cell) == published
        else:  # the file of labels does not say the official order
            assert published in {parameters(order) for order in orders(cell)}
            shared_by_three += 1
    assert 0 < shared_by_three < 30


def slow_channels(cell: Cell, channels: int) -> list[int]:
    """``compute_vertex_channels`` vertex by vertex, as its docstring describes it."""
    last = cell.num_nodes - 1
    found = {0: 0, last: channels}
    feeding = [vertex for vertex in range(1, last) if (vertex, last) in cell.edges]
    left = channels
    for place, vertex in enumerate(feeding):  # the rest that is left, divided and rounded up: one more for the first
        found[vertex] = -(-left // (len(feeding) - place))
        left -= found[vertex]

    def of(vertex: int) -> int:
        if vertex not in found:
            found[vertex] = max(of(target) for source, target in cell.edges if source == vertex)
        return found[vertex]

    return [of(vertex) for vertex in range(last + 1)]


@pytest.mark.parametrize("channels", [6, 7, 8, 128, 256, 512])
def test_channels_equal_a_slow_transcription(channels: int, rng: np.random.Generator) -> None:
    eight = ExtendedNASBench101(max_edges=14).random_cells(rng, 40)
    drawn = map(SPACE.from_index, rng.integers(SIZE, size=60).tolist())
    written = [orders(cell)[-1] for cell in drawn]  # not in canonical order
    for cell in [*CELLS, *written, *eight]:
        assert list(vertex_widths(cell, channels)) == slow_channels(cell, channels)


def test_many_cells_at_once_have_the_channels_they_have_alone(rng: np.random.Generator) -> None:
    indices = rng.integers(SIZE, size=50)
    graphs = SPACE.graphs(indices)
    together = channels_of_vertices(graphs.adjacency, graphs.vertices, 128)
    for row, index in zip(together.tolist(), indices.tolist(), strict=True):
        widths = vertex_widths(SPACE.from_index(index), 128)[:-1]
        assert row == [*widths, *[0] * (7 - len(widths))]


def test_channels_by_hand() -> None:
    assert vertex_widths(TRUNCATED, 128) == (0, 43, 43, 42, 128)
    assert vertex_widths(TRUNCATED, 256) == (0, 86, 85, 85, 256)
    assert vertex_widths(BARE, 5) == (0, 5)


def reference(cell: Cell, images: Tensor, weights: dict[str, Tensor], channels: int, cells: int) -> Tensor:
    """The network written out with functions alone, vertex by vertex."""

    def conv(x: Tensor, name: str) -> Tensor:
        weight = weights[f"{name}.0.weight"]
        return normed(F.conv2d(x, weight, padding=weight.shape[-1] // 2)).clamp(min=0)

    x, last, number = conv(images, "stem"), cell.num_nodes - 1, 0
    for stack in range(3):
        if stack:
            x = F.max_pool2d(x, 2)
            number += 1
        for _ in range(cells):
            name, widths = f"layers.{number}", slow_channels(cell, channels * 2**stack)
            values: dict[int, Tensor] = {}
            for vertex in range(1, last):
                total = torch.zeros(len(x), widths[vertex], *x.shape[2:])
                for source, target in cell.edges:
                    if target == vertex:
                        total += (
                            values[source][:, : widths[vertex]] if source else conv(x, f"{name}.projections.{vertex}")
                        )
                pooled = cell.ops[vertex] == POOL
                place = f"{name}.operations.{vertex - 1}"
                values[vertex] = F.max_pool2d(total, 3, 1, 1) if pooled else conv(total, place)
            read = [values[vertex] for vertex in range(1, last) if (vertex, last) in cell.edges]
            out = torch.cat(read, 1) if read else torch.zeros(())
            x = out + conv(x, f"{name}.projections.{last}") if (0, last) in cell.edges else out
            number += 1
    return x.mean((2, 3)) @ weights["classifier.weight"].T + weights["classifier.bias"]


@pytest.mark.parametrize("cell", CELLS[:8], ids=range(8))
def test_the_network_computes_what_the_code_says(cell: Cell, generator: torch.Generator) -> None:
    network = nasbench101_network(cell, channels=8, cells_per_stage=2)
    images = torch.randn(3, 3, 16, 16, generator=generator)
    expected = reference(cell, images, dict(network.named_parameters()), 8, 2)
    torch.testing.assert_close(network(images), expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("cell", CELLS[:8], ids=range(8))
def test_every_parameter_gets_a_gradient(cell: Cell, generator: torch.Generator) -> None:
    network = nasbench101_network(cell, channels=8, cells_per_stage=1, num_classes=3)
    logits = network(torch.randn(4, 3, 16, 16, generator=generator))
    assert logits.shape == (4, 3)
    F.cross_entropy(logits, torch.tensor([0, 2, 1, 1])).backward()
    assert every_parameter_has_a_gradient(network)
    weights = [parameter for parameter in network.parameters() if parameter.ndim == 4]
    assert all(weight.grad is not None and weight.grad.abs().max() > 0 for weight in weights)


@pytest.mark.parametrize("side", [4, 9, 30])
def test_other_image_sizes(side: int) -> None:
    network = nasbench101_network(TRUNCATED, channels=4, cells_per_stage=1).eval()
    assert network(torch.zeros(2, 3, side, side)).shape == (2, 10)
    assert network.features(torch.zeros(2, 3, side, side)).shape == (2, 16)


def test_the_network_learns(generator: torch.Generator) -> None:
    torch.manual_seed(0)  # PyTorch initialises layers from its global generator
    network = nasbench101_network(TRUNCATED, channels=6, cells_per_stage=1, num_classes=2)
    losses = training_losses(network, generator, steps=20)
    assert losses[-1] < 0.5 * losses[0]


def test_it_is_built_by_the_name_of_the_space_and_for_larger_cells(rng: np.random.Generator) -> None:
    network = build_network("nasbench101", TRUNCATED, channels=4, cells_per_stage=2, num_classes=100)
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 100)
    larger = ExtendedNASBench101()
    cell = larger.canonical(larger.random_cell(rng))
    with torch.device("meta"):
        assert count_parameters(build_network(larger, cell)) == round(larger.cost(cell).params_m * 1e6)


def test_mistakes_are_named() -> None:
    with pytest.raises(SvgeError, match="Unknown network option 'depth' for NAS-Bench-101: expected channels, cells"):
        build_network(SPACE, TRUNCATED, depth=3)
    with pytest.raises(SvgeError, match="Expected cells_per_stage to be at least 1; got 0"):
        nasbench101_network(TRUNCATED, cells_per_stage=0)
    with pytest.raises(SvgeError, match="Expected channels to be at least 3, as many vertices share them; got 2"):
        nasbench101_network(TRUNCATED, channels=2)
    with pytest.raises(InvalidCellError, match="Every vertex but the output needs an edge from it; got none for 1"):
        nasbench101_network(made((C3,), (0, 1), (0, 2)))
    with pytest.raises(InvalidCellError, match="conv5x5"):
        nasbench101_network(made(("conv5x5",), (0, 1), (1, 2)))
