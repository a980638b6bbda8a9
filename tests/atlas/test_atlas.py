"""The atlas: what it holds, its file and every way the file can be wrong, places and their neighbourhood."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from svge_core.atlas.atlas import Atlas, build_atlas, latent_tensor
from svge_core.atlas.file import FILE, load_atlas, save_atlas
from svge_core.checkpoints.checkpoint import Checkpoint
from svge_core.data.held_out import split_cells
from svge_core.errors import CheckpointError, DataError
from svge_core.spaces.registry import SPACES
from svge_core.training.config import TrainConfig
from tests.support.core import TinySpace, all_cells, tiny_model, write_checkpoint
from tests.support.planes import free_plane
from tests.support.untyped import there

SPACE = TinySpace(5)
TRAINING = TrainConfig(epochs=2, held_out=0.25, seed=3)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, Atlas]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SPACES, SPACE.name, SPACE)
        checkpoint = write_checkpoint(tmp_path_factory.mktemp("atlas"), tiny_model(SPACE), TRAINING)
    atlas = build_atlas(checkpoint, planes=("pca",))
    # UMAP takes half a minute to import; any other map without an inverse stands in for it
    free = free_plane(np.random.default_rng(0).normal(size=(there(SPACE.size), 2)), 4)
    return checkpoint, replace(atlas, planes={"umap": free, **atlas.planes})


def test_it_holds_every_cell_in_official_order(built: tuple[Checkpoint, Atlas]) -> None:
    checkpoint, atlas = built
    means = checkpoint.model.encode(all_cells(SPACE)).mean.detach().numpy()
    np.testing.assert_allclose(atlas.latents, means, atol=1e-5)
    assert (atlas.space, atlas.checkpoint) == (SPACE.name, checkpoint.digest)
    expected = split_cells(there(SPACE.size), 0.25, 3).held_out
    assert atlas.held_out.tolist() == expected.tolist()


def test_it_comes_back_as_it_was(built: tuple[Checkpoint, Atlas]) -> None:
    checkpoint, atlas = built
    assert save_atlas(checkpoint.folder, atlas) == checkpoint.folder / FILE
    again = load_atlas(checkpoint, SPACE)
    assert (again.space, again.checkpoint, list(again.planes)) == (atlas.space, atlas.checkpoint, ["umap", "pca"])
    np.testing.assert_array_equal(again.latents, atlas.latents)
    np.testing.assert_array_equal(again.held_out, atlas.held_out)
    for name, plane in atlas.planes.items():
        for part in ("xy", "components", "mean", "explained"):
            np.testing.assert_array_equal(getattr(again.planes[name], part), getattr(plane, part))
        assert again.planes[name].note == plane.note


@pytest.fixture
def copy(built: tuple[Checkpoint, Atlas], tmp_path: Path) -> Checkpoint:
    """The checkpoint with an atlas that a test may damage."""
    save_atlas(tmp_path, built[1])
    return replace(built[0], folder=tmp_path)


def message(checkpoint: Checkpoint) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_atlas(checkpoint, SPACE)
    assert f"Rebuild it with: python -m svge_core atlas --checkpoint {checkpoint.folder}" in str(caught.value)
    return str(caught.value)


def test_a_missing_or_truncated_file_is_named(copy: Checkpoint) -> None:
    content = (copy.folder / FILE).read_bytes()
    for damaged in (content[:-1], content[: len(content) // 2], content[:4], b""):
        (copy.folder / FILE).write_bytes(damaged)
        assert "is damaged" in message(copy)
    (copy.folder / FILE).unlink()
    assert f"has no {FILE}" in message(copy)


def test_other_weights_are_named(copy: Checkpoint) -> None:
    text = message(replace(copy, digest="0123456789abcdef"))
    assert f"field 'checkpoint' is {copy.digest!r}, the weights are '0123456789abcdef'" in text


def test_wrong_fields_and_missing_parts_are_named(copy: Checkpoint) -> None:
    path = copy.folder / FILE
    with safe_open(path, framework="np") as file:
        header = file.metadata()
    tensors = load_file(path)
    save_file(tensors, path, metadata={**header, "format_version": "7"})
    assert "field 'format_version' is '7', this version reads 2, 3 and 4" in message(copy)
    save_file(tensors, path, metadata={**header, "space": "nasbench201"})
    assert f"holds {SPACE.size} cells of 'nasbench201', expected {SPACE.size} of 'tiny5'" in message(copy)
    save_file({**tensors, "latents": tensors["latents"][:9].copy()}, path, metadata=header)
    assert f"holds 9 cells of 'tiny5', expected {SPACE.size}" in message(copy)
    for name in ("pca.xy", "held_out", "latents"):
        save_file({other: tensor for other, tensor in tensors.items() if other != name}, path, metadata=header)
        assert f"lacks {name!r}" in message(copy)
    save_file(tensors, path, metadata={name: value for name, value in header.items() if name != "planes"})
    assert "lacks 'planes'" in message(copy)
    save_file(tensors, path, metadata={**header, "planes": "{"})
    assert "is damaged" in message(copy)


def test_planes_are_named_in_the_header(copy: Checkpoint) -> None:
    with safe_open(copy.folder / FILE, framework="np") as file:
        assert list(json.loads(file.metadata()["planes"])) == ["umap", "pca"]


def test_the_place_of_a_cell_leaves_itself_out(built: tuple[Checkpoint, Atlas]) -> None:
    _, atlas = built
    for index in (0, 7, there(SPACE.size) - 1):
        place = atlas.place_of_cell("umap", index, 5)
        assert place.xy == tuple(atlas.planes["umap"].xy[index].tolist())
        np.testing.assert_array_equal(place.latent, atlas.latents[index])
        expected = np.linalg.norm(atlas.latents - atlas.latents[index], axis=1)
        expected[index] = np.inf
        np.testing.assert_allclose(place.distances, np.sort(expected)[:5], rtol=1e-4, atol=1e-6)
        assert index not in place.neighbours
        assert not place.sparse


def test_a_position_is_inverted_and_compared_with_known_cells(built: tuple[Checkpoint, Atlas]) -> None:
    _, atlas = built
    place = atlas.place("pca", (0.1, -0.2), 4)
    np.testing.assert_allclose(place.latent, atlas.planes["pca"].to_latent((0.1, -0.2), atlas.latents))
    distances = np.linalg.norm(atlas.latents - place.latent, axis=1)
    np.testing.assert_allclose(place.distances, np.sort(distances)[:4], rtol=1e-4)
    spacing = np.linalg.norm(atlas.latents[:, None] - atlas.latents[None], axis=2)
    np.fill_diagonal(spacing, np.inf)
    closer = float((spacing.min(1) < distances.min()).mean())
    assert place.percentile == pytest.approx(100 * closer, abs=0.5)
    assert latent_tensor(place).shape == (1, 4)


def test_far_from_every_known_cell_is_sparse(built: tuple[Checkpoint, Atlas]) -> None:
    _, atlas = built
    far = atlas.place("pca", (1e3, 1e3))
    assert far.percentile == 100.0
    assert far.sparse
    x, y = atlas.planes["umap"].xy[3].tolist()
    assert not atlas.place("umap", (x, y)).sparse
    assert atlas.place("umap", (x, y)).distances[0] == pytest.approx(0, abs=1e-6)


def test_rows_of_another_chart_are_found_by_index_and_not_by_position() -> None:
    charts = [np.array(rows, dtype=np.int64) for rows in ([2, 5, 7, 11, 300], [0, 5, 6, 11, 12, 299])]

    def chart(indices: np.ndarray, space: str = "enas6") -> Atlas:
        empty = np.zeros((len(indices), 2), dtype=np.float32)
        return Atlas(space, "0" * 16, indices, empty, {}, indices[:0], empty[:, 0], len(indices))

    one, other = map(chart, charts)
    for first, second in ((one, other), (other, one), (one, one)):
        place = {int(index): row for row, index in enumerate(second.indices)}
        assert first.rows_in(second).tolist() == [place.get(int(index), -1) for index in first.indices]
    with pytest.raises(DataError, match="no rows in an atlas of 'nasbench201'"):
        one.rows_in(chart(charts[1], "nasbench201"))
