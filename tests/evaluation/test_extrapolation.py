"""Extrapolation: counting against the closed form, growth by hand, the extended model exact."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from msgspec import structs

from svge_core.__main__ import main
from svge_core.cells.cell import Cell
from svge_core.data.csv.labels import Labels
from svge_core.errors import CheckpointError, DataError, InvalidCellError, SvgeError
from svge_core.evaluation.extrapolation.draws import (
    BASELINE,
    MEASURES,
    SURROGATE,
    counts,
    one_draw,
    predicted_by_counts,
    split_by_size,
    table,
)
from svge_core.evaluation.extrapolation.file import FILE, larger_space, load, save
from svge_core.evaluation.extrapolation.larger_cells import (
    Candidate,
    decode_larger,
    distinct,
    extended_model,
    larger_enas,
    larger_nasbench101,
    repeat_cell,
    shared_scaling,
    stack_cells,
    vertex_after_input,
    vertex_before_output,
)
from svge_core.evaluation.extrapolation.run import extrapolate, rank_candidates
from svge_core.features.structure import structure_features
from svge_core.files.schema import to_plain
from svge_core.models.config import ModelConfig
from svge_core.models.svge import SVGe
from svge_core.spaces import ENASMacro
from svge_core.spaces.nasbench101.extended import ExtendedNASBench101
from svge_core.spaces.registry import get_space
from svge_core.tensors import to_batch
from tests.support.extrapolation import MEANING, SMALL, untrained_checkpoint
from tests.support.untyped import there

NB101, ENAS = get_space("nasbench101"), ENASMacro(6)
#: of the authors' extrapolation: nine edges
PAPER = Cell(
    ("input", *["conv3x3-bn-relu"] * 4, "conv1x1-bn-relu", "output"),
    ((0, 1), (0, 2), (0, 4), (0, 6), (1, 5), (2, 3), (3, 4), (4, 5), (5, 6)),
)
SIX_EDGES = Cell(PAPER.ops, tuple((i, i + 1) for i in range(6)))


@pytest.fixture(scope="module", params=["nasbench101", "enas6"])
def labelled(request: pytest.FixtureRequest) -> tuple:
    space = get_space(request.param)
    rng = np.random.default_rng(5)
    drawn = np.unique(rng.integers(there(space.size), size=1500))
    split = split_by_size(space, drawn)
    kept = np.sort(np.concatenate([np.flatnonzero(side)[:80] for side in (split.inside, split.outside)]))
    cells = [space.from_index(int(index)) for index in drawn[kept]]
    values = counts(space, cells) @ rng.normal(size=2 + len(space.operations)) + rng.normal(size=len(cells)) * 0.1
    return space, Labels(drawn[kept], values)


@pytest.fixture(scope="module")
def checkpoint(labelled: tuple, tmp_path_factory: pytest.TempPathFactory):
    return untrained_checkpoint(labelled[0], tmp_path_factory.mktemp("checkpoint"))


# inside and outside, and what is measured there


def test_cells_are_split_by_vertices_and_by_skip_connections(rng: np.random.Generator) -> None:
    for space, size in ((NB101, lambda c: c.num_nodes <= 6), (ENAS, lambda c: len(c.edges) - 7 <= 7)):
        indices = rng.integers(there(space.size), size=200)
        split = split_by_size(space, indices)
        cells = [space.from_index(int(index)) for index in indices]
        assert split.inside.tolist() == [size(cell) for cell in cells]
        assert (split.inside ^ split.outside).all()
        assert split.inside.any() and split.outside.any()
    assert split.inside_words == "at most 7 of 15 skip connections"
    with pytest.raises(DataError, match="all of one size"):
        split_by_size(get_space("nasbench201"), np.arange(3))


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 50.0])
def test_counting_is_ridge_regression(penalty: float, rng: np.random.Generator) -> None:
    cells = [NB101.random_cell(rng) for _ in range(80)]
    columns, values = counts(NB101, cells), rng.normal(90, 3, size=80)
    assert columns[:, 0].tolist() == [cell.num_nodes for cell in cells]
    assert (columns[:, 2:].sum(1) == columns[:, 0] - 2).all()
    # the closed form (X'X + penalty I) w = X'y over centred columns, which spares the intercept
    centre, level = columns[:60].mean(axis=0), values[:60].mean()
    centred = columns[:60] - centre
    gram = centred.T @ centred + penalty * np.eye(columns.shape[1])
    weights = np.linalg.solve(gram, centred.T @ (values[:60] - level))
    found = predicted_by_counts(NB101, cells[:60], values[:60], cells[60:], penalty)
    np.testing.assert_allclose(found, (columns[60:] - centre) @ weights + level, atol=1e-8)


def test_a_draw_fits_on_small_cells_alone_and_judges_on_others(labelled: tuple) -> None:
    space, pool = labelled
    draw = one_draw(space, MEANING, pool, labels=40, held_out=30, seed=1)
    split = split_by_size(space, draw.indices)
    assert (split.inside == draw.inside).all()
    assert draw.inside.sum() == 30 and (~draw.inside).sum() == 30
    assert len(set(draw.indices.tolist())) == 60
    places = {int(index): value for index, value in zip(pool.indices, pool.values, strict=True)}
    assert draw.truth.tolist() == [places[int(index)] for index in draw.indices]
    # the labels are a sum over counts, so counting must find them; labels of larger cells must not matter
    assert there(draw.rows[BASELINE, "inside"]["kendall_tau"]) > 0.8
    inside = split_by_size(space, pool.indices).inside
    other = Labels(pool.indices, np.where(inside, pool.values, -pool.values))
    again = one_draw(space, MEANING, other, labels=40, held_out=30, seed=1)
    for name in (SURROGATE, BASELINE):
        np.testing.assert_array_equal(again.predicted[name], draw.predicted[name])
    rows = table([draw, one_draw(space, MEANING, pool, labels=40, held_out=30, seed=2)], 40)
    assert [(row["predictor"], row["side"], row["held_out"]) for row in rows] == [
        (SURROGATE, "inside", 30),
        (BASELINE, "inside", 30),
        (SURROGATE, "outside", 30),
        (BASELINE, "outside", 30),
    ]
    assert all(tuple(row) == MEASURES for row in draw.rows.values())
    assert rows[1]["coverage"] is None and 0 <= rows[0]["coverage"] <= 1
    with pytest.raises(DataError, match="are more than there are: 80 with at most"):
        one_draw(space, MEANING, pool, labels=71, held_out=30, seed=1)


# cells of eight vertices and twelve layers


def test_the_papers_growth_has_192_and_192_cells() -> None:
    before, after = list(vertex_before_output(NB101, PAPER)), list(vertex_after_input(NB101, PAPER))
    assert len(before) == len(set(before)) == 192
    assert len(after) == len(set(after)) == 192
    for cell in before:  # without the new vertex it is the old cell again
        assert cell.ops[:6] + cell.ops[7:] == PAPER.ops and (6, 7) in cell.edges
        assert {(u, v - (v == 7)) for u, v in cell.edges if 6 not in (u, v)} == set(PAPER.edges)
    for cell in after:
        assert cell.ops[:1] + cell.ops[2:] == PAPER.ops and (0, 1) in cell.edges
        assert {(u - (u > 0), v - 1) for u, v in cell.edges if 1 not in (u, v)} == set(PAPER.edges)


def test_growth_by_hand_within_a_bound_of_edges() -> None:
    tight, loose = ExtendedNASBench101(), ExtendedNASBench101(28)
    before = list(vertex_before_output(NB101, PAPER))
    # nine edges and two more are too many for the known bound; without one only the vertex without sources is refused
    assert not any(tight.is_valid(cell) for cell in before)
    assert sum(loose.is_valid(cell) for cell in before) == 3 * 63
    # a chain of six edges has room for one or two sources: 3 x (6 + 15)
    grown = [cell for cell in vertex_before_output(NB101, SIX_EDGES) if tight.is_valid(cell)]
    assert len(grown) == 63
    twice = [Candidate(cell, "a") for cell in grown] + [Candidate(cell, "b") for cell in grown]
    assert {c.origin for c in distinct(tight, twice)} == {"a"}
    assert len(distinct(tight, twice)) == len({tight.key(cell) for cell in grown})


@pytest.mark.parametrize("sampling", ["independent", "sequential"])
def test_the_extended_model_is_the_model_on_seven_vertices(sampling, rng: np.random.Generator) -> None:
    torch.manual_seed(4)
    model = SVGe(NB101, ModelConfig(hidden=16, latent=4, edge_sampling=sampling)).eval()
    for part in model.generator.steps:
        part.data.normal_()
    space = ExtendedNASBench101()
    larger = extended_model(model, space)
    assert isinstance(larger, SVGe)
    sevens = [cell for cell in (NB101.random_cell(rng) for _ in range(60)) if cell.num_nodes == 7]
    small, wide = to_batch(NB101, sevens), to_batch(space, sevens)
    with torch.inference_mode():
        ours, theirs = larger.encode(wide), model.encode(small)
        torch.testing.assert_close(ours.mean, theirs.mean)
        torch.testing.assert_close(ours.log_var, theirs.log_var)
        a, b = larger.score(wide, ours.mean), model.score(small, theirs.mean)
        for x, y in ((a.forward, b.forward), (a.backward, b.backward)):
            torch.testing.assert_close(x.types[:, :7], y.types)
            torch.testing.assert_close(x.edges[:, :7, :7], y.edges)
    position: Any = larger.encoder.position
    assert position is not None and (position[7] == position[6]).all()
    with pytest.raises(InvalidCellError, match="cannot be extended"):
        extended_model(model, ENAS)
    cells = decode_larger(model, sevens[:5], space, per_latent=20, seed=1)
    assert len(cells) == 100
    for cell in cells:
        space.validate(cell)
        assert cell.num_nodes == 8


def test_candidates_are_distinct_members_of_the_larger_space(rng: np.random.Generator) -> None:
    torch.manual_seed(5)
    model = SVGe(NB101, ModelConfig(hidden=16, latent=4)).eval()
    space = ExtendedNASBench101()
    found = larger_nasbench101(model, [PAPER], [SIX_EDGES], space, per_latent=10, drawn=20, seed=1)
    assert len({space.key(c.cell) for c in found}) == len(found)
    assert all(c.cell.num_nodes == 8 for c in found)
    assert {c.origin for c in found} == {"decoded", "vertex before the output", "vertex after the input", "random"}
    twelve = ENASMacro(12)
    grown = larger_enas([ENAS.random_cell(rng) for _ in range(3)], twelve, mutants=2, drawn=5, seed=1)
    assert len({twelve.key(c.cell) for c in grown}) == len(grown) <= 9 + 3 + 24 + 5
    for candidate in grown:
        twelve.validate(candidate.cell)


def test_growing_to_twelve_layers_by_hand(rng: np.random.Generator) -> None:
    twelve = ENASMacro(12)
    first = ENAS.parse("[[0],[1,0],[2,1,0],[3,0,0,0],[4,0,0,0,0],[5,0,0,0,1,0]]")
    chain = {(vertex, vertex + 1) for vertex in range(13)}
    assert first.edges[1] == (0, 3)
    both = stack_cells(twelve, first, first)
    assert both.ops[1:-1] == first.ops[1:-1] * 2
    assert set(both.edges) - chain == {(0, 3), (3, 6), (6, 9), (9, 12)}
    doubled = repeat_cell(twelve, first)
    assert doubled.ops[1:5] == (first.ops[1], first.ops[1], first.ops[2], first.ops[2])
    assert set(doubled.edges) - chain == {(0, 5), (6, 11)}


def test_features_are_compared_by_name() -> None:
    for space, larger in ((NB101, ExtendedNASBench101()), (ENAS, ENASMacro(12))):
        own, other = shared_scaling(space, larger)
        names, more = structure_features(space, []).names, structure_features(larger, []).names
        kept = {n: (m, s) for n, m, s in zip(names, own.mean, own.scale, strict=True) if s > 0}
        assert kept == {n: (m, s) for n, m, s in zip(more, other.mean, other.scale, strict=True) if s > 0}
        assert kept and not any(name.startswith(("choices", "switches")) for name in kept)


# the file


def test_the_file_comes_back_and_says_what_is_wrong(labelled: tuple, checkpoint, tmp_path: Path) -> None:
    space, pool = labelled
    assert load(tmp_path, space) is None
    content = extrapolate(checkpoint, MEANING, pool, pool, SMALL, command="by hand")
    path = save(tmp_path, content)
    assert path.stat().st_size < 200_000
    found = load(tmp_path, space)
    assert found is not None
    assert found.content == content
    plain = to_plain(content)
    assert found.meaning == MEANING
    assert len(found.ranked) == 5
    means = [row.mean for row in found.ranked]
    assert means == sorted(means, reverse=True)
    for row in found.ranked:
        found.space.validate(row.cell)
        assert row.low < row.mean < row.high
        assert not space.is_valid(row.cell)
    space.validate(found.reference.cell)
    assert content.larger.distinct == sum(row.cells for row in content.larger.origins)
    small = plain["larger"]
    for change, message in (
        ({"format_version": 2}, "format_version: expected 1, which this version reads, got 2"),
        ({"space": "nasbench201"}, "'space' is 'nasbench201'"),
        ({"table": [{}]}, r"is damaged: \$\.table\[0\]: object missing required field predictor"),
        ({"points": [{**plain["points"][0], "measured": "x"}]}, r"damaged: \$\.points\[0\]\.measured: expected float"),
        ({"meaning": {}}, "is damaged: The meaning"),
        ({"larger": {**small, "best": [{**small["best"][0], "cell": "[[1]]"}]}}, "is damaged: "),
        ({"config": {**plain["config"], "max_edges": "many"}}, r"\$\.config\.max_edges: expected int"),
    ):
        path.write_text(json.dumps({**plain, **change}))
        with pytest.raises(CheckpointError, match=message):
            load(tmp_path, space)
    for text, message in (("{", "damaged"), ("[]", "expected an object with"), (" " * 200_001, "larger than")):
        path.write_text(text)
        with pytest.raises(CheckpointError, match=message):
            load(tmp_path, space)
    with pytest.raises(DataError, match="more than 200,000"):
        save(tmp_path, structs.replace(content, command="x" * 200_000))


def test_less_can_be_better(labelled: tuple, checkpoint) -> None:
    space, pool = labelled
    best = rank_candidates(checkpoint, replace(MEANING, direction="min"), pool, SMALL).best
    assert [row.mean for row in best] == sorted(row.mean for row in best)


def test_the_command_writes_the_file_and_no_name_of_the_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "enas6"
    untrained_checkpoint(ENAS, folder)
    rng = np.random.default_rng(1)
    cells = [ENAS.random_cell(rng) for _ in range(150)]
    rows = [f'"{ENAS.format(cell)}",{len(cell.edges) + i / 1000}' for i, cell in enumerate(cells)]
    (tmp_path / "secret.csv").write_text("\n".join(["arch,accuracy", *rows]))
    (tmp_path / "meaning.json").write_text(json.dumps(MEANING.to_dict()))
    options = [f"--{name.replace('_', '-')}={value}" for name, value in vars(SMALL).items()]
    words = [
        "extrapolate",
        "--checkpoint",
        str(folder),
        "--csv",
        str(tmp_path / "secret.csv"),
        "--score",
        "accuracy",
        "--meaning",
        str(tmp_path / "meaning.json"),
        "--json",
        *options,
    ]
    monkeypatch.setattr("sys.argv", ["svge_core", *words])
    assert main(words) == 0
    out = json.loads(capsys.readouterr().out)
    assert len(out["table"]) == 4 and out["replaced"] is None
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["replaced"] == MEANING.key
    text = (folder / FILE).read_text()
    assert "secret" not in text and str(tmp_path) not in text
    assert main([*words[:6], "nothing", *words[7:]]) == 2
    assert "nothing" in capsys.readouterr().err


def test_only_some_spaces_have_a_larger_one() -> None:
    assert larger_space(get_space("enas6")).name == "enas12"
    for name in ("enas12", "nasbench201"):
        with pytest.raises(SvgeError, match="no larger space"):
            larger_space(get_space(name))
