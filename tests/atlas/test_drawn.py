"""Charts of cells without an index: equal families, whole files, distances and places in the numbers of function."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from svge_core.atlas.atlas import Atlas
from svge_core.atlas.charted import wiring_columns
from svge_core.atlas.drawn import chartable, draw_chart, packed, unpacked
from svge_core.atlas.file import load_atlas, save_atlas
from svge_core.atlas.projection import inverse_square
from svge_core.checkpoints.checkpoint import Checkpoint, load_checkpoint
from svge_core.data import cell_numbers, held_out_mask
from svge_core.errors import CheckpointError, SvgeError
from svge_core.models import encode_all
from svge_core.spaces.randwire import inner_edges
from svge_core.spaces.registry import get_space
from svge_core.tensors import to_batch
from tests.support.core import random_cells
from tests.support.tiny_checkpoint import make_randwire_checkpoint

RANDWIRE = get_space("randwire")
CODE = 64


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, Atlas]:
    checkpoint = load_checkpoint(make_randwire_checkpoint(tmp_path_factory.mktemp("rows") / "tiny"))
    return checkpoint, load_atlas(checkpoint, RANDWIRE)


def test_families_have_equal_parts_and_no_cell_comes_twice() -> None:
    chart, again, other = (draw_chart(RANDWIRE, 31, seed) for seed in (1, 1, 2))
    assert chart.cells == again.cells != other.cells and chart.digest == again.digest != other.digest
    assert Counter(chart.family.tolist()) == {0: 11, 1: 10, 2: 10} and chart.families == ("ws", "er", "ba")
    assert len(set(chart.cells)) == 31 and all(RANDWIRE.canonical(cell) == cell for cell in chart.cells)
    for cell, family in zip(chart.cells, chart.family.tolist(), strict=True):
        edges = len(inner_edges(cell))
        assert edges == {0: 64, 2: 135}.get(family, edges)
        assert chart.cells[chart.rows[cell]] is cell


def test_which_spaces_have_a_chart() -> None:
    known = ("nasbench201", "nasbench101", "enas6", "enas12", "randwire")
    assert [chartable(get_space(name)) for name in known] == [True, True, True, False, True]
    with pytest.raises(SvgeError, match="12 layers has no map: its cells have no index of 64 bits and no generators"):
        draw_chart(get_space("enas12"), 3, 1)


@pytest.mark.parametrize("name", ["randwire", "enas12", "nasbench201"])
def test_genotypes_come_back_from_their_bytes(name: str) -> None:
    space = get_space(name)
    cells = tuple(space.from_genotype(space.genotype(cell)) for cell in random_cells(space, 5))
    values = packed(space, cells)
    assert values.shape[1] == (62 if name == "randwire" else len(space.gene_choices))
    assert unpacked(space, values) == cells


def test_latents_held_out_and_maps_are_those_of_the_cells(built: tuple[Checkpoint, Atlas]) -> None:
    checkpoint, atlas = built
    cells = atlas.cells(RANDWIRE, np.arange(len(atlas)))
    assert len(atlas) == 90 and atlas.first == CODE and atlas.drawn is not None
    means = encode_all(checkpoint.model, to_batch(RANDWIRE, cells))[0].numpy()
    np.testing.assert_allclose(atlas.latents, means, atol=1e-5)
    unseen = held_out_mask(cell_numbers(RANDWIRE, cells), 0.2, checkpoint.meta.training["seed"])  # type: ignore[arg-type]
    assert atlas.held_out.tolist() == np.flatnonzero(unseen).tolist()
    assert [atlas.row_of(RANDWIRE, cell) for cell in cells[:5]] == [0, 1, 2, 3, 4]
    assert atlas.row_of(RANDWIRE, draw_chart(RANDWIRE, 3, 99).cells[0]) is None
    assert atlas.row(3) is None, "rows are no indices"
    pca, part = atlas.planes["pca"], atlas.latents[:, CODE:].astype(np.float64)
    assert not pca.components[:, :CODE].any()
    _, sizes, axes = np.linalg.svd(part - part.mean(0), full_matrices=False)
    np.testing.assert_allclose(np.abs(pca.components[:, CODE:]), np.abs(axes[:2]), atol=1e-4)
    np.testing.assert_allclose(pca.explained, sizes[:2] ** 2 / (sizes**2).sum(), rtol=1e-4)
    assert pca.note.endswith("of the variance of the latents' last 4 numbers")


def test_near_is_near_in_the_numbers_of_function(built: tuple[Checkpoint, Atlas]) -> None:
    _, atlas = built
    distances, rows = atlas.nearest(atlas.latents[7], 4)
    expected = np.linalg.norm(atlas.latents[:, CODE:] - atlas.latents[7, CODE:], axis=1)
    assert rows.tolist() == np.argsort(expected)[:4].tolist()
    np.testing.assert_allclose(distances, np.sort(expected)[:4], atol=1e-4)


def test_it_comes_back_as_it_was_and_small(built: tuple[Checkpoint, Atlas], tmp_path: Path) -> None:
    checkpoint, atlas = built
    path = save_atlas(tmp_path, atlas)
    again = load_atlas(replace(checkpoint, folder=tmp_path), RANDWIRE)
    assert again.digest == atlas.digest and again.drawn is not None and atlas.drawn is not None
    assert again.drawn.cells == atlas.drawn.cells and again.drawn.digest == atlas.drawn.digest
    np.testing.assert_allclose(again.latents, atlas.latents, atol=1e-6)
    assert "latents" not in load_file(path)
    other = replace(atlas, drawn=draw_chart(RANDWIRE, 90, 5))
    assert other.digest != atlas.digest


def test_damaged_files_are_named(built: tuple[Checkpoint, Atlas], tmp_path: Path) -> None:
    checkpoint = replace(built[0], folder=tmp_path)
    path = save_atlas(tmp_path, built[1])
    tensors = load_file(path)
    with safe_open(path, framework="np") as file:
        header = file.metadata()
    for change, said in (
        ({"genotypes": np.zeros_like(tensors["genotypes"])}, "is damaged .A cell of RandWire has 31 to 160 edges"),
        ({"family": tensors["family"][1:]}, "is damaged .family holds int8 of shape"),
        ({"family": tensors["family"] + np.int8(1)}, "is damaged .family holds"),
        ({"genotypes": None}, "lacks 'genotypes'"),
    ):
        kept = {name: value for name, value in {**tensors, **change}.items() if value is not None}
        save_file(kept, path, metadata=header)
        with pytest.raises(CheckpointError, match=said):
            load_atlas(checkpoint, RANDWIRE)
    save_file(tensors, path, metadata={**header, "families": "3"})
    with pytest.raises(CheckpointError, match="is damaged"):
        load_atlas(checkpoint, RANDWIRE)


def test_a_place_is_mixed_of_the_cells_around_it(built: tuple[Checkpoint, Atlas]) -> None:
    checkpoint, atlas = built
    plane = atlas.planes["pca"]
    at = (float(plane.xy[4, 0]) + 0.01, float(plane.xy[4, 1]))
    found = atlas.place("pca", at, mix=checkpoint.model.mixed)
    plain = atlas.place("pca", at)
    np.testing.assert_array_equal(found.latent[CODE:], plain.latent[CODE:])
    _, rows = plane.neighbours(at)
    near = atlas.latents[rows, :CODE].reshape(len(rows), 32, 2)
    for node, numbers in enumerate(found.latent[:CODE].reshape(32, 2)):
        assert (near[:, node] == numbers).all(1).any(), "every node has its code from one of the cells"
    x, y = map(float, plane.xy[4])
    np.testing.assert_array_equal(
        atlas.place("pca", (x, y), mix=checkpoint.model.mixed).latent[:CODE], atlas.latents[4, :CODE]
    )


def test_weights_of_neighbours() -> None:
    np.testing.assert_allclose(inverse_square(np.array([1.0, 2.0])), [0.8, 0.2])
    np.testing.assert_allclose(inverse_square(np.array([0.0, 0.0, 1.0])), [1.0, 0.0, 0.0])


@pytest.mark.parametrize("family", RANDWIRE.families())
def test_numbers_of_a_wiring_are_those_of_its_ways_listed(family: str) -> None:
    cell = RANDWIRE.families()[family](np.random.default_rng(8))
    graph = nx.DiGraph(cell.edges)
    ways = [len(way) - 2 for way in nx.all_simple_paths(graph, 0, 33)]
    found = {key: float(values[0]) for key, values in wiring_columns(RANDWIRE, [cell]).items()}
    assert found["edges"] == len(inner_edges(cell))
    assert found["depth"] == max(ways) == nx.dag_longest_path_length(graph) - 1
    assert found["mean_depth"] == pytest.approx(np.mean(ways))
