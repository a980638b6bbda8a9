"""Columns of trust against distances one by one."""

import numpy as np
import pytest

from svge_core.errors import DataError
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.facts import NEAR
from svge_core.explorer.opening import open_explorer
from svge_core.explorer.trust import differences, kept_neighbours, map_column, map_names, trust_names
from tests.support.tiny_checkpoint import make_checkpoint

ROWS = np.random.default_rng(2).choice(15_625, 40, replace=False)


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    return open_explorer(make_checkpoint(tmp_path_factory.mktemp("trust") / "tiny"))


def nearest(points: np.ndarray, row: int) -> set[int]:
    apart = np.sqrt(((points - points[row]).astype(np.float64) ** 2).sum(axis=1))
    apart[row] = np.inf
    return set(np.argsort(apart, kind="stable")[:NEAR].tolist())


def test_kept_neighbours_are_those_near_in_both(explorer: Explorer) -> None:
    plane = explorer.plane_names[0]
    kept = kept_neighbours(explorer, plane)
    assert kept.shape == (15_625,) and 0 <= kept.min() < kept.max() <= 1
    for row in ROWS.tolist():
        both = nearest(explorer.atlas.latents, row) & nearest(explorer.atlas.planes[plane].xy, row)
        assert kept[row] == pytest.approx(len(both) / NEAR, abs=1e-12), row


def test_differences_are_those_to_the_nearest_cells(explorer: Explorer) -> None:
    found = differences(explorer, "cifar10_valid")
    values = explorer.scores.frame["cifar10_valid"].to_numpy()
    for row in ROWS.tolist():
        near = list(nearest(explorer.atlas.latents, row))
        assert found[row] == pytest.approx(np.abs(values[near] - values[row]).mean(), abs=1e-9), row


def test_every_column_of_trust_can_colour_the_map_and_says_what_it_is(explorer: Explorer) -> None:
    names = trust_names(explorer)
    assert [name.key for name in names][:2] == ["kept-neighbours-pca", "neighbours-differ-cifar10_valid"]
    assert set(names) <= set(map_names(explorer))
    for name in names:
        shown = map_column(explorer, name.key)
        assert shown.name == name and shown.values.shape == (15_625,) and shown.low < shown.high
        assert f"the {NEAR} cells that are nearest in the latent space" in shown.description


def test_what_is_not_there_is_named(explorer: Explorer) -> None:
    with pytest.raises(DataError, match="no 'umap' map"):
        kept_neighbours(explorer, "umap")
    with pytest.raises(DataError):
        differences(explorer, "nothing")
    with pytest.raises(DataError, match="There is no column"):
        map_column(explorer, "kept-neighbours-umap")
