"""The table of statistics: rows that depend on their cell alone, dead networks, every space with a network."""

import re

import numpy as np
import pytest
import torch

from svge_core.cells.cell import Cell
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.networks.build import build_network
from svge_core.networks.untrained import NO_FLOW, grad_norm, jacov, lowest_jacov, nwot, synflow
from svge_core.networks.untrained_table import STATISTICS, UntrainedProtocol, untrained_statistics
from svge_core.spaces.registry import SPACES, get_space
from svge_core.testing.spaces import random_order
from tests.support.core import TinySpace

SPACE = get_space("nasbench201")
SMALL = UntrainedProtocol(side=8, channels=4, batch=6, initialisations=2)
TEXT = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
DEAD = "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_3x3~1|none~2|"


def test_a_row_is_the_mean_over_initialisations() -> None:
    cell = SPACE.parse(TEXT)
    found = []
    for number in range(SMALL.initialisations):
        weights, batch = (int(np.random.default_rng((0, number, use)).integers(2**63)) for use in (0, 1))
        torch.manual_seed(weights)
        network = build_network(SPACE, cell, channels=4, cells_per_stage=1)
        generator = torch.Generator().manual_seed(batch)
        images = torch.randn(6, 3, 8, 8, generator=generator)
        classes = torch.randint(10, (6,), generator=generator)
        found.append(
            [
                synflow(network, (3, 8, 8)),
                nwot(network, images),
                jacov(network, images),
                grad_norm(network, images, classes),
            ]
        )
    assert found[0] != found[1]
    table = untrained_statistics(SPACE, [cell], SMALL)
    np.testing.assert_allclose(table.values[0], np.mean(found, axis=0), rtol=1e-5)
    assert table.names == STATISTICS == ("synflow", "nwot", "jacov", "grad_norm")


def test_rows_depend_on_their_cell_and_the_seed_alone(rng: np.random.Generator) -> None:
    cells = [SPACE.random_cell(rng) for _ in range(4)]
    told: list[tuple[int, int]] = []
    torch.manual_seed(1)
    table = untrained_statistics("nasbench201", cells, SMALL, lambda *count: told.append(count))
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.rand(1) == after, "PyTorch's global generator is left as it was"
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    turned = untrained_statistics(SPACE, [*cells[::-1], cells[0]], SMALL)
    assert np.array_equal(turned.values[3::-1], table.values) and np.array_equal(turned.values[4], table.values[0])
    other = untrained_statistics(SPACE, cells, UntrainedProtocol(8, 4, 1, 6, 2, seed=1))
    live = ~table.dead
    assert live.any() and (other.values[live] != table.values[live]).any(axis=0).all()


def test_dead_networks_are_said_and_have_the_lowest_values(rng: np.random.Generator) -> None:
    cells = [
        SPACE.parse(DEAD),
        *(SPACE.random_cell(rng) for _ in range(12)),
        SPACE.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"),
    ]
    table = untrained_statistics(SPACE, cells, SMALL)
    expected = [not connected(cell) for cell in cells]
    assert table.dead.tolist() == expected and expected[0] and not all(expected)
    assert table.values.dtype == np.float64 and np.isfinite(table.values).all()
    assert (table.values[table.dead] == [NO_FLOW, 0, lowest_jacov(6), 0]).all()
    assert (table.values[~table.dead] >= [NO_FLOW, 0, lowest_jacov(6), 0]).all()
    assert (table.values[~table.dead, 0] > NO_FLOW).all()


def connected(cell: Cell) -> bool:
    """Whether a path of operations other than "none" leads from the first to the last node."""
    reached = {0}
    for node in range(1, cell.num_nodes):
        if cell.ops[node] != "none" and reached & set(cell.sources[node]):
            reached.add(node)
    return cell.num_nodes - 1 in reached


@pytest.mark.parametrize("name", [name for name, space in SPACES.items() if space.network() is not None])
def test_every_space_with_a_network_has_them(name: str, rng: np.random.Generator) -> None:
    space = get_space(name)
    cell = space.random_cell(rng)
    same = cell if space.size == 15_625 else relabelled(cell, rng)
    table = untrained_statistics(space, [cell, same], UntrainedProtocol(8, 6, 1, 4, 1))
    assert np.isfinite(table.values).all() and not table.dead.any()
    assert np.array_equal(table.values[0], table.values[1]), "equivalent cells have one row"
    assert (table.values[0, [0, 1, 3]] > [NO_FLOW, 0, 0]).all() and table.values[0, 2] > lowest_jacov(4)


def relabelled(cell: Cell, rng: np.random.Generator) -> Cell:
    return cell.relabelled(random_order(cell, rng))


def test_no_cells_make_an_empty_table() -> None:
    table = untrained_statistics(SPACE, [], SMALL)
    assert table.values.shape == (0, 4) and table.dead.shape == (0,)


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [
        ("side", 3, 4),
        ("channels", 0, 1),
        ("cells_per_stage", 0, 1),
        ("batch", 1, 2),
        ("initialisations", 0, 1),
        ("seed", -1, 0),
    ],
)
def test_sizes_out_of_range_are_named(name: str, value: int, least: int) -> None:
    with pytest.raises(SvgeError, match=f"Expected {name} to be at least {least}; got {value}"):
        UntrainedProtocol(**{name: value})


def test_mistakes_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidCellError):
        untrained_statistics(SPACE, [Cell(("input", "output"), ((0, 1),))], SMALL)
    with pytest.raises(SvgeError, match="No trainable network for Tiny 4"):
        untrained_statistics(TinySpace(4), [], SMALL)
    monkeypatch.setattr("svge_core.networks.untrained_table.grad_norm", lambda *_: float("nan"))
    with pytest.raises(SvgeError, match=re.escape(f"grad_norm of {TEXT} is nan: take another seed")):
        untrained_statistics(SPACE, [SPACE.parse(TEXT)], SMALL)
