"""The explorer over a sample of a space that is too large to list, and over NAS-Bench-101's names."""

import numpy as np
import pytest

from svge_core.atlas.charted import chart_scores
from svge_core.atlas.file import load_atlas
from svge_core.checkpoints.checkpoint import load_checkpoint
from svge_core.data.held_out import held_out_mask
from svge_core.data.meaning import ScoreMeaning, score_name
from svge_core.errors import CheckpointError, DataError, ParseError
from svge_core.explorer.columns import column, column_names
from svge_core.explorer.explorer import Explorer
from svge_core.explorer.inspection import place_in_words
from svge_core.explorer.opening import open_explorer
from svge_core.explorer.selection import CellFilter, find_cell, kept_by, selection_columns
from svge_core.exporting.document import from_json, to_json
from svge_core.exporting.writers import to_csv
from svge_core.spaces.registry import get_space
from tests.support.tiny_checkpoint import WS_ACC, ChartPredictors, make_enas_checkpoint

ENAS, NB101 = get_space("enas6"), get_space("nasbench101")


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    checkpoint = load_checkpoint(make_enas_checkpoint(tmp_path_factory.mktemp("enas") / "tiny"))
    atlas = load_atlas(checkpoint, ENAS)
    cells = atlas.cells(ENAS, np.arange(len(atlas)))
    return Explorer(ENAS, checkpoint, atlas, chart_scores(ENAS, cells), ChartPredictors(atlas.indices))


def off_chart(explorer: Explorer) -> int:
    return next(index for index in range(1_000) if explorer.atlas.row(index) is None)


def test_rows_and_cells_name_each_other(explorer: Explorer) -> None:
    cells = explorer.cells_at(np.array([0, 7, 299]))
    assert [explorer.row_of(cell) for cell in cells] == [0, 7, 299]
    assert explorer.row_of(ENAS.from_index(off_chart(explorer))) is None
    assert explorer.charted == "a random sample of 300 of 1,528,823,808 cells"


def test_a_charted_cell_is_read_and_another_one_is_encoded_and_predicted(explorer: Explorer) -> None:
    predictors = explorer.predictors
    assert isinstance(predictors, ChartPredictors)
    index = int(explorer.atlas.indices[9])
    charted = explorer.inspect_cell(index)
    assert (charted.row, charted.index) == (9, index)
    assert charted.place.latent.tolist() == explorer.atlas.latents[9].tolist()
    assert charted.value("params_m") == ENAS.cost(ENAS.from_index(index)).params_m
    asked = sum(predictors.asked)
    other = explorer.inspect_cell(off_chart(explorer))
    assert other.row is None and other.index == off_chart(explorer) and other.known == ()
    assert sum(predictors.asked) == asked + 1
    assert other.cell is not None and other.cost == ENAS.cost(other.cell)
    assert other.place.xy == explorer.locate("pca", explorer.encode(other.cell))
    assert len(other.neighbours) == 6 and other.place.distances[0] > 0
    assert "nearest known cell" in place_in_words(other.place, other.origin, charted=False)
    for found in (charted, other):
        assert found.cell is not None
        assert found.predicted[0].mean == 70 + found.cell.ops.count("conv_5x5")
        assert found.meanings == {WS_ACC.key: WS_ACC}
    for near in charted.neighbours:
        index = int(explorer.atlas.indices[near.row])
        assert near.index == index and near.cell == ENAS.from_index(index)


def test_the_same_latent_whether_charted_or_encoded(explorer: Explorer) -> None:
    cell = explorer.cells_at(np.array([4]))[0]
    np.testing.assert_allclose(explorer.encode(cell), explorer.atlas.latents[4], atol=1e-5)


def test_held_out_is_known_but_not_what_training_drew(explorer: Explorer) -> None:
    mask = held_out_mask(explorer.atlas.indices, 0.1, 1)
    assert (explorer.held_out == mask).all() and mask.any()
    for row in (int(mask.argmax()), int(mask.argmin())):
        expected = "held out" if mask[row] else "not held out"
        assert explorer.inspect_cell(int(explorer.atlas.indices[row])).membership == expected
    split = column(explorer, "split")
    assert split.categories == ("not held out", "held out")
    assert f"{mask.sum():,} of the 300 charted cells" in split.description


def test_a_score_that_is_measured_nowhere_is_predicted_and_explained(explorer: Explorer) -> None:
    names = column_names(explorer)
    assert [name.kind for name in names if WS_ACC.key in name.key] == ["predicted"]
    assert names[0].title == "CIFAR-10 weight-sharing accuracy (predicted)", "a goal comes first"
    shown = column(explorer, names[0].key)
    assert len(shown.values) == 300
    assert "Weight-sharing accuracy" in shown.description and "2 measured labels" in shown.description
    for key in (WS_ACC.key, f"error-{WS_ACC.key}"):
        with pytest.raises(DataError, match="no column"):
            column(explorer, key)
    with pytest.raises(DataError, match="has no score"):
        explorer.meaning("cifar10_valid")


