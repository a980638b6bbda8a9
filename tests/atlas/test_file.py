"""Lean files of large spaces, charts of spaces that are not listed, and the cache of latents."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from scipy.spatial import KDTree

from svge_core.atlas.atlas import Atlas, build_atlas, latent_tensor
from svge_core.atlas.charted import chart_indices, charted_held_out, encode_indices, operation_counts
from svge_core.atlas.file import FILE, load_atlas, load_chart, save_atlas
from svge_core.atlas.neighbours import nearest_spacings
from svge_core.checkpoints.checkpoint import Checkpoint
from svge_core.data.held_out import held_out_mask
from svge_core.errors import CheckpointError, SvgeError
from svge_core.files.quantisation import STEPS, quantised, restored
from svge_core.spaces.registry import SPACES, get_space
from svge_core.training.config import TrainConfig
from tests.support.core import TinySpace, tiny_model, write_checkpoint, write_sampled_checkpoint
from tests.support.planes import free_plane
from tests.support.untyped import there

SPACE, ENAS = TinySpace(5), get_space("enas6")
TRAINING = TrainConfig(epochs=2, held_out=0.25, seed=3)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "svge-explorer"


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    monkeypatch.setitem(SPACES, SPACE.name, SPACE)
    return write_checkpoint(tmp_path / "tiny", tiny_model(SPACE), TRAINING)


@pytest.fixture
def lean(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> Atlas:
    """An atlas that is written as that of a large space."""
    monkeypatch.setattr("svge_core.atlas.file.LEAN_FROM", 10)
    built = build_atlas(checkpoint, planes=("pca",))
    free = free_plane(np.random.default_rng(0).normal(size=(len(built), 2)), 4)
    planes: dict = {"umap": free, **built.planes}
    made = Atlas(**{**vars(built), "planes": planes})
    save_atlas(checkpoint.folder, made)
    return made


# ---- lean files -------------------------------------------------------------------------------------------------


def test_a_lean_file_holds_no_latents_and_gives_the_same_atlas(checkpoint: Checkpoint, lean: Atlas) -> None:
    assert sorted(load_file(checkpoint.folder / FILE)) == ["spacings", "umap.steps"]
    again = load_atlas(checkpoint, SPACE)
    np.testing.assert_allclose(again.latents, lean.latents, atol=1e-5)
    np.testing.assert_array_equal(again.held_out, lean.held_out)
    np.testing.assert_array_equal(again.indices, np.arange(there(SPACE.size)))
    for name in ("umap", "pca"):
        reach = np.ptp(lean.planes[name].xy, axis=0).max()
        np.testing.assert_allclose(again.planes[name].xy, lean.planes[name].xy, atol=0.51 * reach / STEPS + 1e-5)
    assert again.planes["umap"].note == "made up; stored to 1/65,535 of each axis"
    assert again.planes["pca"].note == lean.planes["pca"].note
    assert again.spacings_of == len(lean.spacings)
    place, expected = (a.place("umap", (0.3, 0.2)).percentile for a in (again, lean))
    assert place == pytest.approx(expected, abs=0.3)


def test_latents_are_encoded_once_and_then_read(
    checkpoint: Checkpoint, lean: Atlas, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    whole = encode_indices

    def counted(model, indices):
        encoded.append(len(indices))
        return whole(model, indices)

    monkeypatch.setattr("svge_core.atlas.charted.encode_indices", counted)
    load_atlas(checkpoint, SPACE)
    assert encoded == [SPACE.size]
    load_atlas(checkpoint, SPACE)
    assert encoded == [SPACE.size, 64], "only the probe is encoded again"
    assert [path.name for path in cache.iterdir()] == [f"latents-tiny5-{checkpoint.digest}.npy"]


def test_cached_latents_can_be_decoded(checkpoint: Checkpoint, lean: Atlas) -> None:
    load_atlas(checkpoint, SPACE)
    cached = load_atlas(checkpoint, SPACE)
    assert not cached.latents.flags.writeable
    place = cached.place_of_cell("pca", 3)
    np.testing.assert_array_equal(latent_tensor(place)[0].numpy(), cached.latents[3])


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


def _other_numbers(path: Path) -> None:
    np.save(path, np.load(path) + 0.1)


def _not_finite(path: Path) -> None:
    latents = np.load(path)
    latents[5, 1] = np.nan
    np.save(path, latents)


def _wrong_shape(path: Path) -> None:
    np.save(path, np.load(path)[1:])


def _no_array(path: Path) -> None:
    path.write_bytes(b"nonsense")


@pytest.mark.parametrize("damage", [_truncated, _other_numbers, _not_finite, _wrong_shape, _no_array])
def test_a_damaged_cache_is_made_anew(
    checkpoint: Checkpoint, lean: Atlas, cache: Path, damage: Callable[[Path], None]
) -> None:
    load_atlas(checkpoint, SPACE)
    damage(next(cache.iterdir()))
    np.testing.assert_allclose(load_atlas(checkpoint, SPACE).latents, lean.latents, atol=1e-5)


def test_a_read_only_cache_costs_time_only(checkpoint: Checkpoint, lean: Atlas, cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    np.testing.assert_allclose(load_atlas(checkpoint, SPACE).latents, lean.latents, atol=1e-5)


def test_a_damaged_lean_file_is_named(checkpoint: Checkpoint, lean: Atlas) -> None:
    path = checkpoint.folder / FILE
    tensors = load_file(path)
    with safe_open(path, framework="np") as file:
        header = file.metadata()
    for bad, message in (
        ({**tensors, "umap.steps": tensors["umap.steps"][1:]}, "damaged"),
        ({"umap.steps": tensors["umap.steps"]}, "lacks 'spacings'"),
        ({"spacings": tensors["spacings"]}, "lacks 'umap.steps'"),
    ):
        save_file({name: np.ascontiguousarray(tensor) for name, tensor in bad.items()}, path, metadata=header)
        with pytest.raises(CheckpointError, match=message):
            load_atlas(checkpoint, SPACE)
    for change in ({"planes": '{"umap": {}}'}, {"planes": '{"umap": 3}'}, {"cells": "many"}, {"spacings_of": "x"}):
        save_file(tensors, path, metadata={**header, **change})
        with pytest.raises(CheckpointError, match="Rebuild it with"):
            load_atlas(checkpoint, SPACE)


# ---- charts -----------------------------------------------------------------------------------------------------


def test_a_large_space_is_sampled_and_comes_back(tmp_path: Path) -> None:
    checkpoint = write_sampled_checkpoint(tmp_path / "enas", tiny_model(ENAS))
    atlas = build_atlas(checkpoint, planes=("pca",), charted=300)
    assert len(atlas) == 300
    assert (np.diff(atlas.indices) > 0).all()
    row = 123
    cell = ENAS.from_index(int(atlas.indices[row]))
    assert atlas.row(ENAS.index(cell)) == row
    missing = next(i for i in range(10**6) if i not in set(atlas.indices.tolist()))
    assert atlas.row(missing) is None and atlas.row(-1) is None and atlas.row(2**80) is None
    training = TrainConfig.from_dict(checkpoint.meta.training)
    expected = atlas.indices[held_out_mask(atlas.indices, training.held_out, training.seed)]
    assert atlas.held_out.tolist() == expected.tolist()
    save_atlas(checkpoint.folder, atlas)
    again = load_atlas(checkpoint, ENAS)
    for part in ("indices", "latents", "held_out", "spacings"):
        np.testing.assert_array_equal(getattr(again, part), getattr(atlas, part))
    np.testing.assert_array_equal(load_chart(checkpoint), atlas.indices)


def test_a_sample_is_uniform_seeded_and_of_the_size_asked_for() -> None:
    first, again, other = (chart_indices(ENAS, 5_000, seed) for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any() and len(first) == 5_000
    assert ENAS.size
    assert np.abs(np.histogram(first, bins=10, range=(0, ENAS.size))[0] - 500).max() < 110
    assert chart_indices(SPACE).tolist() == list(range(there(SPACE.size)))
    with pytest.raises(SvgeError, match="64 bits"):
        chart_indices(get_space("enas12"))


def test_a_chart_needs_its_atlas(tmp_path: Path) -> None:
    checkpoint = write_sampled_checkpoint(tmp_path / "enas", tiny_model(ENAS))
    with pytest.raises(CheckpointError, match="python -m svge_core atlas"):
        load_chart(checkpoint)


def test_operations_are_counted_as_cell_by_cell() -> None:
    for space in (SPACE, ENAS, get_space("nasbench201")):
        indices = chart_indices(space, 200)[:200]
        counts = operation_counts(space, indices)
        for row, index in enumerate(indices.tolist()):
            cell = space.from_index(index)
            assert counts[row].tolist() == [cell.ops.count(op) for op in space.operations]
    assert charted_held_out(SPACE, np.arange(there(SPACE.size)), TRAINING).sum() == round(0.25 * there(SPACE.size))


# ---- numbers ----------------------------------------------------------------------------------------------------


def test_spacings_are_those_of_a_tree(rng: np.random.Generator) -> None:
    latents = rng.normal(size=(700, 6)).astype(np.float32) + 50
    expected = np.asarray(KDTree(latents).query(latents, k=2)[0])[:, 1]
    np.testing.assert_allclose(nearest_spacings(latents, 700), np.sort(expected), rtol=1e-4)
    sampled = nearest_spacings(latents, 200)
    assert len(sampled) == 200
    assert np.isin(np.round(sampled, 4), np.round(np.sort(expected).astype(np.float32), 4)).mean() > 0.97
    twice = np.repeat(latents[:50], 2, axis=0)
    assert nearest_spacings(twice, 100).max() == 0


def test_steps_are_half_a_step_off_at_most(rng: np.random.Generator) -> None:
    values = rng.normal(size=5_000).astype(np.float32) * 7
    steps, bounds = quantised(values)
    assert steps.dtype == np.uint16
    assert np.abs(restored(steps, bounds) - values).max() <= 0.51 * (bounds[1] - bounds[0]) / STEPS
    assert restored(*quantised(np.full(3, 2.5))).tolist() == [2.5] * 3
    assert len(quantised(np.zeros(0))[0]) == 0
    with pytest.raises(SvgeError, match=r"1 of 2 values are not finite"):
        quantised(np.array([1.0, np.nan]))
