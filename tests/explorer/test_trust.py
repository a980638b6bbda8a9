"""Columns of trust against distances one by one."""

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from svge_core.errors import DataError
from svge_core.explorer.certainty import decode_certainty
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.facts import NEAR
from svge_core.explorer.opening import open_explorer
from svge_core.explorer.trust import ALIKE, CERTAIN, differences, kept_neighbours, map_column, map_names, trust_names
from svge_core.features import feature_scaling, structure_features
from svge_core.models import SVGe
from tests.support.oracles.svge import SlowDecoder
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


def test_cells_near_in_function_are_no_farther_than_the_nearest_by_what_they_compute(explorer: Explorer) -> None:
    space, found = explorer.space, explorer.near_in_function
    assert found.shape == (15_625,) and 0 <= found.min() < found.max() <= 1
    first = [space.representative(space.from_index(index)) for index in range(15_625)]
    groups = feature_scaling(space.name).apply(structure_features(space, first).values)
    features = np.concatenate(groups, axis=1)
    for row in ROWS.tolist():
        apart = np.sqrt(((features - features[row]) ** 2).sum(axis=1))
        reach = np.sort(np.delete(apart, row))[NEAR - 1]
        near = list(nearest(explorer.atlas.latents, row))
        assert found[row] == pytest.approx((apart[near] <= reach + 1e-5).mean(), abs=1e-12), row


def test_decode_certainty_is_that_of_a_slow_decoder_in_double_precision(explorer: Explorer) -> None:
    model, found = copy.deepcopy(explorer.checkpoint.model).double(), explorer.decode_certainty
    assert isinstance(model, SVGe)
    slow = SlowDecoder(model, 0)
    for row in ROWS[:8].tolist():
        cell = explorer.space.from_index(row)
        types = [explorer.space.vocabulary.index(op) for op in cell.ops]
        z = torch.tensor(explorer.atlas.latents[row], dtype=torch.float64)
        with torch.no_grad():
            chance = math.exp(slow.log_probability(z, types, set(cell.edges), last=len(types) - 1))
        assert 1 - 10 ** -found[row] == pytest.approx(chance, rel=1e-3), row


def test_decode_certainty_counts_powers_of_ten(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {0: 1.0, 1: 0.999, 2: 0.9, 3: 0.5, 4: 0.0, 5: 1 - 2e-6}
    chances = torch.full((15_625,), 0.75, dtype=torch.float64)
    for row, chance in known.items():
        chances[row] = chance
    model: Any = explorer.checkpoint.model
    handed: list[int] = []

    def answer(batch: Any, z: torch.Tensor) -> torch.Tensor:
        start = sum(handed)
        handed.append(len(batch))
        np.testing.assert_array_equal(z.numpy(), explorer.atlas.latents[start : start + len(batch)])
        return chances[start : start + len(batch)].log()

    monkeypatch.setattr(model, "log_probability", answer)
    found = decode_certainty(model, explorer.atlas)
    assert found[:6] == pytest.approx([6.0, 3.0, 1.0, math.log10(2), 0.0, 6 - math.log10(2)], abs=1e-9)
    assert found[6:] == pytest.approx(math.log10(4), abs=1e-12)


def test_every_column_of_trust_can_colour_the_map_and_says_what_it_is(explorer: Explorer) -> None:
    names = trust_names(explorer)
    assert [name.key for name in names][:2] == ["kept-neighbours-pca", "neighbours-differ-cifar10_valid"]
    assert [name.key for name in names][-2:] == [ALIKE, CERTAIN]
    assert set(names) <= set(map_names(explorer))
    for name in names:
        shown = map_column(explorer, name.key)
        assert shown.name == name and shown.values.shape == (15_625,) and shown.low < shown.high
        if name.key == CERTAIN:
            assert "6 stands for 6 or more" in shown.description
            capped = replace(shown, values=np.array([0.5, 6.0]))  # the bar's last number is "6 or more"
            assert capped.clipped(0.0, 6.0) == (False, True)
            assert capped.clipped(1.0, 7.0) == (True, False), "in the colour of 6, which is not the last there"
            assert capped.clipped(1.0, 5.0) == (True, True)
            assert replace(shown, values=np.array([0.5, 5.9])).clipped(0.0, 6.0) == (False, False)
        else:
            assert f"the {NEAR} cells that are nearest in the latent space" in shown.description


def test_what_is_not_there_is_named(explorer: Explorer) -> None:
    with pytest.raises(DataError, match="no 'umap' map"):
        kept_neighbours(explorer, "umap")
    with pytest.raises(DataError):
        differences(explorer, "nothing")
    with pytest.raises(DataError, match="There is no column"):
        map_column(explorer, "kept-neighbours-umap")
