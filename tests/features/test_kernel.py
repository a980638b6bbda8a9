"""The covariance of infinitely wide networks, against wide networks that are drawn, and closed forms."""

from abc import ABC, abstractmethod

import numpy as np
import pytest
import torch

from svge_core.cells import Cell
from svge_core.errors import DataError
from svge_core.features import KernelComponents, has_kernel, output_kernels
from svge_core.features.kernel import (
    IMAGES,
    KERNEL_ENTRIES,
    POSITIONS,
    STACKED,
    conv_kernel,
    norm_kernel,
    probe_images,
    probe_kernel,
    relu_kernel,
)
from svge_core.spaces import get_space

POINTS = IMAGES * POSITIONS
WIDTH = 1024
Maps = torch.Tensor  # (images, channels, positions)


class DrawnNetwork(ABC):
    """Stacked cells of ``WIDTH`` channels with weights that are drawn, written with PyTorch's own layers."""

    def __init__(self, cell: Cell, seed: int) -> None:
        self.cell, self.generator = cell, torch.Generator().manual_seed(seed)

    def conv(self, maps: Maps, size: int, width: int | None = None) -> Maps:
        width = WIDTH if width is None else width
        weights = torch.randn(width, maps.shape[1], size, generator=self.generator)
        padded = torch.nn.functional.pad(maps, (size // 2, size // 2), mode="circular")
        return torch.nn.functional.conv1d(padded, weights / (maps.shape[1] * size) ** 0.5)

    def relu(self, maps: Maps) -> Maps:
        return maps.relu() * 2**0.5

    def norm(self, maps: Maps) -> Maps:
        centred = maps - maps.mean((0, 2), keepdim=True)
        return centred / centred.square().mean().sqrt() if centred.square().mean() > 1e-9 else centred * 0

    def pool(self, maps: Maps) -> Maps:
        return (maps + maps.roll(1, 2) + maps.roll(-1, 2)) / 3

    def output(self) -> Maps:
        maps = self.norm(self.conv(probe_images(), 3))
        for _ in range(STACKED):
            maps = self.through(maps)
        return self.head(self.norm(maps))

    def head(self, maps: Maps) -> Maps:
        return maps

    @abstractmethod
    def through(self, maps: Maps) -> Maps: ...


class Drawn201(DrawnNetwork):
    def head(self, maps: Maps) -> Maps:
        return self.relu(maps)

    def through(self, maps: Maps) -> Maps:
        operations = {
            "none": lambda x: x * 0,
            "skip_connect": lambda x: x,
            "nor_conv_1x1": lambda x: self.norm(self.conv(self.relu(x), 1)),
            "nor_conv_3x3": lambda x: self.norm(self.conv(self.relu(x), 3)),
            "avg_pool_3x3": self.pool,
        }
        held = [maps]
        for node in range(1, self.cell.num_nodes):
            read = sum((held[source] for source, target in self.cell.edges if target == node), maps * 0)
            last = node == self.cell.num_nodes - 1
            held.append(read if last else operations[self.cell.ops[node]](read))
        return held[-1]


class Drawn101(DrawnNetwork):
    def through(self, maps: Maps) -> Maps:
        def block(x: Maps, size: int, width: int | None = None) -> Maps:
            return self.relu(self.norm(self.conv(x, size, width)))

        operations = {
            "conv1x1-bn-relu": lambda x: block(x, 1),
            "conv3x3-bn-relu": lambda x: block(x, 3),
            "maxpool3x3": self.pool,  # as the recursion has it
        }
        held, last = [maps], self.cell.num_nodes - 1
        for node in range(1, last):
            sources = [source for source, target in self.cell.edges if target == node]
            read = sum((held[source] for source in sources if source), torch.zeros(IMAGES, WIDTH, POSITIONS))
            held.append(operations[self.cell.ops[node]](read + block(maps, 1) if 0 in sources else read))
        sources = [source for source, target in self.cell.edges if target == last]
        joined = [held[source] for source in sources if source]
        output = torch.cat(joined, 1) if joined else torch.zeros(IMAGES, WIDTH, POSITIONS)
        return output + block(maps, 1, output.shape[1]) if 0 in sources else output


def drawn_kernel(network: type[DrawnNetwork], cell: Cell, draws: int) -> np.ndarray:
    kernels = []
    for seed in range(draws):
        points = network(cell, seed).output().permute(0, 2, 1).reshape(POINTS, -1)
        kernels.append((points @ points.T / points.shape[1]).numpy())
    return np.mean(kernels, axis=0)[np.triu_indices(POINTS)]


@pytest.mark.parametrize(
    ("name", "network", "numbers"),
    [("nasbench201", Drawn201, (11472, 2, 7001)), ("nasbench101", Drawn101, (5, 777))],
)
def test_equal_to_wide_networks_that_are_drawn(name: str, network: type[DrawnNetwork], numbers: tuple[int]) -> None:
    space = get_space(name)
    cells = [space.from_index(number) for number in numbers]
    found = output_kernels(space, cells)
    for number, cell in enumerate(cells):
        expected = drawn_kernel(network, cell, draws=4)
        apart = np.abs(found - expected).mean(axis=1)
        assert apart[number] < 0.04  # twice that with a quarter of the channels
        # the draws tell this cell from the others: a wrong recursion would not pass
        assert apart[number] < 0.5 * np.delete(apart, number).min()


def test_relu_kernel_is_the_mean_over_gaussian_pairs() -> None:
    kernel = torch.tensor([[1.0, 0.6, -0.5], [0.6, 2.0, 0.1], [-0.5, 0.1, 0.5]])
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    root = np.linalg.cholesky(kernel.numpy())
    expected = np.zeros((3, 3))
    for a in range(3):
        for b in range(3):
            pair = np.array([root[a], root[b]])
            # two dimensions are enough for two values
            basis = np.linalg.cholesky(pair @ pair.T + 1e-12 * np.eye(2))
            x = basis[0, 0] * nodes[:, None] + 0 * nodes[None]
            y = basis[1, 0] * nodes[:, None] + basis[1, 1] * nodes[None]
            expected[a, b] = 2 * (np.maximum(x, 0) * np.maximum(y, 0) * weights[:, None] * weights[None]).sum()
    np.testing.assert_allclose(relu_kernel(kernel).numpy(), expected, atol=1e-2)


def test_a_convolution_averages_what_neighbours_share() -> None:
    kernel = torch.randn(POINTS, POINTS, generator=torch.Generator().manual_seed(1))
    found = conv_kernel(kernel)
    for one, other in ((0, 0), (3, 20), (5, 35), (12, 6)):
        (a, p), (b, q) = divmod(one, POSITIONS), divmod(other, POSITIONS)
        near = [
            kernel[a * POSITIONS + (p + d) % POSITIONS, b * POSITIONS + (q + d) % POSITIONS].item() for d in (-1, 0, 1)
        ]
        assert found[one, other].item() == pytest.approx(np.mean(near), abs=1e-6)


def test_a_norm_takes_the_mean_and_the_scale_away() -> None:
    fields = torch.randn(POINTS, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) * 3 + 1
    centred = fields - fields.mean(0)
    expected = centred @ centred.T / centred.square().sum() * POINTS
    torch.testing.assert_close(norm_kernel(fields @ fields.T), expected)
    assert not norm_kernel(torch.ones(POINTS, POINTS)).any()


def test_what_computes_the_same_lies_together() -> None:
    space = get_space("nasbench201")
    cell = next(cell for cell in space.enumerate() if len(space.equivalents(cell)) > 5)
    others = space.equivalents(cell)
    scores = KernelComponents.of(space, 16).scores(others)
    assert np.unique(scores, axis=0).shape == (1, 16)


def test_what_is_not_read_does_not_count() -> None:
    space = get_space("nasbench201")
    texts = ("|skip_connect~0|+|none~0|none~1|", "|skip_connect~0|+|nor_conv_3x3~0|nor_conv_1x1~1|")
    found = output_kernels(space, [space.parse(f"{text}+|avg_pool_3x3~0|skip_connect~1|none~2|") for text in texts])
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_a_cell_that_passes_nothing_on_has_no_covariance() -> None:
    space = get_space("nasbench201")
    dead = space.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    assert not output_kernels(space, [dead]).any()


def test_components_are_white_and_those_of_sklearn() -> None:
    from sklearn.decomposition import PCA

    from svge_core.features.scaling import reference_cells

    space = get_space("nasbench201")
    cells = reference_cells(space.name)
    components = KernelComponents.of(space, 16)
    entries = output_kernels(space, cells)
    scores = (entries - components.centre) @ components.directions
    np.testing.assert_allclose(scores.std(0), 1, rtol=1e-2)
    expected = PCA(16, whiten=True, svd_solver="full").fit_transform(entries)
    correlation = np.corrcoef(scores.T, expected.T)[:16, 16:]
    np.testing.assert_allclose(np.abs(np.diag(correlation)), 1, atol=1e-3)
    first = [space.representative(cell) for cell in cells[:50]]
    np.testing.assert_allclose(
        components.scores(cells[:50]),
        (output_kernels(space, first) - components.centre) @ components.directions,
        atol=1e-3,
    )


def test_larger_cells_than_the_space_has_stand_for_themselves() -> None:
    space = get_space("nasbench101")
    chain = tuple((node, node + 1) for node in range(8))
    larger = Cell(("input", *("conv3x3-bn-relu",) * 7, "output"), chain)
    components = KernelComponents.of(get_space("nasbench201"), 4)
    components = KernelComponents(space, components.centre, components.directions)
    expected = (output_kernels(space, [larger]) - components.centre) @ components.directions
    np.testing.assert_allclose(components.scores([larger]), expected)


def test_a_space_without_such_networks_is_named() -> None:
    space = get_space("randwire")
    assert not has_kernel(space)
    with pytest.raises(DataError, match=r"not known; it is for NAS-Bench-201 and NAS-Bench-101\."):
        output_kernels(space, [])


def test_no_cells_have_no_rows() -> None:
    assert output_kernels(get_space("nasbench201"), []).shape == (0, KERNEL_ENTRIES)
    assert probe_kernel().shape == (POINTS, POINTS)