def test_filters_work_on_the_chart(explorer: Explorer) -> None:
    keep = kept_by(explorer, CellFilter(contains=("conv_5x5",), params=(0.0, 5.0)))
    expected = ["conv_5x5" in cell.ops and ENAS.cost(cell).params_m <= 5 for cell in explorer.cells_at(np.arange(300))]
    assert keep.tolist() == expected


def test_exports_of_charted_and_other_cells(explorer: Explorer) -> None:
    cells = [explorer.cells_at(np.array([3]))[0], ENAS.from_index(off_chart(explorer))]
    items = explorer.export_items(cells)
    _, read = from_json(to_json(items, ENAS))
    assert [item.predicted[0].score for item in read] == [WS_ACC.key] * 2
    assert set(read[0].measured) == {"params_m", "flops_m"} and read[1].measured == {}
    assert read[1].latent == pytest.approx(explorer.encode(cells[1]).tolist())
    assert len(to_csv(items, ENAS).splitlines()) == 3


def test_a_large_selection_is_a_table(explorer: Explorer) -> None:
    rows = np.array([5, 2, 200])
    table = selection_columns(explorer, rows)
    assert table["index"].tolist() == explorer.atlas.indices[rows].tolist()
    assert [ENAS.parse(text) for text in table["arch_str"]] == explorer.cells_at(rows)
    for row, line in zip(rows.tolist(), table.to_dict("records"), strict=True):
        found = explorer.inspect_cell(int(explorer.atlas.indices[row]))
        assert line["params_m"] == found.value("params_m")
        one = found.predicted[0]
        assert [line[f"predicted_{WS_ACC.key}{end}"] for end in ("", "_low", "_high")] == [one.mean, one.low, one.high]


def test_predictions_of_another_chart_are_named(explorer: Explorer) -> None:
    assert isinstance(explorer.predictors, ChartPredictors)
    short = ChartPredictors(explorer.predictors.indices[:200])
    wrong = Explorer(ENAS, explorer.checkpoint, explorer.atlas, explorer.scores, short)
    with pytest.raises(CheckpointError, match="are of 200 cells, the atlas has 300. Fit the predictor again"):
        wrong.inspect_cell(int(explorer.atlas.indices[0]))


def test_opening_a_sampled_space_gives_the_costs_of_its_chart(explorer: Explorer) -> None:
    opened = open_explorer(explorer.checkpoint.folder)
    assert opened.scores.columns() == ("params_m", "flops_m")
    assert len(opened.scores.frame) == 300
    assert "96 channels" in opened.scores.meaning("params_m").source
    assert opened.notices == ("This checkpoint has no predictors, so no accuracy is predicted.",)


def test_epochs_other_than_the_usual_are_in_the_name() -> None:
    base = {"title": "Validation accuracy", "unit": "%", "direction": "max", "data_set": "CIFAR-10", "split": "valid"}
    rest = {"seeds": "", "kind": "measured", "source": "file", "role": "accuracy", "origin": "imported"}
    full, short = (
        ScoreMeaning(key=f"nb101_e{epochs}_valid", epochs=epochs, single_run=False, **base, **rest)  # type: ignore[arg-type]
        for epochs in (108, 12)
    )
    assert score_name(full) == "CIFAR-10 validation accuracy"
    assert score_name(short) == "CIFAR-10 validation accuracy, 12 epochs"


# ---- names of NAS-Bench-101 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 77, 423_623])
def test_a_nasbench101_cell_is_found_by_all_its_names(index: int) -> None:
    cell = NB101.from_index(index)
    key = NB101.key(cell)
    digits = "".join(map(str, NB101.genotype(cell)))
    for text in (key, f" {key.upper()} ", NB101.format(cell), str(index), f"#{index}", digits, " ".join(digits)):
        assert NB101.canonical(find_cell(NB101, text)) == cell


def test_what_is_no_nasbench101_cell_is_said_in_one_line() -> None:
    for text, message in (
        ("", "md5 key, a ModelSpec as JSON, an index (0 to 423,623) or 26 genotype digits"),
        ("0" * 32, "No NAS-Bench-101 cell has the key"),
        ("423624", "lies between 0 and 423623"),
        ("{", "expected an md5 key"),
        ("[" * 5_000, "Type an md5 key"),
    ):
        with pytest.raises(ParseError) as caught:
            find_cell(NB101, text)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
