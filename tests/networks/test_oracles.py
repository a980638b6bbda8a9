"""Networks of other people with our weights: the same outputs and gradients, the same number of parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bench.harness.network_oracles import (
    copy_to_nasbench_pytorch,
    copy_to_xautodl,
    nasbench_pytorch_network,
    parameters_that_compute,
    xautodl_network,
)
from svge_core.cells import Cell
from svge_core.networks import build_network
from svge_core.spaces import NASBench101, NASBench201
from tests.support.networks import count_parameters

Copy = Callable[[nn.Module, nn.Module], None]
CASES: list[tuple[Any, str, Any, Copy, dict[str, int]]] = [
    (NASBench201(), "xautodl", xautodl_network, copy_to_xautodl, {"channels": 4, "cells_per_stage": 1}),
    # three vertices that feed the output do not divide 7 channels
    (
        NASBench101(),
        "nasbench_pytorch",
        nasbench_pytorch_network,
        copy_to_nasbench_pytorch,
        {"channels": 7, "cells_per_stage": 1},
    ),
]


@pytest.mark.parametrize(("space", "package", "make", "copy", "sizes"), CASES, ids=[case[1] for case in CASES])
def test_they_compute_the_same(space: Any, package: str, make: Any, copy: Copy, sizes: dict[str, int]) -> None:
    pytest.importorskip(package)
    rng, images = np.random.default_rng(11), torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for cell in (space.canonical(space.random_cell(rng)) for _ in range(6)):
        network, oracle = build_network(space, cell, **sizes), make(cell, **sizes)
        with torch.no_grad():
            network.train()(images)  # statistics that are not those of the start
        copy(network, oracle)
        for mode in (False, True):
            network.zero_grad()
            found, expected = network.train(mode)(images), oracle.train(mode)(images)
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(
                pixels_gradient(network, images), pixels_gradient(oracle, images), rtol=1e-3, atol=1e-4
            )


def pixels_gradient(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    pixels = images.clone().requires_grad_()
    network(pixels).square().mean().backward()
    assert pixels.grad is not None
    return pixels.grad


def test_a_published_network_has_as_many_parameters_in_both() -> None:
    pytest.importorskip("xautodl")
    space = NASBench201()
    cell = space.from_index(9930)
    with torch.device("meta"):
        ours, theirs = build_network(space, cell), xautodl_network(cell, channels=16, cells_per_stage=5)
    assert count_parameters(ours) == count_parameters(theirs) == 1_288_506


@pytest.mark.parametrize("seed", range(3))
def test_nasbench101_has_as_many_parameters_in_both(seed: int) -> None:
    pytest.importorskip("nasbench_pytorch")
    space = NASBench101()
    cell: Cell = space.canonical(space.random_cell(np.random.default_rng(seed)))
    theirs = nasbench_pytorch_network(cell, channels=128, cells_per_stage=1)
    assert parameters_that_compute(theirs) == count_parameters(build_network(space, cell, cells_per_stage=1))
