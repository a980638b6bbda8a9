"""The RandWire network: sizes equal the closed form, a node's sum by hand, an independent forward pass."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from svge_core.cells.cell import Cell
from svge_core.errors import InvalidCellError, SvgeError
from svge_core.networks.build import build_network
from svge_core.networks.randwire import RandWireNode, WeightedSum, randwire_network
from svge_core.spaces import RandWire
from svge_core.spaces.randwire import from_edges, inner_edges
from svge_core.spaces.randwire_generators import RANDWIRE_FAMILIES, RANDWIRE_NODES
from svge_core.testing.spaces import random_order
from tests.support.networks import count_macs, count_parameters, every_parameter_has_a_gradient, normed

SPACE = RandWire()
CHAIN = from_edges([(node, node + 1) for node in range(RANDWIRE_NODES - 1)])


def test_sizes_equal_the_closed_form(rng: np.random.Generator) -> None:
    for cell in [CHAIN, *(SPACE.family_cell(family, rng) for family in RANDWIRE_FAMILIES)]:
        network, cost = randwire_network(cell).eval(), SPACE.cost(cell)
        assert count_parameters(network) == round(cost.params_m * 1e6)
        sums = sum(node.sum.weights.numel() for node in network.nodes if isinstance(node, RandWireNode))
        assert count_macs(network, torch.zeros(1, 1, 8, 8)) + sums * 8 * 64 == round(cost.flops_m * 1e6)


def test_a_size_worked_out_by_hand() -> None:
    # stem and its norm, 32 nodes, 32 inputs (31 edges, and the first node's), classifier
    assert round(SPACE.cost(CHAIN).params_m * 1e6) == (72 + 16) + 32 * (72 + 64 + 16) + 32 + (80 + 10)
    assert round(SPACE.cost(CHAIN).flops_m * 1e6) == 64 * (72 + 32 * (72 + 64) + 32 * 8) + 90


def test_a_weighted_sum_by_hand() -> None:
    module = WeightedSum(2)
    with torch.no_grad():
        module.weights.copy_(torch.tensor([0.0, 1.0986123]))  # sigmoids 1/2 and 3/4
    found = module([torch.full((1, 1, 1, 2), 4.0), torch.tensor([[[[8.0, -4.0]]]])])
    torch.testing.assert_close(found, torch.tensor([[[[8.0, -1.0]]]]))


def test_inputs_count_one_half_at_first() -> None:
    torch.testing.assert_close(WeightedSum(3)([torch.ones(1, 2, 1, 1)] * 3), torch.full((1, 2, 1, 1), 1.5))


def reference(cell: Cell, images: Tensor, weights: dict[str, Tensor]) -> Tensor:
    """The network from the stage's adjacency matrix, written out with functions alone, with batch statistics."""
    adjacency = np.zeros((RANDWIRE_NODES, RANDWIRE_NODES), dtype=bool)
    for source, target in inner_edges(cell):
        adjacency[source, target] = True
    stem = normed(F.conv2d(images, weights["stem.0.weight"], padding=1))
    maps: list[Tensor] = []
    for node in range(RANDWIRE_NODES):
        name = f"nodes.{node}"
        read = [maps[source] for source in np.flatnonzero(adjacency[:, node])] or [stem]
        total = sum(1 / (1 + (-w).exp()) * x for w, x in zip(weights[f"{name}.sum.weights"], read, strict=True))
        x = F.conv2d(torch.as_tensor(total).clamp(min=0), weights[f"{name}.depthwise.weight"], padding=1, groups=3)
        maps.append(normed(F.conv2d(x, weights[f"{name}.pointwise.weight"])))
    sinks = [maps[node] for node in range(RANDWIRE_NODES) if not adjacency[node].any()]
    pooled = torch.stack(sinks).mean(0).clamp(min=0).mean((2, 3))
    return pooled @ weights["classifier.weight"].T + weights["classifier.bias"]


def test_forward_pass_equals_the_reference(rng: np.random.Generator, generator: torch.Generator) -> None:
    cell = SPACE.family_cell("er", rng)
    network = randwire_network(cell, channels=3, num_classes=4, colours=2).double()
    for parameter in network.parameters():
        if parameter.ndim == 1 and parameter.numel() != 3:  # sums and the classifier's bias; norms stay as they start
            torch.nn.init.normal_(parameter, generator=generator)
    images = torch.randn(5, 2, 6, 6, generator=generator, dtype=torch.float64)
    for node in network.nodes:
        assert isinstance(node, RandWireNode)
        if node.sum.weights.numel() == 3:
            torch.nn.init.normal_(node.sum.weights, generator=generator)
    torch.testing.assert_close(network(images), reference(cell, images, dict(network.named_parameters())))
    network(images).logsumexp(1).sum().backward()
    assert every_parameter_has_a_gradient(network)


def test_relabelled_cells_are_the_same_function(rng: np.random.Generator, generator: torch.Generator) -> None:
    cell = SPACE.family_cell("ws", rng)
    order = random_order(cell, rng)
    first, second = randwire_network(cell).eval(), randwire_network(cell.relabelled(order)).eval()
    weights = first.state_dict()
    inner = [old - 1 for old in order[1:-1]]
    moved = {
        f"nodes.{new}.{rest}": value
        for new, old in enumerate(inner)
        for name, value in weights.items()
        if name.startswith(f"nodes.{old}.")
        for rest in [name.removeprefix(f"nodes.{old}.")]
    }
    # weights of the sums start equal, so their order does not matter here
    second.load_state_dict({**{k: v for k, v in weights.items() if not k.startswith("nodes.")}, **moved})
    images = torch.randn(2, 1, 8, 8, generator=generator)
    torch.testing.assert_close(first(images), second(images))


def test_options_and_mistakes(rng: np.random.Generator) -> None:
    network = build_network(SPACE, CHAIN, channels=2, num_classes=3, colours=3)
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 3)
    with pytest.raises(SvgeError, match="Unknown network option 'depth' for RandWire: expected channels"):
        build_network(SPACE, CHAIN, depth=3)
    with pytest.raises(SvgeError, match="Expected colours to be at least 1; got 0"):
        randwire_network(CHAIN, colours=0)
    with pytest.raises(InvalidCellError, match="34 nodes"):
        randwire_network(Cell(("input", "output"), ((0, 1),)))


def test_the_network_can_be_exported(generator: torch.Generator) -> None:
    network = randwire_network(CHAIN, channels=2).eval()
    images = torch.randn(3, 1, 8, 8, generator=generator)
    program = torch.export.export(network, (images,))  # what torch.onnx starts from
    torch.testing.assert_close(program.module()(images), network(images))
