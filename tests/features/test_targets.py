"""What a latent's last dimensions are trained towards, against the parts it is made of and published sizes."""

import math
import re

import numpy as np
import pytest

from svge_core.errors import DataError
from svge_core.features import FunctionTargets, KernelComponents, StructureComponents
from svge_core.features.scaling import reference_cells
from svge_core.spaces import get_space

SPACE = get_space("nasbench201")


def test_structure_and_kernel_are_the_components_of_these_names() -> None:
    cells = [SPACE.from_index(index) for index in (9_930, 6_111, 5)]
    structure, kernel = StructureComponents.of(SPACE, 9), KernelComponents.of(SPACE, 4)
    found = FunctionTargets.of(SPACE, "structure", 9)
    assert found.blocks == structure.blocks
    np.testing.assert_array_equal(found.scores(cells), structure.scores(cells))
    found = FunctionTargets.of(SPACE, "kernel", 4)
    assert found.blocks == (4,)
    np.testing.assert_array_equal(found.scores(cells), kernel.scores(cells))


def test_the_size_stands_beside_the_structure_in_two_numbers() -> None:
    """Parameters and multiply-accumulates of cell 9930 are published; the scale is that of 4,000 random cells."""
    targets = FunctionTargets.of(SPACE, "structure+size", 11)
    structure = StructureComponents.of(SPACE, 9)
    assert targets.blocks == (*structure.blocks, 2)
    cells = [SPACE.from_index(9_930)]
    scores = targets.scores(cells)
    np.testing.assert_array_equal(scores[:, :9], structure.scores(cells))
    costs = [SPACE.cost(cell) for cell in reference_cells("nasbench201")]
    logarithms = np.array([[math.log(cost.params_m + 0.05), math.log(cost.flops_m + 0.05)] for cost in costs])
    published = np.log(np.array([1.288506, 184.73025]) + 0.05)
    expected = (published - logarithms.mean(axis=0)) / logarithms.std(axis=0)
    np.testing.assert_allclose(scores[0, 9:], expected, rtol=1e-5)
    everyone = targets.scores(reference_cells("nasbench201"))
    np.testing.assert_allclose(everyone[:, 9:].mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(everyone[:, 9:].std(axis=0), 1, atol=1e-9)
    assert targets.scores([]).shape == (0, 11)


def test_equivalent_cells_differ_by_their_sizes_alone() -> None:
    targets, rng = FunctionTargets.of(SPACE, "structure+size", 11), np.random.default_rng(3)
    apart = []
    for _ in range(40):
        scores = targets.scores(SPACE.equivalents(SPACE.random_cell(rng)))
        np.testing.assert_allclose(scores[:, :9], np.broadcast_to(scores[0, :9], (len(scores), 9)), atol=1e-9)
        apart.append(np.ptp(scores[:, 9:], axis=0).max())
    assert max(apart) > 0.1


@pytest.mark.parametrize("name", ["nasbench101", "enas6", "randwire"])
def test_sizes_are_asked_for_where_they_are_missing_alone(name: str) -> None:
    space = get_space(name)
    with pytest.raises(DataError, match=f"of {re.escape(space.title)} they hold it already"):
        FunctionTargets.of(space, "structure+size", 11)


def test_more_numbers_than_the_size_alone_are_needed() -> None:
    with pytest.raises(DataError, match="Expected more than 2 numbers.*got 2"):
        FunctionTargets.of(SPACE, "structure+size", 2)
    with pytest.raises(DataError, match="components; expected 1 to"):
        FunctionTargets.of(SPACE, "structure", 400)
